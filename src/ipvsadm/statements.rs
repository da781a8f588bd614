//! Reads commands from a text, one a line.

use super::change_parser::parse_command;
use super::command::Command;
use super::command_error::CommandError;
use super::names::Names;
use super::shell_words::{Word, split};
use super::text_error::{LINE_LIMIT, TextError, TextProblem};
use crate::model::Object;

/// The beginning of a comment that takes the place of a command that `ipvsadm` does not have.
pub(super) const UNSAID: &str = "# ipvsadm cannot say ";

/// A command, and the place in the text where it begins.
pub(crate) struct Statement {
    pub(crate) command: Command,
    pub(crate) line: usize,
    pub(crate) column: usize,
}

/// Reads the commands of `text`. Skips blank lines and comments.
pub(crate) fn statements(
    text: &[u8],
    names: &dyn Names,
) -> impl Iterator<Item = Result<Statement, TextError>> {
    let lines = (1..).zip(text.split(|byte| *byte == b'\n'));
    lines.filter_map(|(line, bytes)| statement(line, bytes, names).transpose())
}

fn statement(line: usize, bytes: &[u8], names: &dyn Names) -> Result<Option<Statement>, TextError> {
    if bytes.len() > LINE_LIMIT {
        return Err(TextError::new(line, 1, TextProblem::LongLine));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let (valid, rest) = bytes.split_at_checked(error.valid_up_to()).unwrap_or((bytes, &[]));
        let column = String::from_utf8_lossy(valid).chars().count() + 1;
        TextError::new(line, column, TextProblem::Byte(rest.first().copied().unwrap_or_default()))
    })?;
    // This comment takes the place of a command. Skipping it would lose that command.
    if text.trim_start().starts_with(UNSAID) {
        let column = text.chars().take_while(|character| character.is_whitespace()).count() + 1;
        return Err(TextError::new(line, column, TextProblem::Unsaid));
    }
    let words = command_words(line, text)?;
    let Some(first) = words.first() else {
        return Ok(None);
    };
    let texts: Vec<&str> = words.iter().map(|word| &*word.text).collect();
    let command = parse_command(&texts, names, true).map_err(|error| {
        TextError::new(line, column(&error, &words), TextProblem::Command(error))
    })?;
    Ok(Some(Statement { command, line, column: first.column }))
}

/// The number of the first line about `object`. Only an error message needs this number, so it is
/// searched for instead of kept for every line.
pub(crate) fn first_line_about(text: &[u8], names: &dyn Names, object: Object) -> usize {
    let mut found = statements(text, names).filter_map(Result::ok);
    let found = found.find(|statement| statement.command.change.object() == Some(object));
    found.map_or(1, |statement| statement.line)
}

/// Splits a line into words and removes a first word `ipvsadm`. A blank line has no words.
pub(super) fn command_words(line: usize, text: &str) -> Result<Vec<Word<'_>>, TextError> {
    let mut words = split(text)
        .map_err(|(column, what)| TextError::new(line, column, TextProblem::Unfinished(what)))?;
    if words.first().is_some_and(|word| word.text == "ipvsadm") {
        words.remove(0);
        if words.is_empty() {
            let end = text.trim_end().chars().count() + 1;
            return Err(TextError::new(line, end, TextProblem::NoCommand));
        }
    }
    Ok(words)
}

/// The column of an error in its line.
fn column(error: &CommandError, words: &[Word<'_>]) -> usize {
    match (words.get(error.word()), words.last()) {
        (Some(word), _) => word.column_of(error.offset()),
        (None, Some(last)) => last.end,
        (None, None) => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ipvsadm::NumericNames;
    use crate::model::Change;

    #[test]
    fn a_change_is_read_from_its_line() {
        let flush = Ok(Change::Flush);
        for text in ["ipvsadm -C", "-C", " \t'ipvsadm' \"-C\" # all", "\n# first\n-C\n\n", "-C\r\n"]
        {
            assert_eq!(text.parse::<Change>(), flush, "{text:?}");
        }
        let daemon = r"ipvsadm --start-daemon backup --mcast-interface 'a'\'';$(b)' --syncid 0";
        assert_eq!(daemon.parse::<Change>().unwrap().to_string(), daemon);
        let cases = [
            ("", "line 1, column 1: expected a command, found none"),
            ("# -C", "line 1, column 1: expected a command, found none"),
            (" ipvsadm  ", "line 1, column 9: expected a command, found none"),
            ("-C\n -C", "line 2, column 2: expected one command, found a second one"),
            ("-C 'a b", "line 1, column 4: the quote is not closed"),
            ("-C\\", "line 1, column 3: the backslash is the last character"),
            (
                "ipvsadm -D -t 1.2.3.4:x",
                "line 1, column 23: expected a port of 0 to 65535, found \"x\" (names are not looked up)",
            ),
            (
                "ipvsadm -D -t '1.2.3.4:x'",
                "line 1, column 15: expected a port of 0 to 65535, found \"x\" (names are not looked up)",
            ),
            (
                "\u{e9}",
                "line 1, column 1: expected a command that changes something, such as -A, as the first option, found \"\u{e9}\"",
            ),
            (
                "-D -t ",
                "line 1, column 6: expected an argument of -t, found the end of the command",
            ),
            (
                "# ipvsadm cannot say flags 0x40: ipvsadm -A -f 5 -s rr",
                "line 1, column 1: expected a command, found a comment in place of one that ipvsadm does not have",
            ),
        ];
        for (text, message) in cases {
            assert_eq!(text.parse::<Change>().unwrap_err().to_string(), message, "{text:?}");
        }
    }

    #[test]
    fn reading_goes_on_after_a_line_that_cannot_be_read() {
        let text = "-C\n\n-X\nipvsadm -a -f 5 -r 10.0.0.2 # two\n";
        let read: Vec<_> = Command::parse_lines(text, &NumericNames)
            .map(|line| line.map(|(line, command)| format!("{line} {command}")))
            .map(|line| line.map_err(|error| error.line()))
            .collect();
        let commands = ["1 ipvsadm -C", "4 ipvsadm -a -f 5 -r 10.0.0.2:0 -g"].map(str::to_owned);
        let [first, last] = commands;
        assert_eq!(read, [Ok(first), Err(3), Ok(last)]);
    }

    #[test]
    fn lines_and_bytes_have_limits() {
        let longest = format!("-C #{}", " ".repeat(4092));
        assert_eq!(longest.parse(), Ok(Change::Flush));
        let error = format!("{longest} ").parse::<Change>().unwrap_err();
        assert_eq!(error.to_string(), "line 1, column 1: the line is longer than 4096 bytes");
        let error = statements(b"\n-C \xc3\xa9 \xff", &NumericNames).next().unwrap().err().unwrap();
        assert_eq!(error.to_string(), "line 2, column 6: expected UTF-8, found byte 0xff");
    }
}

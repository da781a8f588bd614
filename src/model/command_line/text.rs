//! Text into commands, line by line.

use super::text_error::LINE_LIMIT;
use super::words::{Word, split};
use super::{Command, CommandError, Names, TextError, Trouble};

/// How a comment begins that stands for something `ipvsadm` has no words for.
pub(super) const UNSAID: &str = "# ipvsadm cannot say ";

/// A command and where it begins.
pub(crate) struct Statement {
    pub(crate) command: Command,
    pub(crate) line: usize,
    pub(crate) column: usize,
}

/// The commands of `text`. Blank lines and comments are none.
pub(crate) fn statements(
    text: &[u8],
    names: &dyn Names,
) -> impl Iterator<Item = Result<Statement, TextError>> {
    let lines = (1..).zip(text.split(|byte| *byte == b'\n'));
    lines.filter_map(|(line, bytes)| statement(line, bytes, names).transpose())
}

fn statement(line: usize, bytes: &[u8], names: &dyn Names) -> Result<Option<Statement>, TextError> {
    if bytes.len() > LINE_LIMIT {
        return Err(TextError::new(line, 1, Trouble::LongLine));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let (valid, rest) = bytes.split_at_checked(error.valid_up_to()).unwrap_or((bytes, &[]));
        let column = String::from_utf8_lossy(valid).chars().count() + 1;
        TextError::new(line, column, Trouble::Byte(rest.first().copied().unwrap_or_default()))
    })?;
    // To skip it would read a smaller text than was written.
    if text.trim_start().starts_with(UNSAID) {
        let column = text.chars().take_while(|character| character.is_whitespace()).count() + 1;
        return Err(TextError::new(line, column, Trouble::Unsaid));
    }
    let words = split(text)
        .map_err(|(column, what)| TextError::new(line, column, Trouble::Unfinished(what)))?;
    let named = words.first().is_some_and(|word| word.text == "ipvsadm");
    let words = words.get(usize::from(named)..).unwrap_or_default();
    let Some(first) = words.first() else {
        if named {
            let end = text.trim_end().chars().count() + 1;
            return Err(TextError::new(line, end, Trouble::NoCommand));
        }
        return Ok(None);
    };
    let command = Command::parse(words, names)
        .map_err(|error| TextError::new(line, column(&error, words), Trouble::Command(error)))?;
    Ok(Some(Statement { command, line, column: first.column }))
}

/// Where in the line the error is.
fn column(error: &CommandError, words: &[Word]) -> usize {
    match (words.get(error.word()), words.last()) {
        (Some(word), _) => word.column_of(error.offset()),
        (None, Some(last)) => last.end,
        (None, None) => 1,
    }
}

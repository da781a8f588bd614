//! Splits a line into words. Blanks, quotes, backslashes and comments mean what they mean to a
//! POSIX shell.

use std::borrow::Cow;

/// A word of a line, without its quotes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Word<'l> {
    pub(super) text: Cow<'l, str>,
    /// The column of the first character in the line, from 1.
    pub(super) column: usize,
    /// The column after the last character.
    pub(super) end: usize,
    /// Whether the line has the word without quotes and backslashes.
    plain: bool,
}

impl Word<'_> {
    /// The column of the byte at `offset`. A quoted word gives the column of its beginning,
    /// because its quotes have shifted the bytes.
    pub(super) fn column_of(&self, offset: usize) -> usize {
        let before = self.text.get(..offset).filter(|_| self.plain);
        self.column + before.map_or(0, |before| before.chars().count())
    }
}

/// A quotation that is still open where the line ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unfinished {
    Quote,
    Backslash,
}

/// Splits a line into words, up to its comment.
///
/// The error has the column of a quote that is not closed, or of a backslash at the end.
pub(super) fn split(line: &str) -> Result<Vec<Word<'_>>, (usize, Unfinished)> {
    split_plain(line).map_or_else(|| split_quoted(line), Ok)
}

/// The fast path of [`split`]: words borrowed from a line that is ASCII and has no quotes and no
/// backslashes. `None` for every other line.
fn split_plain(line: &str) -> Option<Vec<Word<'_>>> {
    // Most lines have fewer words.
    let mut words = Vec::with_capacity(12);
    let mut start = None;
    let mut word = |start: usize, end: usize| {
        let text = Cow::Borrowed(line.get(start..end).unwrap_or_default());
        words.push(Word { text, column: start + 1, end: end + 1, plain: true });
    };
    for (at, byte) in line.bytes().enumerate() {
        match byte {
            b'\'' | b'"' | b'\\' | 0x80.. => return None,
            b' ' | b'\t'..=b'\r' => {
                if let Some(start) = start.take() {
                    word(start, at);
                }
            }
            // The comment may hold any bytes.
            b'#' if start.is_none() => return Some(words),
            _ => start = start.or(Some(at)),
        }
    }
    if let Some(start) = start {
        word(start, line.len());
    }
    Some(words)
}

/// Splits any line. The words are copies.
fn split_quoted(line: &str) -> Result<Vec<Word<'_>>, (usize, Unfinished)> {
    let mut words = Vec::new();
    let mut word: Option<Word<'_>> = None;
    let mut characters = (1..).zip(line.chars()).peekable();
    while let Some((column, character)) = characters.next() {
        if character.is_ascii_whitespace() || character == '\x0b' {
            words.extend(word.take().map(|word| Word { end: column, ..word }));
            continue;
        }
        if character == '#' && word.is_none() {
            break;
        }
        let word = word.get_or_insert_with(|| Word { column, plain: true, ..Word::default() });
        match character {
            '\'' | '"' => {
                word.plain = false;
                let unfinished = (column, Unfinished::Quote);
                loop {
                    match characters.next().ok_or(unfinished)? {
                        (_, end) if end == character => break,
                        (_, '\\') if character == '"' => {
                            // Within double quotes, a backslash quotes only these.
                            let quoted = characters.next_if(|(_, next)| "$`\"\\".contains(*next));
                            word.text.to_mut().push(quoted.map_or('\\', |(_, quoted)| quoted));
                        }
                        (_, other) => word.text.to_mut().push(other),
                    }
                }
            }
            '\\' => {
                word.plain = false;
                let (_, quoted) = characters.next().ok_or((column, Unfinished::Backslash))?;
                word.text.to_mut().push(quoted);
            }
            other => word.text.to_mut().push(other),
        }
    }
    let end = line.chars().count() + 1;
    words.extend(word.map(|word| Word { end, ..word }));
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(line: &str) -> Vec<String> {
        split(line).unwrap().into_iter().map(|word| word.text.into_owned()).collect()
    }

    #[test]
    fn words_are_split_as_a_shell_splits_them() {
        assert_eq!(texts("  -A\t-t  x \r"), ["-A", "-t", "x"]);
        assert_eq!(texts(r#"a'b c'"d\"e\f"\ g ''"#), ["ab cd\"e\\f g", ""]);
        assert_eq!(texts(r"'a'\'';$(b)'"), ["a';$(b)"]);
        assert_eq!(texts("a#b # c 'd"), ["a#b"]);
        assert_eq!(texts("# only"), [""; 0]);
        assert_eq!(texts(r"\#a"), ["#a"]);
    }

    #[test]
    fn both_paths_split_a_plain_line_alike() {
        for line in ["", " ", "a", "  -A\t-t  x \r", "a#b # c d", "# only", "a #", "\x0ba\x0cb\x0b"]
        {
            assert_eq!(
                split_plain(line).ok_or((0, Unfinished::Quote)),
                split_quoted(line),
                "{line:?}"
            );
        }
    }

    #[test]
    fn an_open_quote_and_a_last_backslash_are_errors() {
        assert_eq!(split("a 'b"), Err((3, Unfinished::Quote)));
        assert_eq!(split("a\"b\\\""), Err((2, Unfinished::Quote)));
        assert_eq!(split("\u{e9} b\\"), Err((4, Unfinished::Backslash)));
    }

    #[test]
    fn columns_are_characters() {
        let words = split("\u{e9} x\u{e9}y 'z'").unwrap();
        assert_eq!(words[1].column, 3);
        assert_eq!(words[1].column_of(3), 5);
        assert_eq!(words[2].column_of(1), 7);
        assert_eq!(words[1].column_of(100), 3);
        assert_eq!((words[1].end, words[2].end), (6, 10));
    }
}

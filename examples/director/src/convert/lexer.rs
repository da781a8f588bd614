//! Characters to words, by the rules of keepalived 2.2.7.

use std::iter::Peekable;
use std::str::Chars;

/// A quote without its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct OpenQuote;

/// A line without its comment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Bare {
    /// The text without blanks around it.
    pub(super) text: String,
    /// Whether a backslash at the end continues the line on the next one.
    pub(super) continues: bool,
}

/// Removes the comment, which begins with `!` or `#` outside of double quotes. A backslash before
/// such a character makes it part of the text.
pub(super) fn without_comment(line: &str) -> Result<Bare, OpenQuote> {
    let (mut text, mut quoted, mut comment) = (String::new(), false, false);
    let mut characters = line.trim_matches(is_blank).chars().peekable();
    while let Some(character) = characters.next() {
        let escaped = match character {
            '\\' => match characters.next() {
                Some(next) => Some(next),
                None => return finish(text, quoted, true),
            },
            '"' if !comment => {
                quoted = !quoted;
                None
            }
            '!' | '#' if !quoted => {
                comment = true;
                None
            }
            _ => None,
        };
        if comment {
            continue;
        }
        if escaped.is_none() || quoted || !matches!(escaped, Some('!' | '#')) {
            text.push(character);
        }
        text.extend(escaped);
    }
    finish(text, quoted, false)
}

fn finish(mut text: String, quoted: bool, continues: bool) -> Result<Bare, OpenQuote> {
    text.truncate(text.trim_end_matches(is_blank).len());
    if quoted { Err(OpenQuote) } else { Ok(Bare { text, continues }) }
}

/// Splits text at blanks. Double quotes hold a word together.
pub(super) fn words(text: &str) -> Result<Vec<String>, OpenQuote> {
    let mut words = Vec::new();
    let mut rest = text.trim_start_matches(is_blank);
    while !rest.is_empty() {
        let (word, after) = match rest.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').ok_or(OpenQuote)?,
            None => {
                let end = rest.find(|c| is_blank(c) || c == '"').unwrap_or(rest.len());
                rest.split_at(end)
            }
        };
        words.push(word.to_owned());
        rest = after.trim_start_matches(is_blank);
    }
    Ok(words)
}

/// Splits text at blanks as a shell does: quotes of both kinds may begin within a word, and a
/// backslash escapes. The words of commands and regular expressions are read so.
///
/// Returns `None` for a quote or backslash without its end, and for bytes that are no UTF-8.
pub(super) fn shell_words(text: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut characters = text.chars().peekable();
    loop {
        while characters.next_if(|c| is_blank(*c)).is_some() {}
        if characters.peek().is_none() {
            return Some(words);
        }
        words.push(shell_word(&mut characters)?);
    }
}

fn shell_word(characters: &mut Peekable<Chars<'_>>) -> Option<String> {
    let (mut word, mut quote) = (Vec::new(), None);
    while let Some(character) = characters.next_if(|c| quote.is_some() || !is_blank(*c)) {
        match character {
            '\\' => word.extend(escaped(characters)?),
            '"' | '\'' if quote.is_none() => quote = Some(character),
            _ if quote == Some(character) => quote = None,
            _ => word.extend(character.encode_utf8(&mut [0; 4]).bytes()),
        }
    }
    if quote.is_some() { None } else { String::from_utf8(word).ok() }
}

/// Returns the bytes that stand for what follows a backslash.
fn escaped(characters: &mut Peekable<Chars<'_>>) -> Option<Vec<u8>> {
    let character = characters.next()?;
    let byte = match character {
        'a' => 0x07,
        'b' => 0x08,
        'E' => 0x1b,
        'f' => 0x0c,
        'n' => b'\n',
        'r' => b'\r',
        't' => b'\t',
        'v' => 0x0b,
        'c' if characters.peek().is_some_and(char::is_ascii) => {
            u8::try_from(characters.next()?).ok()? & 0x1f
        }
        'x' if characters.peek().is_some_and(char::is_ascii_hexdigit) => {
            digits(characters, 0, 16, usize::MAX)
        }
        '0'..='7' => digits(characters, u8::try_from(character).ok()? - b'0', 8, 2),
        _ => return Some(character.to_string().into_bytes()),
    };
    Some(vec![byte])
}

/// Reads at most so many more digits. Only the last eight bits count.
fn digits(characters: &mut Peekable<Chars<'_>>, first: u8, radix: u32, most: usize) -> u8 {
    let mut value = u32::from(first);
    for _ in 0..most {
        let Some(digit) = characters.next_if(|c| c.is_digit(radix)) else { break };
        value = (value * radix + digit.to_digit(radix).unwrap_or_default()) & 0xff;
    }
    u8::try_from(value & 0xff).unwrap_or_default()
}

/// Returns where the first brace outside of double quotes is. Those of `${NAME}` do not count.
pub(super) fn brace(text: &str) -> Option<usize> {
    let (mut quoted, mut dollar, mut parameter) = (false, false, false);
    for (at, character) in text.char_indices() {
        match character {
            '"' => quoted = !quoted,
            '{' if !quoted && dollar && text.get(at..).is_some_and(|rest| rest.contains('}')) => {
                parameter = true;
            }
            '}' if parameter => parameter = false,
            '{' | '}' if !quoted => return Some(at),
            _ => {}
        }
        dollar = character == '$';
    }
    None
}

pub(super) const fn is_blank(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\x0b' | '\x0c' | '\r')
}

use std::fmt::Write as _;

/// The longest reason of a failure, in bytes.
const LONGEST_REASON: usize = 1024;

/// Makes text of a server or program fit for a terminal and a log: bounds its length, and escapes
/// what is neither a letter, a digit nor ASCII punctuation.
pub(super) fn printable(text: &str) -> String {
    let mut printable = String::new();
    for character in text.chars() {
        let before = printable.len();
        let plain = character.is_alphanumeric() || character == ' ' || character.is_ascii_graphic();
        match plain {
            true => printable.push(character),
            // Writing to a string cannot fail.
            false => drop(write!(printable, "{}", character.escape_default())),
        }
        if printable.len() > LONGEST_REASON {
            printable.truncate(before);
            break;
        }
    }
    printable
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_moves_a_cursor_or_turns_text_is_escaped() {
        assert_eq!(printable("exit code 1: \"süß\" {ok}"), "exit code 1: \"süß\" {ok}");
        assert_eq!(printable("a\x1b[2J\r\nb\0"), "a\\u{1b}[2J\\r\\nb\\u{0}");
        assert_eq!(printable("\u{202e}\u{9b}"), "\\u{202e}\\u{9b}");
    }

    #[test]
    fn a_long_text_is_cut() {
        assert_eq!(printable(&"x".repeat(10_000)).len(), LONGEST_REASON);
        let escaped = printable(&"\x1b".repeat(10_000));
        assert!(escaped.len() <= LONGEST_REASON && escaped.ends_with("\\u{1b}"));
    }
}

//! Makes text from outside harmless for a terminal.

use std::borrow::Cow;

/// What stands for a character that is not shown.
const REPLACEMENT: char = '\u{fffd}';

/// How many characters of one text are shown at most.
pub const LONGEST: usize = 300;

/// Returns a text without anything that a terminal would obey or that would hide or reorder
/// other text: control characters, and the invisible characters of Unicode. Each is replaced by
/// U+FFFD. Text beyond 300 characters is cut.
#[must_use]
pub fn shown(text: &str) -> Cow<'_, str> {
    if text.len() <= LONGEST && text.chars().all(is_harmless) {
        return Cow::Borrowed(text);
    }
    let cleaned = text.chars().map(|it| if is_harmless(it) { it } else { REPLACEMENT });
    Cow::Owned(cleaned.take(LONGEST).collect())
}

/// Returns whether a character prints as itself, in its place.
#[must_use]
pub fn is_harmless(character: char) -> bool {
    !character.is_control()
        && !matches!(
            character,
            // Soft hyphen, Arabic letter mark, Mongolian separators.
            '\u{ad}' | '\u{61c}' | '\u{180b}'..='\u{180f}'
            // Zero width, directions, line and paragraph separators, invisible operators.
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            // Hangul fillers, variation selectors, byte order mark, interlinear annotations.
            | '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
            | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
            // Musical controls, tags and further variation selectors.
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}'
            // Private use: fonts decide what it shows.
            | '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..='\u{10ffff}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_people_stays_as_written() {
        for text in ["", "web", "Fähre 港", "connect refused (os error 111)"] {
            assert_eq!(shown(text), text);
        }
    }

    #[test]
    fn what_a_terminal_obeys_is_replaced() {
        assert_eq!(shown("a\u{1b}[2Jb\r\n\u{9b}1m"), "a\u{fffd}[2Jb\u{fffd}\u{fffd}\u{fffd}1m");
        assert_eq!(shown("\u{202e}evil\u{200b}"), "\u{fffd}evil\u{fffd}");
    }

    #[test]
    fn long_text_is_cut() {
        assert_eq!(shown(&"ä".repeat(1000)).chars().count(), LONGEST);
    }
}

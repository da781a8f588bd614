//! Quotations of what a server or a program said, inside a reason. [`printable`](super::printable)
//! makes the whole reason safe.

use std::fmt;

/// The most of a server's text that a reason quotes, in bytes.
const LONGEST_EXCERPT: usize = 160;

/// The beginning of what a server or a program said, for people: quoted, and with escapes for
/// whatever could move a terminal's cursor or turn the writing round.
pub(super) struct Excerpt<'a>(pub(super) &'a [u8]);

impl fmt::Display for Excerpt<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let begin = self.0.get(..LONGEST_EXCERPT);
        write!(f, "{:?}", String::from_utf8_lossy(begin.unwrap_or(self.0)))?;
        f.write_str(if begin.is_some_and(|begin| begin.len() < self.0.len()) { "..." } else { "" })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_excerpt_is_short_and_harmless() {
        let excerpt = |bytes: &[u8]| Excerpt(bytes).to_string();
        assert_eq!(excerpt(b"a\x1b[2J\"\n"), r#""a\u{1b}[2J\"\n""#);
        assert_eq!(excerpt("Größe\u{202e}".as_bytes()), r#""Größe\u{202e}""#);
        assert_eq!(excerpt(b"\xff"), "\"\u{fffd}\"");
        assert_eq!(excerpt(&[b'a'; 161]), format!("\"{}\"...", "a".repeat(160)));
        assert_eq!(excerpt(&[b'a'; 160]), format!("\"{}\"", "a".repeat(160)));
    }

    proptest! {
        #[test]
        fn no_bytes_reach_a_terminal(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            let text = Excerpt(&bytes).to_string();
            prop_assert!(!text.chars().any(char::is_control));
            prop_assert!(text.len() <= 12 * LONGEST_EXCERPT);
        }
    }
}

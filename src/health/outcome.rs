use crate::health::Share;

/// The result of one check.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// The target works, and is to have this part of its weight.
    Passed(Share),
    /// The target does not work. The text says why, for people.
    Failed(String),
    /// The check could not be done, for a reason that is not the target's, such as a missing setting
    /// of this host. The text says why, for people. Nothing is known by it: verdict and counts stay,
    /// and the check is due again after [`Pace::changing`](crate::health::Pace::changing).
    NotDone(String),
}

impl Outcome {
    /// Creates the result of a check that passed, with the whole weight.
    #[must_use]
    pub const fn passed() -> Self {
        Self::Passed(Share::FULL)
    }

    /// Creates the result of a check that failed.
    #[must_use]
    pub fn failed(reason: impl Into<String>) -> Self {
        Self::Failed(reason.into())
    }

    /// Creates the result of a check that could not be done.
    #[must_use]
    pub fn not_done(reason: impl Into<String>) -> Self {
        Self::NotDone(reason.into())
    }

    /// Returns `true` if the check passed.
    #[must_use]
    pub const fn is_passed(&self) -> bool {
        matches!(self, Self::Passed(_))
    }
}

/// The most of a server's text that a reason quotes, in bytes.
#[cfg(feature = "health")]
const LONGEST_EXCERPT: usize = 160;

/// The beginning of what a server or a program said, for people: quoted, and with escapes for
/// whatever could move a terminal's cursor or turn the writing round.
#[cfg(feature = "health")]
pub(crate) struct Excerpt<'a>(pub(crate) &'a [u8]);

#[cfg(feature = "health")]
impl std::fmt::Display for Excerpt<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let begin = self.0.get(..LONGEST_EXCERPT);
        write!(f, "{:?}", String::from_utf8_lossy(begin.unwrap_or(self.0)))?;
        f.write_str(if begin.is_some_and(|begin| begin.len() < self.0.len()) { "..." } else { "" })
    }
}

#[cfg(all(test, feature = "health"))]
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

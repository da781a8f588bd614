use std::borrow::Cow;
use std::fmt;

/// Why the words of a command could not be read.
///
/// ```
/// use ipvs_netlink::{Command, NumericNames};
///
/// let words = ["-A", "-t", "192.0.2.10:http"];
/// let error = Command::parse(&words, &NumericNames).unwrap_err();
/// assert_eq!((error.word(), error.offset()), (2, 11));
/// assert_eq!(
///     error.to_string(),
///     "expected a port of 0 to 65535, found \"http\" (names are not looked up)"
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandError {
    place: Place,
    expected: Cow<'static, str>,
    found: Option<String>,
    reason: Option<String>,
}

impl CommandError {
    pub(super) fn new(
        place: Place,
        expected: impl Into<Cow<'static, str>>,
        found: impl Into<String>,
    ) -> Self {
        Self { place, expected: expected.into(), found: Some(found.into()), reason: None }
    }

    /// An error about a command that ends too early. `words` is the number of its words.
    pub(super) fn at_end(words: usize, expected: impl Into<Cow<'static, str>>) -> Self {
        let place = Place { word: words, offset: 0 };
        Self { place, expected: expected.into(), found: None, reason: None }
    }

    /// Adds the reason why the text that was found is not what was expected.
    pub(super) fn because(mut self, reason: impl fmt::Display) -> Self {
        self.reason = Some(reason.to_string());
        self
    }

    /// The index of the wrong word, from 0. If the command ends too early, the index is the
    /// number of words.
    #[must_use]
    pub const fn word(&self) -> usize {
        self.place.word
    }

    /// The offset of the error in the word, in bytes.
    #[must_use]
    pub const fn offset(&self) -> usize {
        self.place.offset
    }

    /// What the command should have at this place, such as `a port of 0 to 65535`.
    #[must_use]
    pub fn expected(&self) -> &str {
        &self.expected
    }

    /// The text at this place, exactly as given; `None` if the command ends there. Do not print
    /// this text on a terminal: it may hold control characters. `Display` of the error escapes
    /// and shortens it.
    #[must_use]
    pub fn found(&self) -> Option<&str> {
        self.found.as_deref()
    }
}

impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected {}, found ", self.expected)?;
        match &self.found {
            Some(found) => write!(f, "{}", Quoted(found))?,
            None => f.write_str("the end of the command")?,
        }
        match &self.reason {
            Some(reason) => write!(f, " ({reason})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for CommandError {}

/// Prints untrusted text escaped, and at most 60 characters of it.
struct Quoted<'t>(&'t str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.char_indices().nth(60) {
            Some((end, _)) => write!(f, "{:?}...", self.0.get(..end).unwrap_or_default()),
            None => write!(f, "{:?}", self.0),
        }
    }
}

/// A place in the words of a command: the index of a word, and a byte offset in that word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) word: usize,
    pub(super) offset: usize,
}

impl Place {
    /// The place some bytes further on in the same word.
    pub(super) const fn after(self, bytes: usize) -> Self {
        Self { word: self.word, offset: self.offset + bytes }
    }
}

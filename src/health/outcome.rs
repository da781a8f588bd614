use crate::health::Share;

/// The result of one check.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// The target works, and is to have this part of its weight.
    Passed(Share),
    /// The target does not work. The text says why, for people.
    Failed(String),
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

    /// Returns `true` if the check passed.
    #[must_use]
    pub const fn is_passed(&self) -> bool {
        matches!(self, Self::Passed(_))
    }
}

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

    /// The result of a check that panicked: a fault of the check, and not of the target.
    #[cfg(feature = "health")]
    pub(in crate::health) fn panicked() -> Self {
        Self::not_done("the check panicked, which is a fault of the check and not of the server")
    }

    /// Returns `true` if the check passed.
    #[must_use]
    pub const fn is_passed(&self) -> bool {
        matches!(self, Self::Passed(_))
    }
}

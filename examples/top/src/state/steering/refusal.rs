//! Why an order may not be given, or was not carried out.

use std::time::Duration;

use crate::state::Writer;
use crate::state::clock::length;

/// Why an order may not be given.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The program was started to look only.
    #[error("this program was started with --read-only")]
    ReadOnly,
    /// There is no current reading.
    #[error("the table was last read {} ago: what you see may be old", length(*.0))]
    Old(Duration),
    /// There is no reading at all.
    #[error("the table cannot be read")]
    Unread,
    /// The service or the destination is not in the table.
    #[error("not in the table any more")]
    Gone,
    /// Another program would undo it.
    #[error(
        "{} (process {}) steers this table and would undo the change: order it there",
        .0.name, .0.process
    )]
    Steered(Writer),
    /// The director runs, and its socket does not answer.
    #[error("the director steers this table, and does not answer: {0}")]
    Silent(String),
    /// The director keeps the service, and did not when the question was asked.
    #[error("the director keeps this service now: give the order anew")]
    Kept,
    /// What the director said last is not current.
    #[error("the director last answered {} ago: what you see may be old", length(*.0))]
    OldAnswer(Duration),
    /// There is nothing to do.
    #[error("{0}")]
    Nothing(&'static str),
}

impl Refusal {
    /// Whether the same order will be refused for ever.
    #[must_use]
    pub const fn is_final(&self) -> bool {
        matches!(self, Self::Gone | Self::Kept)
    }
}

/// Why an order was not carried out, in a text for the user.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// Nothing was changed, and the same order may succeed later.
    #[error("{0}")]
    Unchanged(String),
    /// Nothing was changed, and the same order will fail again: what the user saw is not there any more.
    #[error("{0}")]
    Outdated(String),
    /// Perhaps the order was carried out.
    #[error("{0}")]
    Unknown(String),
}

//! The result of taking one destination out of its service.

use std::fmt;

use crate::error::Result;
use crate::model::Connections;
use crate::table::execute::applied::{Applied, StepOutcome};
#[cfg(doc)]
use crate::table::options::DrainUntil;

/// The result of a drain. See [`Client::drain`](crate::Client::drain).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[must_use = "the destination may still be there"]
pub enum Drained {
    /// The destination was deleted when no connection carried data. With [`DrainUntil::NoActive`]
    /// half-closed connections may have carried data, and broke.
    Emptied,
    /// The destination was deleted while connections carried data, and these broke. The deadline
    /// had come, or weight 0 does not drain in this service.
    Cut(Connections),
    /// Another program deleted the destination.
    AlreadyGone,
    /// Another program gave the destination a weight, or added it again. It exists.
    Restored,
    /// The observer ended the wait. The destination exists with weight 0. To put it back into
    /// rotation, call [`Client::set_weight`](crate::Client::set_weight) with the former weight.
    #[non_exhaustive]
    Cancelled {
        /// The former weight; 0 if the destination was draining already.
        weight: u32,
    },
}

impl fmt::Display for Drained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Emptied => f.write_str("deleted: its connections had ended"),
            Self::Cut(connections) => {
                write!(f, "deleted, and cut connections that carried data: {connections}")
            }
            Self::AlreadyGone => f.write_str("another program had deleted it"),
            Self::Restored => f.write_str("not deleted: another program gave it a weight"),
            Self::Cancelled { weight } => {
                write!(f, "not deleted: the wait was ended; its weight was {weight}")
            }
        }
    }
}

impl Drained {
    /// Returns the result of the plan that drains a destination, by the outcomes of its steps.
    /// Returns `None` if the destination is to be read to find out. `weight` is the former weight.
    ///
    /// # Errors
    ///
    /// The error of the first step that failed.
    pub(crate) fn of(applied: &Applied, weight: u32) -> Result<Option<Self>> {
        let failed = |outcome: &StepOutcome| match outcome {
            StepOutcome::Failed(error) => Some(error.clone()),
            _ => None,
        };
        if let Some(error) = applied.outcomes().find_map(failed) {
            return Err(error);
        }
        Ok(match applied.outcomes().next_back() {
            Some(StepOutcome::Cut(connections)) => Some(Self::Cut(*connections)),
            Some(StepOutcome::AlreadySo) => Some(Self::AlreadyGone),
            Some(StepOutcome::Draining | StepOutcome::Stopped) => Some(Self::Cancelled { weight }),
            Some(StepOutcome::Done) => Some(Self::Emptied),
            _ => None,
        })
    }
}

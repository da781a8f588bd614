use std::fmt;
use std::time::Instant;

use crate::health::{Maintenance, Verdict};
use crate::model::DestinationId;

/// What a [`Pool`](crate::health::Pool) has decided.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PoolEvent {
    /// The verdict on a destination has changed.
    #[non_exhaustive]
    Verdict {
        /// The destination.
        destination: DestinationId,
        /// The new verdict.
        verdict: Verdict,
        /// Why the destination is down, for people: the last failures of its checks. Empty for other
        /// verdicts, and from a [`Pool`](crate::health::Pool) without a
        /// [`Monitor`](crate::health::Monitor).
        reason: String,
    },
    /// A destination that is dead, or of whose weight a check asks for 0 percent, stays in rotation,
    /// because too few are live.
    Kept(DestinationId),
    /// A destination that is dead, or that an operator has stopped, has left the rotation.
    TakenOut(DestinationId),
    /// A destination is in rotation again, or for the first time.
    PutBack(DestinationId),
    /// An operator's maintenance has begun or, with `None`, ended.
    #[non_exhaustive]
    Maintenance {
        /// The destination.
        destination: DestinationId,
        /// The maintenance.
        maintenance: Option<Maintenance>,
    },
    /// The live destinations meet the quorum. A [`Monitor`](crate::health::Monitor) says so also at the
    /// start of a program, where the table holds enough destinations of which nothing bad is known.
    Available,
    /// The live destinations do not meet the quorum: withdraw the route. What takes a destination
    /// out by an operator's decision waits until `until`.
    #[non_exhaustive]
    Unavailable {
        /// The end of the hold time; the time of the event if a destination died.
        until: Instant,
    },
    /// The sorry server has taken the place of the live destinations.
    SorryServerIn,
    /// A destination is live again, and the sorry server leaves.
    SorryServerOut,
}

impl fmt::Display for PoolEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Verdict { destination, verdict, reason } => {
                let colon = if reason.is_empty() { "" } else { ": " };
                write!(f, "{destination} is {verdict}{colon}{reason}")
            }
            Self::Kept(destination) => {
                write!(f, "{destination} stays in rotation, because too few are live")
            }
            Self::TakenOut(destination) => write!(f, "{destination} is out of rotation"),
            Self::PutBack(destination) => write!(f, "{destination} is in rotation"),
            Self::Maintenance { destination, maintenance: Some(maintenance) } => {
                write!(f, "{destination} is in maintenance ({maintenance})")
            }
            Self::Maintenance { destination, maintenance: None } => {
                write!(f, "{destination} is out of maintenance")
            }
            Self::Available => f.write_str("the pool is available"),
            Self::Unavailable { .. } => f.write_str("the pool is not available"),
            Self::SorryServerIn => f.write_str("the sorry server serves"),
            Self::SorryServerOut => f.write_str("the sorry server leaves"),
        }
    }
}

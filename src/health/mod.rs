//! Health checks: decides by the results of checks which destinations the table is to hold.
//!
//! This module decides and does no I/O: a [`Tracker`] makes a verdict of the results for one target,
//! and a [`Pool`] makes a [`Wish`](crate::table::controller::Wish) of the verdicts on the
//! destinations of a service, of an operator's maintenance, and of a policy.

mod monitor;
mod outcome;
mod pace;
mod pool;
#[cfg(feature = "health")]
#[cfg_attr(docsrs, doc(cfg(feature = "health")))]
pub mod probe;
mod share;
mod tracker;
mod verdict;

pub use monitor::{Check, Monitor, TargetStatus, Watched};
pub use outcome::Outcome;
pub use pace::{Damping, Pace};
pub use pool::{Maintenance, MaintenanceKind, Pool, PoolEvent, PoolPolicy, SlowStart, WhenDead};
pub use share::Share;
pub use tracker::Tracker;
pub use verdict::{Combination, Verdict};

//! Checks servers, and decides by the results which destinations the table is to hold.
//!
//! What decides is here, and does no I/O. The checks themselves, over the network, are in the module
//! `probe` (feature `health`).
//!
#![doc = include_str!("health_checks.md")]

#[cfg(feature = "serde")]
#[cfg_attr(docsrs, doc(cfg(feature = "serde")))]
pub mod document;
mod monitor;
mod outcome;
mod pace;
pub mod passive;
mod pool;
#[cfg(feature = "health")]
#[cfg_attr(docsrs, doc(cfg(feature = "health")))]
pub mod probe;
mod rules;
mod share;
pub mod through;
mod tracker;
mod verdict;

pub use monitor::{Check, Checks, Monitor, ServiceStatus, TargetStatus, Watched};
pub use outcome::Outcome;
pub use pace::{Damping, Pace};
pub use pool::{
    Maintenance, MaintenanceKind, MemberStatus, Pool, PoolEvent, PoolPolicy, PoolStatus, SlowStart,
    SlowStartStatus, WhenDead,
};
pub use share::Share;
pub use tracker::Tracker;
pub use verdict::{Combination, Verdict};

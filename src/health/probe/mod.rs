//! Checks over the network, and the thread that does them (feature `health`).
//!
//! This is the only part of [`health`](crate::health) with sockets: to the servers under check.

mod command;
mod exchange;
mod kind;
mod namespace;
mod once;
mod origin;
mod runner;
mod tcp;
#[cfg(test)]
mod tests;
mod through;
mod udp;
mod updates;
mod watch_error;

pub use command::CommandCheck;
pub use exchange::Exchange;
pub use kind::{Check, CheckFuture, Probe, ProbeKind};
pub use origin::Origin;
pub use runner::{Lateness, Runner, RunnerOptions, RunnerStats};
pub use through::AcceptLocal;
pub use updates::{Update, Updates};
pub use watch_error::WatchError;

//! Runs the daemon: the thin loop around the [desk](crate::desk).

mod announcing;
mod arguments;
mod catching_up;
mod failure;
mod keeper;
mod looking;
mod reading;
mod saving;
mod settings;
mod shared;
mod signals;
mod starting;
mod synchronization;

pub use arguments::{OnStop, RunArguments};
pub use failure::Failure;
pub use starting::run;

//! Runs the daemon: the thin loop around the [desk](crate::desk).

mod announcing;
mod arguments;
mod failure;
mod keeper;
mod reloading;
mod settings;
mod signals;
mod starting;

pub use arguments::{OnStop, RunArguments};
pub use failure::Failure;
pub use starting::run;

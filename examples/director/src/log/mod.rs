//! The log on standard error: one event, one line.

mod limit;
mod queue;
mod writing;

pub use limit::Limit;
pub use queue::{Losses, Queue};
pub use writing::{Log, LogFormat, LogLevel, begin};

//! The log on standard error: one event, one line.

mod limit;
mod writing;

pub use limit::Limit;
pub use writing::{Log, LogFormat, LogLevel, begin};

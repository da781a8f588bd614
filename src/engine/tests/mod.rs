//! The engine over a transport that follows a script.

mod cancellation;
mod changes;
mod confirm;
mod daemons;
mod dumps;
mod families;
#[cfg(target_endian = "little")]
mod hostile;
mod losses;
mod modify;
mod reads;
pub(crate) mod script;
mod snapshot;
mod streams;
mod submit;
mod transports;

//! The engine over a transport that follows a script.

mod cancellation;
mod changes;
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
#[cfg(any(feature = "tokio", feature = "smol"))]
mod streams;
mod submit;
mod transports;
mod verify;

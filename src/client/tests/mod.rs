//! The engine over a transport that follows a script.

mod cancellation;
mod changes;
mod daemons;
mod dumps;
mod families;
mod losses;
mod modify;
mod reads;
pub(crate) mod script;
mod snapshot;
mod submit;
mod transports;
mod verify;

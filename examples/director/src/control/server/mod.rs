//! The server of the control socket.
//!
//! It runs in the daemon's own loop, so whatever a client does, each step is short and bounded by
//! [`Limits`](crate::control::limits::Limits): the daemon keeps its table meanwhile.

mod arguments;
mod connection;
mod folder;
mod follower;
mod lines;
mod names;
mod places;
mod serve;
mod socket;

pub use arguments::SocketArguments;
pub use serve::serve;
pub use socket::{Rights, Socket, SocketError};

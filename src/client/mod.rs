//! The clients: the only place with sockets.
//!
//! [`Engine`] does every operation, written once as `async` over a [`Transport`].
//! A client is a transport and a way to wait: the blocking one waits in `poll(2)`,
//! so its futures are ready at once.

#[cfg(any(feature = "tokio", feature = "smol"))]
mod asynchronous;
mod blocking;
#[cfg(any(feature = "tokio", feature = "smol"))]
mod cancel_safety;
mod connecting;
mod dumps;
mod engine;
mod link;
mod modify;
mod operations;
mod report;
#[cfg(feature = "smol")]
pub(crate) mod smol;
mod snapshot;
mod socket;
mod submit;
#[cfg(feature = "tokio")]
pub(crate) mod tokio;
mod transport;
mod verify;

pub use blocking::{Client, Destinations, Services, SubmitStream};
pub(crate) use blocking::{block, ready};
#[cfg(any(feature = "tokio", feature = "smol"))]
pub(crate) use cancel_safety::cancel_safety;
pub(crate) use connecting::connecting;
pub(crate) use dumps::DumpRun;
pub(crate) use engine::Engine;
#[cfg(test)]
pub(crate) use link::Link;
pub(crate) use operations::operations;
pub use report::{Outcome, Report};
pub(crate) use submit::{not_attempted, portion};
pub(crate) use transport::Transport;

#[cfg(test)]
pub(crate) mod tests;

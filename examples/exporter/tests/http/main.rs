//! The server over real sockets, with tables from memory: what clients get, and what they cannot do.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that fails panics"
)]

mod answers;
mod client;
mod ending;
mod hostile;
mod server;
mod sharing;

//! Health and metrics of `node-proxy run` on a real kernel, over HTTP.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test that fails panics"
)]

mod client;
mod health;
mod hostile;
mod metrics;
mod objects;
#[path = "../stage/mod.rs"]
mod stage;

//! `node-proxy run` against the API server of the tests, on a real kernel. The cluster is changed by the real
//! `kubectl`, which `fetch` downloads.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test that fails panics"
)]

mod keeping;
mod restarting;
mod serving;
#[path = "../stage/mod.rs"]
mod stage;

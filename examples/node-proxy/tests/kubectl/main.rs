//! The real `kubectl` against the API server of the tests. It needs no kernel with IPVS.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test that fails panics"
)]

mod commands;
#[path = "../stage/mod.rs"]
mod stage;

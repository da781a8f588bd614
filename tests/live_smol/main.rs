//! Runs the tests of the blocking client with the smol client, and the tests that only async
//! clients have.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that fails panics"
)]

mod client;
#[path = "../live/connecting.rs"]
mod connecting;
#[path = "../live/controller_runs.rs"]
mod controller_runs;
#[path = "../live/futures.rs"]
mod futures;
#[path = "../fuzz/harness.rs"]
#[allow(clippy::print_stderr, dead_code, reason = "the fuzz targets use all of it")]
mod harness;
#[path = "../live/namespace.rs"]
#[allow(dead_code, reason = "what only other tests need")]
mod namespace;
#[path = "../live/ports.rs"]
mod ports;
#[path = "../live/suite.rs"]
mod suite;

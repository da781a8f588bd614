//! Reload and restart in the middle of load and of faults: what should not change does not, and no
//! connection fails that the policy promises. The table is read all the time.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test that fails panics"
)]

mod reload;
mod restart;
mod scene;
#[path = "../stage/mod.rs"]
#[allow(dead_code, unused_imports, reason = "what other tests need")]
mod stage;

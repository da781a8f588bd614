//! The program on a real kernel, with real traffic.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that fails panics"
)]

#[path = "../../../quickstart/greeting.rs"]
#[allow(dead_code, reason = "what only other programs need")]
mod greeting;
#[path = "../../../quickstart/network.rs"]
#[allow(dead_code, reason = "what only other programs need")]
mod network;
#[path = "../stage/mod.rs"]
#[allow(dead_code, reason = "what other tests need")]
mod stage;

mod demo;
mod reading;
mod traffic;

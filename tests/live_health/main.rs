//! Servers that fail and come back, under real clients: how soon each leaves the rotation and is
//! back, beside the bound of its pace, and how many connections failed meanwhile.
//!
//! The servers, the director and the clients are in network namespaces of one kernel. The numbers
//! are printed:
//!
//! ```text
//! cargo test --test live_health -- --nocapture
//! ```
//!
//! `longer.rs` has a longer version, which runs only by name.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test that fails panics"
)]

mod bound;
mod certificates;
mod crowd;
mod director;
mod faults;
mod flapping;
mod lab;
mod leaving;
mod log;
mod longer;
mod many;
#[path = "../../examples/quickstart/network.rs"]
#[allow(dead_code, reason = "what only the example needs")]
mod network;
mod passive;
mod planned;
mod pulse;
mod reload;
mod sampler;
mod server;
mod signs;
mod slow_start;

//! Checks through virtual addresses, on a real kernel: servers that do not answer for the virtual
//! address, or do not unwrap tunnels, with every forwarding method and both address families.
//!
//! The director and the servers are in network namespaces of one kernel.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that fails panics"
)]

mod finds;
mod marks;
#[path = "../../examples/quickstart/network.rs"]
#[allow(dead_code, reason = "what only the example needs")]
mod network;
mod ports;
mod program;
mod refuses;
mod server;
mod way;

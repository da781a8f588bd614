//! The example `doctor`: every check finds the host that is ill in its way, on a real kernel, and is
//! silent when the host is cured by what the finding says.
//!
//! The checks run inside this program, which is much faster than starting `doctor` each time.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that fails panics"
)]

mod arp;
#[path = "../../examples/doctor/checks/mod.rs"]
mod checks;
mod client {
    pub(crate) use ipvs_netlink::Client;
}
#[path = "../live/examples.rs"]
mod examples;
#[path = "../../examples/doctor/finding.rs"]
#[allow(dead_code, reason = "what only the program needs")]
mod finding;
mod forwards;
#[path = "../../examples/doctor/gather/mod.rs"]
mod gather;
#[path = "../../examples/doctor/host.rs"]
mod host;
mod names;
#[path = "../live/namespace.rs"]
#[allow(dead_code, reason = "what only other tests need")]
mod namespace;
mod needs;
#[path = "../../examples/quickstart/network.rs"]
#[allow(dead_code, reason = "what only the example needs")]
mod network;
mod patient;
mod programs;
mod pure;
mod serves;
mod sets;
mod table;
mod tunnels;

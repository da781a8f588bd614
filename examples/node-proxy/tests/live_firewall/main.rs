//! The firewall on a real kernel, with connections of a client outside, of pods and of the node.
//!
//! It needs a kernel that takes nftables. User-mode Linux does not, so this test runs by name, on QEMU:
//!
//! ```text
//! IPVS_KERNEL=qemu cargo test -p node-proxy --test live_firewall
//! ```
//!
//! On user-mode Linux it fails. `live_refused` is what that kernel can show. The size and the cost of large
//! tables, as root on the host's own kernel, which needs nftables for this and not IPVS:
//!
//! ```text
//! IPVS_KERNEL=host SERVICES=44125 cargo test -p node-proxy --test live_firewall -- --nocapture large
//! ```
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test that fails panics"
)]

mod connections;
mod lab;
mod large;
mod program;
#[path = "../stage/mod.rs"]
mod stage;

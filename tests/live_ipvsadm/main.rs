//! Compares the example `ipvsadm` with the original on the same tables of a real kernel. Both must
//! print the same and have the same exit code.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that fails panics"
)]

mod client {
    pub(crate) use ipvs_netlink::Client;
}
mod commands;
mod differences;
mod editing;
mod listing;
#[path = "../live/namespace.rs"]
#[allow(dead_code, reason = "what only other tests need")]
mod namespace;
#[path = "../live/places.rs"]
mod places;
mod programs;
mod tables;
mod traffic;

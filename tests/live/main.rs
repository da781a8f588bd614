//! Tests on a real kernel, each in a network namespace of its own.
//!
//! Cargo's runner `tests/kernel/run` starts them on a kernel with IPVS.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that fails panics"
)]

mod batches;
mod client {
    pub(crate) use ipvs_netlink::Client;
}
mod connecting;
mod daemons;
mod data_path;
mod destinations;
mod errors;
#[path = "../fuzz/harness.rs"]
#[allow(clippy::print_stderr, dead_code, reason = "the fuzz targets use all of it")]
mod harness;
mod ipvsadm;
mod meanwhile;
mod model;
#[cfg(feature = "packet")]
mod names;
mod namespace;
mod places;
mod random;
mod raw;
mod refusals;
mod services;
mod settings;
mod small_programs;
mod snapshots;
mod table_conflicts;
mod table_failures;
mod table_program;
mod tables;
mod text;

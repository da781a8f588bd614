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

mod client {
    pub(crate) use ipvs_netlink::{Client, Client as Blocking};
}
mod connecting;
mod controller_program;
mod counters;
mod data_path;
mod examples;
mod folder;
#[path = "../fuzz/harness.rs"]
#[allow(clippy::print_stderr, dead_code, reason = "the fuzz targets use all of it")]
mod harness;
mod health_checks;
mod ipvsadm;
mod kernel_settings;
mod namespace;
mod places;
mod ports;
mod proc_files;
mod small_programs;
#[path = "suite.rs"]
mod suite;
mod table_program;
mod text;

/// The example `controller`, on a fresh table.
fn controller() -> std::process::Command {
    namespace::fresh();
    std::process::Command::new(examples::example("controller"))
}

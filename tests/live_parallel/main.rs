//! Clients that write and read at the same time, which takes several processors.
//!
//! `IPVS_KERNEL=qemu cargo test --test live_parallel`; on one processor the tests fail.
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
#[path = "../live/meanwhile.rs"]
mod meanwhile;
#[path = "../live/namespace.rs"]
#[allow(dead_code, reason = "what only other tests need")]
mod namespace;
mod plans;
mod reading;
mod writing;

use std::num::NonZero;
use std::thread;

use ipvs_netlink::{Client, Destination, Service, Snapshot};

/// A network namespace for a test, and proof that two threads run in it at the same time.
fn fresh() -> Client {
    let processors = thread::available_parallelism().map_or(1, NonZero::get);
    assert!(processors > 1, "one processor shows nothing; try IPVS_KERNEL=qemu");
    namespace::fresh()
}

/// Reads the table after all writers have ended. It may take several attempts, because changes in
/// other namespaces disturb the kernel's lists up to Linux 7.0.
fn quiet(ipvs: &mut Client) -> Snapshot {
    let mut snapshots = (0..50).map(|_| ipvs.snapshot().unwrap());
    snapshots.find(Snapshot::is_complete).expect("a consistent snapshot")
}

fn service(host: u8, port: u16) -> Service {
    Service::tcp(([192, 0, 2, host], port).into())
}

fn server(port: u16) -> Destination {
    Destination::masquerade(([10, 0, 0, 2], port).into())
}

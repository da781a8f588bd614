//! What shows only on several processors: clients that write and read at the same time.
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

/// A namespace of its own, and proof that things happen at the same time in it.
fn fresh() -> Client {
    let processors = thread::available_parallelism().map_or(1, NonZero::get);
    assert!(processors > 1, "one processor shows nothing; try IPVS_KERNEL=qemu");
    namespace::fresh()
}

/// The table when nobody writes it any more. What happens in other namespaces disturbs the
/// kernel's lists up to Linux 7.0, so it may take several attempts.
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

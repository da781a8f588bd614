//! Runs the tests that any kernel can run on fake kernels of every version, with every client.
//!
//! `tests/live`, `live_tokio` and `live_smol` run the same tests on real kernels. Where the fake
//! kernel differs, it is wrong.
#![allow(
    clippy::duplicate_mod,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that fails panics, and the tests run several times"
)]

mod blocking;
#[path = "../fuzz/harness.rs"]
#[allow(clippy::print_stderr, dead_code, reason = "the fuzz targets use all of it")]
mod harness;
mod place;
mod smol;
mod tokio;

/// Runs the tests with a client on a fake kernel of a version.
macro_rules! suite {
    ($name:ident, $client:ident, $version:ident) => {
        #[path = "."]
        mod $name {
            use crate::{harness, $client as client};

            mod namespace {
                use ipvs_netlink::fake::Version;

                use super::client::Client;
                pub(super) use crate::place::{Connection, RawSocket, Server, ip, now, sleep};

                /// Moves this thread into a fresh namespace with `lo` up and connects.
                pub(super) fn fresh() -> Client {
                    crate::place::enter(Version::$version);
                    Client::connect().unwrap()
                }

                /// Moves this thread into a fresh namespace as Linux makes it and connects.
                pub(super) fn without_loopback() -> Client {
                    crate::place::enter(Version::$version).reset_interfaces();
                    Client::connect().unwrap()
                }
            }
            #[path = "../live/suite.rs"]
            mod suite;
        }
    };
}

suite!(blocking_6_1, blocking, V6_1);
suite!(blocking_6_12, blocking, V6_12);
suite!(smol_6_12, smol, V6_12);
suite!(tokio_6_12, tokio, V6_12);

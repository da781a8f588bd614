//! A soak: servers die and come back, files reload, also broken ones, orders arrive, a foreign writer
//! changes the table, and the daemon is killed and started again. At the end table, state file and
//! status agree, memory and descriptors are flat, and no connection failed that the policy promises.
//!
//! The long version takes an hour, or `SOAK_SECONDS`, and prints its figures. `SOAK_SEED` repeats a
//! course of events:
//!
//! ```text
//! cargo test -p director --test live_soak -- --ignored --nocapture
//! ```
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test that fails panics"
)]

mod agreement;
mod chance;
mod faults;
mod followers;
mod foreign;
mod orders;
mod soak;
#[path = "../stage/mod.rs"]
#[allow(dead_code, unused_imports, reason = "what other tests need")]
mod stage;

use std::time::Duration;

use soak::soak;

#[test]
fn a_short_one() {
    soak(Duration::from_secs(7));
}

#[test]
#[ignore = "takes an hour"]
fn an_hour() {
    let seconds = std::env::var("SOAK_SECONDS").map_or(3600, |text| text.parse().unwrap());
    soak(Duration::from_secs(seconds));
}

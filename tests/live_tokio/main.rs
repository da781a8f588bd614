//! Runs the tests of the blocking client with the tokio client, and the tests that only the tokio
//! client has.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that fails panics"
)]

#[path = "../live/batches.rs"]
mod batches;
mod client;
#[path = "../live/connecting.rs"]
mod connecting;
#[path = "../live/daemons.rs"]
mod daemons;
#[path = "../live/destinations.rs"]
mod destinations;
#[path = "../live/errors.rs"]
mod errors;
#[path = "../live/futures.rs"]
mod futures;
#[path = "../fuzz/harness.rs"]
#[allow(clippy::print_stderr, dead_code, reason = "the fuzz targets use all of it")]
mod harness;
#[path = "../live/meanwhile.rs"]
mod meanwhile;
#[path = "../live/namespace.rs"]
#[allow(dead_code, reason = "what only other tests need")]
mod namespace;
mod promises;
#[path = "../live/raw.rs"]
#[allow(dead_code, reason = "what only other tests need")]
mod raw;
#[path = "../live/services.rs"]
mod services;
#[path = "../live/settings.rs"]
mod settings;
#[path = "../live/snapshots.rs"]
mod snapshots;
#[path = "../live/table_conflicts.rs"]
mod table_conflicts;
#[path = "../live/table_failures.rs"]
mod table_failures;
#[path = "../live/tables.rs"]
mod tables;

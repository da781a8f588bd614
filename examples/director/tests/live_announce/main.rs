//! Announcements of the daemon, with real routers: the route comes when a destination is in the table,
//! goes at once when the last one has died, and goes before a live last one leaves.
//!
//! The routers are Debian's BIRD and PyPI's ExaBGP, which `fetch` downloads. The test with ExaBGP runs by
//! name only, because it needs Python, and Python takes long to start in the guest:
//!
//! ```text
//! cargo test -p director --test live_announce -- --nocapture --include-ignored
//! ```
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test that fails panics"
)]

mod clients;
mod daemon;
mod hook;
mod lab;
#[path = "../../../quickstart/network.rs"]
#[allow(dead_code, reason = "what only the example needs")]
mod network;
#[path = "../stage/patience.rs"]
mod patience;
mod routers;
mod story;
mod watchers;

//! Orders from the command line to a daemon that keeps a real table.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may panic"
)]

mod crowd;
mod daemon;
mod orders;
mod rights;

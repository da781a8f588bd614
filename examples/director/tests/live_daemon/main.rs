//! The daemon itself: its start, its signals, its files and its end.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a test that fails panics"
)]

mod daemon;
mod log;
mod metrics;
mod namespace;
mod ownership;
mod settings;
mod start;
mod stop;
mod systemd;

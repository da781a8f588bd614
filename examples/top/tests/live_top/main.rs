//! The real program in a real terminal, on a real kernel. `fetch` gets tmux where the host has none.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that fails panics"
)]

#[path = "../../../quickstart/greeting.rs"]
#[allow(dead_code, reason = "what only other programs need")]
mod greeting;
#[path = "../../../quickstart/network.rs"]
#[allow(dead_code, reason = "what only other programs need")]
mod network;

mod belonging;
mod daemon;
mod desk;
mod director;
mod keys;
mod maintenances;
mod orders;
mod scene;
mod shows;
mod table;
mod terminal;
mod tmux;

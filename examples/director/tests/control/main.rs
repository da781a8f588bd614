//! The control socket: its file, its server against hostile clients, followers, and the client.
//! None of it needs a kernel with IPVS.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may panic"
)]

mod commands;
mod desk;
mod documented;
mod followers;
mod hostile;
mod socket;

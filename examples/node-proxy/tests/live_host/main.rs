//! What a node proxy keeps on its host beside the table, on a real kernel: addresses, sysctls and tracked flows.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test that fails panics"
)]

mod addresses;
mod flows;
mod many;
mod removal;
mod stage;
mod sysctls;

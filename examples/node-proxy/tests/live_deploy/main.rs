//! The manifests of `deploy`: what they say, whether the real `kubectl` builds them, whether the program takes
//! their arguments, and whether it can do with their rights and privileges what it does.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test that fails panics"
)]

mod beside;
mod built;
mod pod;
mod privileges;
mod rights;
#[path = "../stage/mod.rs"]
mod stage;
mod taking_over;

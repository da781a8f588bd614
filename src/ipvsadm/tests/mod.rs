//! Tests that go through several files of the module.

mod parsing;
mod printing;
pub(crate) mod round_trips;

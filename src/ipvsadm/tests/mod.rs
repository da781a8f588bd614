//! Tests that go through several files of the module.

mod parsing;
pub(crate) mod round_trips;

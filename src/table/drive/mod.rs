//! Does over the engine what the rest of `table` decides.

mod controller;

#[allow(unused_imports, reason = "the clients' `step` is its user")]
pub(crate) use controller::perform;

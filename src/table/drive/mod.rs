//! Does over the engine what the rest of `table` decides.

mod controller;

pub(crate) use controller::perform;

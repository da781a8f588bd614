//! Does over the engine what the rest of `table` decides.

mod controller;
mod keep;
#[cfg(any(feature = "tokio", feature = "smol"))]
mod run;
mod step;

#[allow(unused_imports, reason = "the clients' `step` is its user")]
pub(crate) use controller::perform;
pub(crate) use keep::keep;
#[cfg(any(feature = "tokio", feature = "smol"))]
pub(crate) use run::run;
pub(crate) use step::step;

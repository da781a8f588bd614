//! Does over the engine what the rest of `table` decides. All else in `table` has no I/O and no clock.

mod apply;
mod controller;
mod drain;
mod keep;
mod reading;
mod reconcile;
#[cfg(any(feature = "tokio", feature = "smol"))]
mod run;
mod settle;
mod step;

pub(crate) use apply::{apply, apply_from};
pub(crate) use controller::perform;
pub(crate) use drain::drain;
pub(crate) use keep::keep;
pub(crate) use reconcile::reconcile;
#[cfg(any(feature = "tokio", feature = "smol"))]
pub(crate) use run::run;
pub(crate) use settle::settle;
pub(crate) use step::step;

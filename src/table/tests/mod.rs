//! Tests of plans and their execution, with simulated and scripted kernels.

mod draining;
mod error_texts;
mod kept_settings;
mod losses;
pub(crate) mod planning;
mod portions;
mod printing;
mod reconciling;
mod results;
mod saved_text;
mod simulation;
mod strategies;
mod undoing;
mod weights;

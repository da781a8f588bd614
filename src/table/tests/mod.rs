//! Tests of plans and their execution, with simulated and scripted kernels.

mod draining;
mod kept_settings;
pub(crate) mod kernel;
mod losses;
pub(crate) mod planning;
mod portions;
mod printing;
mod random_answers;
mod reconciling;
mod results;
mod saved_text;
mod sequencing;
mod simulation;
mod strategies;
mod undoing;
mod weights;

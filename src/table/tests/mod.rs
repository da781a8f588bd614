//! Planning, tried on a table that does what the kernel's does.

mod draining;
mod error_texts;
mod kept_settings;
mod losses;
pub(crate) mod planning;
mod printing;
mod reconciling;
mod results;
mod saved_text;
mod simulation;
mod strategies;
mod undoing;
mod weights;

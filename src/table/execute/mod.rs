//! Executes plans, phase by phase, without I/O and without a clock.
//!
//! [`Sequencer`] says what to read and write next, and when. `table/drive` does so over the engine.
//! [`Execution`] has the outcomes of the steps, and what a failure forbids.

mod applied;
mod conflicts;
pub(crate) mod drain_state;
mod drained;
mod drains;
mod execution;
mod incomplete;
mod outcomes;
mod progress;
mod readback;
mod reading;
mod replacements;
mod sequencer;
mod undo;
mod writing;

pub use applied::{Applied, StepOutcome};
pub use drained::Drained;
pub(crate) use execution::{CAREFUL_PORTION, Execution};
pub use incomplete::Incomplete;
pub(crate) use progress::Observer;
pub use progress::{DrainProgress, Draining, NextPhase, Progress};
pub(crate) use reading::ServiceReading;
pub(crate) use sequencer::{Sequencer, Task};
pub(crate) use writing::done;

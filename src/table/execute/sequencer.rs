//! Says what is to be done next to execute a plan.

use std::borrow::Borrow;
use std::time::Instant;

use crate::engine::Report;
use crate::error::{Error, Failure};
use crate::model::{Change, ServiceId, Snapshot};
use crate::table::execute::applied::Applied;
#[cfg(test)]
use crate::table::execute::applied::StepOutcome;
use crate::table::execute::drains::Drains;
use crate::table::execute::execution::Execution;
use crate::table::execute::progress::{DrainProgress, NextPhase};
use crate::table::execute::readback::{Readback, check_outcomes};
use crate::table::execute::reading::ServiceReading;
use crate::table::execute::replacements::Replacements;
use crate::table::execute::undo::Undoing;
use crate::table::execute::writing::Writing;
use crate::table::plan::{Phase, Plan};

/// What is to be done next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Task {
    /// A phase is about to begin: tell the observer of [`Sequencer::next_phase`]. If the observer
    /// breaks, call [`Sequencer::stop`].
    Begin(Phase),
    /// Read the service and its destinations, and hand them to [`Sequencer::saw`].
    Read(ServiceId),
    /// Read the settings of the service, and hand them to [`Sequencer::saw`].
    ReadSettings(ServiceId),
    /// Write the changes, and hand the answers to [`Sequencer::wrote`].
    Write(Vec<Change>),
    /// Tell the observer of [`Sequencer::report_drains`], and wait until then. If the observer
    /// breaks, call [`Sequencer::leave`]; if the wait fails, call [`Sequencer::fail`].
    Wait(Instant),
    /// Nothing is left to be done.
    Finished,
}

/// A plan that is executed without I/O and without a clock: [`next`](Self::next) says what is to be
/// done, and is told what came of it. Until then it says the same again.
#[derive(Debug)]
pub(crate) struct Sequencer<P> {
    execution: Execution<P>,
    stage: Stage,
    /// The error of reading the table after the last step.
    unverified: Option<Error>,
}

#[derive(Debug)]
enum Stage {
    /// A phase comes next.
    Before(Phase),
    /// Services are read before the phase takes destinations from them.
    Keeping(Phase, Replacements),
    /// The phase begins.
    Begun(Phase),
    /// The steps of the phase are written.
    Writing(Phase, Box<Writing>),
    /// Harmful additions are undone.
    Undoing(Undoing),
    /// The last phase waits for connections to end.
    Draining(Box<Drains>),
    /// The services of the plan are read after the last step.
    Verifying(Readback),
    Finished,
}

impl<P: Borrow<Plan>> Sequencer<P> {
    pub(crate) fn new(plan: P) -> Self {
        let stage = Phase::ALL.first().map_or(Stage::Finished, |phase| Stage::Before(*phase));
        Self { execution: Execution::new(plan), stage, unverified: None }
    }

    /// Returns what is to be done next.
    pub(crate) fn next(&mut self, now: Instant) -> Task {
        let execution = &mut self.execution;
        loop {
            self.stage = match &mut self.stage {
                Stage::Before(phase) => {
                    let phase = *phase;
                    execution.skip_all_dependants();
                    Stage::Keeping(phase, Replacements::before(execution, phase))
                }
                Stage::Keeping(phase, replacements) => match replacements.next() {
                    Some(service) => return Task::Read(service),
                    None => {
                        let phase = *phase;
                        execution.skip_all_dependants();
                        self.stage = Stage::Begun(phase);
                        return Task::Begin(phase);
                    }
                },
                Stage::Begun(Phase::Drained) => {
                    Stage::Draining(Box::new(Drains::begin(execution, now)))
                }
                Stage::Begun(phase) => {
                    let steps = execution.undecided(execution.range(*phase));
                    Stage::Writing(*phase, Box::new(Writing::new(steps)))
                }
                Stage::Writing(phase, writing) => match (writing.next(execution), *phase) {
                    (Some(task), _) => return task,
                    (None, Phase::Add) => Stage::Undoing(Undoing::new(execution)),
                    (None, phase) => after(phase),
                },
                Stage::Undoing(undoing) => match undoing.next(execution) {
                    Some(task) => return task,
                    None => after(Phase::Add),
                },
                Stage::Draining(drains) => match drains.next(execution, now) {
                    Some(task) => return task,
                    None => Stage::Finished,
                },
                Stage::Verifying(readback) => match readback.next() {
                    Some(service) => return Task::Read(service),
                    None => Stage::Finished,
                },
                Stage::Finished => return Task::Finished,
            };
        }
    }

    /// Takes in the service that [`Task::Read`] or [`Task::ReadSettings`] asked for.
    pub(crate) fn saw(&mut self, reading: Result<ServiceReading<'static>, Error>, now: Instant) {
        let execution = &mut self.execution;
        match &mut self.stage {
            Stage::Keeping(_, replacements) => replacements.saw(execution, reading),
            Stage::Writing(_, writing) => writing.saw(execution, reading),
            Stage::Undoing(undoing) => undoing.saw(reading),
            Stage::Draining(drains) => drains.saw(execution, reading, now),
            Stage::Verifying(readback) => match reading {
                Ok(reading) => readback.saw(execution, &reading),
                Err(error) => {
                    self.unverified = Some(error);
                    self.stage = Stage::Finished;
                }
            },
            Stage::Before(_) | Stage::Begun(_) | Stage::Finished => {}
        }
    }

    /// Takes in what came of the changes of [`Task::Write`].
    pub(crate) fn wrote(&mut self, report: Report) {
        let execution = &mut self.execution;
        match &mut self.stage {
            Stage::Writing(_, writing) => writing.wrote(execution, report),
            Stage::Undoing(undoing) => undoing.wrote(execution, &report),
            Stage::Draining(drains) => drains.wrote(execution, report),
            _ => {}
        }
    }

    /// Returns an update to the settings that an object has, if the change at `at` of
    /// [`Task::Write`] updates the object.
    pub(crate) fn before(&self, at: usize) -> Option<Change> {
        let writing = match &self.stage {
            Stage::Writing(_, writing) => writing,
            Stage::Draining(drains) => drains.writing()?,
            _ => return None,
        };
        writing.before(&self.execution, at)
    }

    /// Returns what the observer is told of [`Task::Begin`].
    pub(crate) fn next_phase(&self, phase: Phase) -> NextPhase<'_> {
        self.execution.next_phase(phase)
    }

    /// Tells `observer` what drains while [`Task::Wait`] lasts. Returns what `observer` returns, or
    /// `None` if nothing drains.
    pub(crate) fn report_drains<R>(
        &self,
        now: Instant,
        observer: impl FnOnce(DrainProgress<'_>) -> R,
    ) -> Option<R> {
        match &self.stage {
            Stage::Draining(drains) => Some(drains.report(&self.execution, now, observer)),
            _ => None,
        }
    }

    /// Returns the outcome of a step, or `None` if the step has none yet.
    #[cfg(test)]
    pub(crate) fn outcome(&self, index: usize) -> Option<&StepOutcome> {
        self.execution.outcome(index)
    }

    /// Ends the work: steps without an outcome are stopped.
    pub(crate) fn stop(&mut self) {
        self.execution.stop();
        self.stage = Stage::Finished;
    }

    /// Ends the wait for connections.
    pub(crate) fn leave(&mut self) {
        if let Stage::Draining(drains) = &mut self.stage {
            drains.leave();
        }
    }

    /// Fails what waits, because the time of [`Task::Wait`] cannot be waited for.
    pub(crate) fn fail(&mut self, failure: Failure) {
        if let Stage::Draining(drains) = &mut self.stage {
            drains.fail(&mut self.execution, failure);
        }
    }

    /// Verifies the outcomes after [`Task::Finished`]: by `snapshot`, which was read afterwards, or
    /// by reading each service if there is no complete snapshot. Continue with
    /// [`next`](Self::next).
    pub(crate) fn verify(&mut self, snapshot: Option<&Snapshot>) {
        match snapshot.filter(|snapshot| snapshot.is_complete()) {
            Some(snapshot) => check_outcomes(&mut self.execution, snapshot),
            None => self.stage = Stage::Verifying(Readback::new(&self.execution)),
        }
    }

    /// Notes that the table could not be read after the last step.
    pub(crate) fn cannot_verify(&mut self, error: Error) {
        self.unverified = Some(error);
    }

    /// Returns `true` if the observer ended the work.
    pub(crate) const fn is_stopped(&self) -> bool {
        self.execution.is_stopped()
    }

    /// Returns the result.
    pub(crate) fn finish(self) -> Applied {
        self.execution.finish(self.unverified)
    }
}

/// Returns the stage after a phase.
fn after(phase: Phase) -> Stage {
    phase.next().map_or(Stage::Finished, Stage::Before)
}

//! Waits until connections have ended, and deletes what has drained.

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::time::Instant;
use std::{mem, slice};

use crate::engine::Report;
use crate::error::{Context, Error, Failure};
use crate::model::ServiceId;
use crate::table::execute::applied::StepOutcome;
use crate::table::execute::drain_state::DrainState;
use crate::table::execute::execution::Execution;
use crate::table::execute::progress::{DrainProgress, Draining};
use crate::table::execute::reading::ServiceReading;
use crate::table::execute::sequencer::Task;
use crate::table::execute::writing::Writing;
use crate::table::options::OnFailure;
use crate::table::plan::{Phase, Plan, Step, total};

/// The steps of [`Phase::Drained`]. Each is written when its object has drained; at the deadline
/// all that are left are written.
#[derive(Debug)]
pub(crate) struct Drains {
    /// The drain of any object: all begin together.
    all: DrainState,
    /// The drains of the steps.
    drains: BTreeMap<usize, DrainState>,
    /// The steps that wait after the last round of readings.
    pending: Vec<usize>,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    /// The services of the pending steps are to be read.
    Reading { left: BTreeMap<ServiceId, Vec<usize>>, round: Round },
    /// The steps that are ready are written.
    Finishing { writing: Writing, round: Round },
    /// The steps that waited at the deadline, which came at `at`, are written.
    Cutting { writing: Writing, waiting: Vec<usize>, at: Instant },
    /// Nothing is to be done until then.
    Waiting(Instant),
    /// No step waits any longer.
    Over,
}

/// The steps of one round of readings, sorted by what comes next.
#[derive(Debug, Default)]
struct Round {
    /// The steps that need not wait any longer.
    ready: Vec<usize>,
    /// The steps that wait.
    waiting: Vec<usize>,
    /// The steps of services that could not be read.
    unread: Vec<(usize, Error)>,
}

impl Drains {
    /// Begins the drains of the steps that have no outcome yet.
    pub(crate) fn begin<P: Borrow<Plan>>(execution: &Execution<P>, now: Instant) -> Self {
        let policy = execution.plan().drain();
        let pending = match policy {
            Some(_) => execution.undecided(execution.range(Phase::Drained)),
            None => Vec::new(),
        };
        let all = DrainState::begin(policy.unwrap_or_default(), now);
        let drains = pending.iter().map(|index| (*index, all.clone())).collect();
        let mut begun = Self { all, drains, pending, stage: Stage::Over };
        begun.look_again(execution);
        begun
    }

    /// Begins a round of readings, unless no step waits.
    fn look_again<P: Borrow<Plan>>(&mut self, execution: &Execution<P>) {
        let left = execution.by_service(self.pending.iter().copied());
        self.stage = match left.is_empty() {
            true => Stage::Over,
            false => Stage::Reading { left, round: Round::default() },
        };
    }

    /// Returns what is to be done next, or `None` if no step waits any longer.
    pub(crate) fn next<P: Borrow<Plan>>(
        &mut self,
        execution: &mut Execution<P>,
        now: Instant,
    ) -> Option<Task> {
        loop {
            match &mut self.stage {
                Stage::Reading { left, round } => {
                    if let Some((service, _)) = left.first_key_value() {
                        return Some(Task::Read(*service));
                    }
                    let mut round = mem::take(round);
                    // Restore the order of the plan, in which services come last.
                    round.ready.sort_unstable();
                    round.waiting.sort_unstable();
                    let writing = Writing::new(mem::take(&mut round.ready));
                    self.stage = Stage::Finishing { writing, round };
                }
                Stage::Finishing { writing, round } => {
                    if let Some(task) = writing.next(execution) {
                        return Some(task);
                    }
                    let round = mem::take(round);
                    self.finish_round(execution, round, now);
                }
                Stage::Cutting { writing, waiting, at } => {
                    if let Some(task) = writing.next(execution) {
                        return Some(task);
                    }
                    let (waiting, at) = (mem::take(waiting), *at);
                    self.tell_cut(execution, &waiting, at);
                    self.stage = Stage::Over;
                }
                Stage::Waiting(until) if *until > now => return Some(Task::Wait(*until)),
                Stage::Waiting(_) => self.look_again(execution),
                Stage::Over => return None,
            }
        }
    }

    /// Takes in a service that was to be read, and sorts its steps by what comes next.
    pub(crate) fn saw<P: Borrow<Plan>>(
        &mut self,
        execution: &mut Execution<P>,
        reading: Result<ServiceReading<'static>, Error>,
        now: Instant,
    ) {
        let (left, round) = match &mut self.stage {
            Stage::Reading { left, round } => (left, round),
            Stage::Finishing { writing, .. } | Stage::Cutting { writing, .. } => {
                return writing.saw(execution, reading);
            }
            Stage::Waiting(_) | Stage::Over => return,
        };
        for index in left.pop_first().into_iter().flat_map(|(_, steps)| steps) {
            let Some(drain) = self.drains.get_mut(&index) else { continue };
            let reading = match &reading {
                Ok(reading) => reading,
                Err(error) => {
                    drain.miss();
                    round.unread.push((index, error.clone()));
                    continue;
                }
            };
            drain.read();
            let concerned = match execution.step(index).and_then(Step::destination) {
                Some(id) => reading.destination(id).map_or(&[][..], slice::from_ref),
                None => &reading.destinations,
            };
            // A destination that an incomplete reading misses has not lost its connections.
            if reading.complete || !concerned.is_empty() {
                drain.look(concerned, now);
            }
            if concerned.iter().any(|entry| entry.destination.weight > 0) {
                execution.set(index, StepOutcome::Differs);
            } else if reading.complete && drain.is_met(now) {
                round.ready.push(index);
            } else {
                round.waiting.push(index);
            }
        }
    }

    /// Takes in what the kernel answered to the steps that were written.
    pub(crate) fn wrote<P: Borrow<Plan>>(&mut self, execution: &mut Execution<P>, report: Report) {
        if let Stage::Finishing { writing, .. } | Stage::Cutting { writing, .. } = &mut self.stage {
            writing.wrote(execution, report);
        }
    }

    /// Returns the steps that are being written.
    pub(crate) const fn writing(&self) -> Option<&Writing> {
        match &self.stage {
            Stage::Finishing { writing, .. } | Stage::Cutting { writing, .. } => Some(writing),
            _ => None,
        }
    }

    /// Decides after a round whether to wait, to give steps up, or to cut at the deadline.
    fn finish_round<P: Borrow<Plan>>(
        &mut self,
        execution: &mut Execution<P>,
        round: Round,
        now: Instant,
    ) {
        let Round { mut waiting, mut unread, .. } = round;
        if execution.plan().on_failure == OnFailure::Stop {
            // Do not wait for objects that will not be deleted.
            execution.skip_dependants(self.pending.iter().copied());
            waiting.retain(|index| execution.outcome(*index).is_none());
            unread.retain(|(index, _)| execution.outcome(*index).is_none());
        }
        let due = self.all.is_due(now);
        self.pending.clone_from(&waiting);
        for (index, error) in unread {
            let given_up = self.drains.get(&index).is_some_and(DrainState::is_given_up);
            if due || given_up {
                execution.fail_unread(index, &error);
            } else {
                self.pending.push(index);
            }
        }
        self.pending.sort_unstable();
        self.stage = if due {
            Stage::Cutting { writing: Writing::new(waiting.clone()), waiting, at: now }
        } else if self.pending.is_empty() {
            Stage::Over
        } else {
            Stage::Waiting(self.all.next_look(now))
        };
    }

    /// Sets the outcome [`StepOutcome::Cut`] for the steps whose objects had connections that may
    /// have carried data at the deadline.
    fn tell_cut<P: Borrow<Plan>>(
        &self,
        execution: &mut Execution<P>,
        waiting: &[usize],
        at: Instant,
    ) {
        for index in waiting {
            let cut = self.drains.get(index).and_then(|drain| drain.cut(at));
            if let (Some(StepOutcome::Done), Some(cut)) = (execution.outcome(*index), cut) {
                execution.set(*index, StepOutcome::Cut(cut));
            }
        }
    }

    /// Tells `observer` what drains.
    pub(crate) fn report<P: Borrow<Plan>, R>(
        &self,
        execution: &Execution<P>,
        now: Instant,
        observer: impl FnOnce(DrainProgress<'_>) -> R,
    ) -> R {
        let one = |index: &usize| {
            let object = execution.step(*index)?.change.object()?;
            let drain = self.drains.get(index)?;
            Some(Draining { object, connections: drain.connections(), quiet: drain.quiet(now) })
        };
        let draining: Vec<Draining> = self.pending.iter().filter_map(one).collect();
        let left = |deadline: Instant| deadline.saturating_duration_since(now);
        observer(DrainProgress {
            waiting: self.pending.len(),
            connections: total(draining.iter().map(|draining| draining.connections)),
            elapsed: now.saturating_duration_since(self.all.begun()),
            left: self.all.deadline().map(left),
            draining: &draining,
        })
    }

    /// Ends the wait. The steps that wait get no outcome.
    pub(crate) fn leave(&mut self) {
        self.stage = Stage::Over;
    }

    /// Fails the steps that wait, because the time cannot be waited for.
    pub(crate) fn fail<P: Borrow<Plan>>(&mut self, execution: &mut Execution<P>, failure: Failure) {
        for index in mem::take(&mut self.pending) {
            let Some(step) = execution.step(index) else { continue };
            let error = Error::not_sent(Context::of(&step.change), failure);
            execution.set(index, StepOutcome::Failed(error));
        }
        self.leave();
    }
}

//! Tracks the outcomes of the steps of a plan, and the steps that a failure forbids.

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::ops::Range;

use crate::engine::portion;
use crate::error::{Context, Error};
use crate::model::ServiceId;
use crate::table::execute::outcomes::StepOutcomes;
use crate::table::execute::progress::NextPhase;
use crate::table::{Applied, OnFailure, Phase, Plan, Step, StepOutcome};

/// The largest portion with [`OnFailure::Stop`]: the engine sends so many together, and a failure
/// cannot stop changes that are sent already.
pub(crate) const CAREFUL_PORTION: usize = 64;

/// A plan that is being executed. `P` is the plan, or lends it.
#[derive(Debug)]
pub(crate) struct Execution<P> {
    plan: P,
    outcomes: StepOutcomes,
    /// The first step that [`next_portion`](Self::next_portion) has not passed.
    at: usize,
    /// The phase of the last portion.
    phase: Option<Phase>,
    /// The first step that failed.
    first_failed: Option<usize>,
    /// The first step that failed for each service.
    failed: BTreeMap<ServiceId, usize>,
    /// `true` after [`stop`](Self::stop).
    stopped: bool,
}

impl<P: Borrow<Plan>> Execution<P> {
    pub(crate) fn new(plan: P) -> Self {
        let outcomes = StepOutcomes::undecided(plan.borrow().len());
        let (first_failed, failed) = (None, BTreeMap::new());
        Self { plan, outcomes, at: 0, phase: None, first_failed, failed, stopped: false }
    }

    pub(crate) fn plan(&self) -> &Plan {
        self.plan.borrow()
    }

    pub(crate) fn step(&self, index: usize) -> Option<&Step> {
        self.plan().step(index)
    }

    /// Returns the service of a step.
    pub(crate) fn service(&self, index: usize) -> Option<ServiceId> {
        self.step(index).and_then(Step::service)
    }

    /// Groups steps by their service.
    pub(crate) fn by_service(
        &self,
        indices: impl IntoIterator<Item = usize>,
    ) -> BTreeMap<ServiceId, Vec<usize>> {
        let mut services: BTreeMap<ServiceId, Vec<usize>> = BTreeMap::new();
        for index in indices {
            if let Some(service) = self.service(index) {
                services.entry(service).or_default().push(index);
            }
        }
        services
    }

    /// Returns the outcome of a step, or `None` if the step has none yet.
    pub(crate) fn outcome(&self, index: usize) -> Option<&StepOutcome> {
        self.outcomes.get(index)
    }

    /// Sets the outcome of a step. If the step is not done, remembers the failure.
    pub(crate) fn set(&mut self, index: usize, outcome: StepOutcome) {
        if !outcome.is_done() {
            self.first_failed.get_or_insert(index);
            if let Some(service) = self.service(index) {
                self.failed.entry(service).or_insert(index);
            }
        }
        self.outcomes.set(index, outcome);
    }

    /// Fails a step that was not executed because its service could not be read.
    pub(crate) fn fail_unread(&mut self, index: usize, error: &Error) {
        if let Some(step) = self.step(index) {
            let error = error.clone().unwritten(Context::of(&step.change));
            self.set(index, StepOutcome::Failed(error));
        }
    }

    /// Returns the steps among `indices` that have no outcome yet.
    pub(crate) fn undecided(&self, indices: impl IntoIterator<Item = usize>) -> Vec<usize> {
        indices.into_iter().filter(|index| self.outcome(*index).is_none()).collect()
    }

    /// Returns the failed step that forbids further steps for a service, if there is one.
    pub(crate) fn failed_before(&self, service: Option<ServiceId>) -> Option<usize> {
        match self.plan().on_failure {
            OnFailure::Stop => self.first_failed,
            OnFailure::KeepService => self.failed.get(&service?).copied(),
        }
    }

    /// Sets the outcome `Skipped` for the steps among `indices` that a failed step forbids.
    pub(crate) fn skip_dependants(&mut self, indices: impl IntoIterator<Item = usize>) {
        if self.first_failed.is_none() {
            return;
        }
        for index in self.undecided(indices) {
            if let Some(because) = self.failed_before(self.service(index)) {
                self.set(index, StepOutcome::Skipped { because });
            }
        }
    }

    /// Returns the first of `steps`, which are to be written together: at most `most`, or fewer with
    /// [`OnFailure::Stop`], and one more if a new service would be parted from its first destination.
    pub(crate) fn together<'s>(&self, steps: &'s [usize], most: usize) -> &'s [usize] {
        let most = match self.plan().on_failure {
            OnFailure::KeepService => most.max(1),
            OnFailure::Stop => most.clamp(1, CAREFUL_PORTION),
        };
        let change = |at: usize| Some(&self.step(*steps.get(at)?)?.change);
        steps.get(..portion(steps.len(), most, change)).unwrap_or(steps)
    }

    /// Returns the phase of the first step without an outcome, or `None` if all have one.
    pub(crate) fn phase_to_come(&self) -> Option<Phase> {
        let mut rest = self.at..self.outcomes.len();
        let first = rest.find(|index| self.outcome(*index).is_none())?;
        Some(self.step(first)?.phase)
    }

    /// Returns the next steps to be written together: at most `most` steps of one phase, and none
    /// that a failure forbids. Returns `None` if no step is left.
    ///
    /// Set the outcome of every step before the next call: a step without an outcome is returned
    /// again, and no later phase begins before it has one.
    pub(crate) fn next_portion(&mut self, most: usize) -> Option<Vec<usize>> {
        let all = self.outcomes.len();
        loop {
            let first = (self.at..all).find(|index| self.outcome(*index).is_none())?;
            let phase = self.step(first)?.phase;
            let begins = self.phase.replace(phase) != Some(phase);
            self.at = first;
            // A failure forbids the later phases of its service, not the rest of its phase.
            if begins || self.plan().on_failure == OnFailure::Stop {
                self.skip_dependants(first..all);
            }
            let end = self.range(phase).end;
            let undecided = (first..end).filter(|index| self.outcome(*index).is_none());
            let mut steps = Vec::with_capacity((end - first).min(most.saturating_add(1)));
            steps.extend(undecided.take(most.saturating_add(1)));
            let length = match self.together(&steps, most).len() {
                0 => continue,
                // A new service waits for the next portion, which has its first destination.
                longer if longer > most => most.saturating_sub(1).max(1),
                length => length,
            };
            steps.truncate(length);
            return Some(steps);
        }
    }

    /// Sets the outcome `Skipped` for all steps that a failed step forbids.
    pub(crate) fn skip_all_dependants(&mut self) {
        self.skip_dependants(0..self.outcomes.len());
    }

    /// Sets the outcome `Stopped` for all steps that have no outcome yet.
    pub(crate) fn stop(&mut self) {
        self.stopped = true;
        for index in self.undecided(0..self.outcomes.len()) {
            self.set(index, StepOutcome::Stopped);
        }
    }

    /// Returns `true` after [`stop`](Self::stop).
    pub(crate) const fn is_stopped(&self) -> bool {
        self.stopped
    }

    /// Returns what an observer is told when a phase is about to begin.
    pub(crate) fn next_phase(&self, phase: Phase) -> NextPhase<'_> {
        NextPhase::new(self.plan(), phase, &self.outcomes)
    }

    /// Returns `true` if a step has failed or was skipped.
    pub(crate) const fn has_failed(&self) -> bool {
        self.first_failed.is_some()
    }

    /// Returns the indices of the steps of a phase. The steps of a plan are sorted by phase.
    pub(crate) fn range(&self, phase: Phase) -> Range<usize> {
        let steps = &self.plan().steps;
        let before = steps.partition_point(|step| step.phase < phase);
        let after = steps.partition_point(|step| step.phase <= phase);
        before..after
    }

    /// Returns the result of the plan. `unverified` is the error of reading the table afterwards.
    pub(crate) fn finish(mut self, unverified: Option<Error>) -> Applied {
        // Only a step whose wait was ended has no outcome yet.
        for index in self.undecided(0..self.outcomes.len()) {
            self.outcomes.set(index, StepOutcome::Draining);
        }
        Applied { outcomes: self.outcomes, unverified }
    }
}

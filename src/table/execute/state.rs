//! What has become of the steps of a plan so far, and what may not be done because of it.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::error::{Context, Error};
use crate::model::ServiceId;
use crate::table::execute::outcomes::StepOutcomes;
use crate::table::execute::progress::{NextPhase, Observer, Progress};
use crate::table::{Applied, OnFailure, Phase, Plan, Step, StepOutcome};

/// A plan that is being done.
pub(crate) struct Execution<'p> {
    pub(crate) plan: &'p Plan,
    outcomes: StepOutcomes,
    /// The first step that failed, of all and by service.
    first_failed: Option<usize>,
    failed: BTreeMap<ServiceId, usize>,
    /// Whether the observer has ended the work.
    pub(crate) ended: bool,
}

impl<'p> Execution<'p> {
    pub(crate) fn new(plan: &'p Plan) -> Self {
        let outcomes = StepOutcomes::undecided(plan.len());
        Self { plan, outcomes, first_failed: None, failed: BTreeMap::new(), ended: false }
    }

    pub(crate) fn step(&self, index: usize) -> Option<&'p Step> {
        self.plan.step(index)
    }

    /// The service that a step is about.
    pub(crate) fn service(&self, index: usize) -> Option<ServiceId> {
        self.step(index).and_then(Step::service)
    }

    /// The steps by the service that they are about.
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

    pub(crate) fn outcome(&self, index: usize) -> Option<&StepOutcome> {
        self.outcomes.get(index)
    }

    pub(crate) fn set(&mut self, index: usize, outcome: StepOutcome) {
        if !outcome.is_done() {
            self.first_failed.get_or_insert(index);
            if let Some(service) = self.service(index) {
                self.failed.entry(service).or_insert(index);
            }
        }
        self.outcomes.set(index, outcome);
    }

    /// A step is not done because what it depends on could not be read.
    pub(crate) fn fail_unread(&mut self, index: usize, error: &Error) {
        if let Some(step) = self.step(index) {
            let error = error.clone().unwritten(Context::of(&step.change));
            self.set(index, StepOutcome::Failed(error));
        }
    }

    /// Those of the steps that have no outcome.
    pub(crate) fn undecided(&self, indices: impl IntoIterator<Item = usize>) -> Vec<usize> {
        indices.into_iter().filter(|index| self.outcome(*index).is_none()).collect()
    }

    /// The step that failed and because of which nothing more is done to a service.
    pub(crate) fn failed_before(&self, service: Option<ServiceId>) -> Option<usize> {
        match self.plan.on_failure {
            OnFailure::Stop => self.first_failed,
            OnFailure::KeepService => self.failed.get(&service?).copied(),
        }
    }

    /// Decides against the steps that are not to be done because of one that failed.
    pub(crate) fn skip_dependants(&mut self, indices: impl IntoIterator<Item = usize>) {
        for index in self.undecided(indices) {
            if let Some(because) = self.failed_before(self.service(index)) {
                self.set(index, StepOutcome::Skipped { because });
            }
        }
    }

    /// Decides against all that is left.
    pub(crate) fn stop(&mut self) {
        self.ended = true;
        for index in self.undecided(0..self.outcomes.len()) {
            self.set(index, StepOutcome::Stopped);
        }
    }

    /// Tells that a phase begins, and whether it may.
    pub(crate) fn begin(&self, phase: Phase, observer: Observer<'_>) -> bool {
        let next = NextPhase::new(self.plan, phase, &self.outcomes);
        observer(&Progress::Phase(next)).is_continue()
    }

    /// The steps of a phase.
    pub(crate) fn range(&self, phase: Phase) -> Range<usize> {
        let steps = &self.plan.steps;
        let before = steps.partition_point(|step| step.phase < phase);
        let after = steps.partition_point(|step| step.phase <= phase);
        before..after
    }

    pub(crate) fn finish(mut self, unverified: Option<Error>) -> Applied {
        // A step without an outcome is one that was not waited for.
        for index in self.undecided(0..self.outcomes.len()) {
            self.outcomes.set(index, StepOutcome::Draining);
        }
        Applied { outcomes: self.outcomes, unverified }
    }
}

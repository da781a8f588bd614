//! Doing a plan: phase by phase, with what failed in mind.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::client::{Engine, Outcome, Report, Transport, not_attempted};
use crate::error::{Certainty, Error, ErrorKind};
use crate::model::{Change, Service, ServiceEntry, ServiceId};
use crate::table::look::Look;
use crate::table::plan::Purpose;
use crate::table::progress::{NextPhase, Observer, Progress};
use crate::table::{Actions, Applied, OnFailure, Phase, Plan, Step, StepOutcome};
use crate::wire::Request;

/// How many changes are handed over at a time, each of them a copy.
const PORTION: usize = 1024;

/// The same, where a failure is to stop what follows: what goes to the kernel at once.
const CAREFUL_PORTION: usize = 64;

/// A plan that is being done.
pub(crate) struct Run<'p> {
    pub(crate) plan: &'p Plan,
    outcomes: Vec<Option<StepOutcome>>,
    /// The first step that failed, of all and by service.
    first_failed: Option<usize>,
    failed: BTreeMap<ServiceId, usize>,
    /// Whether the observer has ended the work.
    pub(crate) ended: bool,
}

impl<'p> Run<'p> {
    fn new(plan: &'p Plan) -> Self {
        let outcomes = vec![None; plan.len()];
        Self { plan, outcomes, first_failed: None, failed: BTreeMap::new(), ended: false }
    }

    pub(crate) fn step(&self, index: usize) -> Option<&'p Step> {
        self.plan.step(index)
    }

    pub(crate) fn outcome(&self, index: usize) -> Option<&StepOutcome> {
        self.outcomes.get(index)?.as_ref()
    }

    pub(crate) fn set(&mut self, index: usize, outcome: StepOutcome) {
        if !outcome.is_done() {
            self.first_failed.get_or_insert(index);
            if let Some(service) = self.step(index).and_then(Step::service) {
                self.failed.entry(service).or_insert(index);
            }
        }
        if let Some(slot) = self.outcomes.get_mut(index) {
            *slot = Some(outcome);
        }
    }

    /// Those of the steps that have no outcome.
    pub(crate) fn undecided(&self, indices: impl IntoIterator<Item = usize>) -> Vec<usize> {
        indices.into_iter().filter(|index| self.outcome(*index).is_none()).collect()
    }

    /// The step that failed and because of which nothing more is done to a service.
    fn failed_before(&self, service: Option<ServiceId>) -> Option<usize> {
        match self.plan.on_failure {
            OnFailure::Stop => self.first_failed,
            OnFailure::KeepService => self.failed.get(&service?).copied(),
        }
    }

    /// Decides against the steps that are not to be done because of one that failed.
    pub(crate) fn skip_dependants(&mut self, indices: impl IntoIterator<Item = usize>) {
        for index in self.undecided(indices) {
            let service = self.step(index).and_then(Step::service);
            if let Some(because) = self.failed_before(service) {
                self.set(index, StepOutcome::Skipped { because });
            }
        }
    }

    /// Decides against all that is left.
    fn stop(&mut self) {
        self.ended = true;
        for index in self.undecided(0..self.outcomes.len()) {
            self.set(index, StepOutcome::Stopped);
        }
    }

    /// Tells that a phase begins, and whether it may.
    fn begin(&self, phase: Phase, observer: Observer<'_>) -> bool {
        let next = NextPhase::new(self.plan, phase, &self.outcomes);
        observer(&Progress::Phase(next)).is_continue()
    }

    /// The steps of a phase.
    pub(crate) fn range(&self, phase: Phase) -> Range<usize> {
        let steps = self.plan.steps().as_slice();
        let before = steps.partition_point(|step| step.phase < phase);
        let after = steps.partition_point(|step| step.phase <= phase);
        before..after
    }

    pub(crate) fn finish(self, unverified: Option<Error>) -> Applied {
        // What has no outcome by now was not waited for.
        let outcomes = self.outcomes.into_iter();
        Applied::new(
            outcomes.map(|outcome| outcome.unwrap_or(StepOutcome::Draining)).collect(),
            unverified,
        )
    }
}

impl<T: Transport> Engine<T> {
    /// Does a plan and reads what it touched again.
    pub(crate) async fn apply(&mut self, plan: &Plan, observer: Observer<'_>) -> Applied {
        let mut run = self.carry_out(plan, observer).await;
        let unverified = self.verify_steps(&mut run, None).await.err();
        run.finish(unverified)
    }

    /// Does a plan.
    pub(crate) async fn carry_out<'p>(
        &mut self,
        plan: &'p Plan,
        observer: Observer<'_>,
    ) -> Run<'p> {
        let mut run = Run::new(plan);
        for phase in Phase::ALL {
            run.skip_dependants(0..plan.len());
            if phase == Phase::Reduce {
                self.keep_what_is_needed(&mut run).await;
                run.skip_dependants(0..plan.len());
            }
            if !run.begin(phase, observer) {
                run.stop();
                break;
            }
            if phase == Phase::Drained {
                self.run_drains(&mut run, observer).await;
                break;
            }
            let steps = run.undecided(run.range(phase));
            self.run_steps(&mut run, &steps).await;
            if phase == Phase::Add {
                self.undo_useless_services(&mut run).await;
            }
        }
        run
    }

    /// Does steps that do not depend on one another's outcomes.
    pub(crate) async fn run_steps(&mut self, run: &mut Run<'_>, steps: &[usize]) {
        let mut lost = false;
        let portion = match run.plan.on_failure {
            OnFailure::KeepService => PORTION,
            OnFailure::Stop => CAREFUL_PORTION,
        };
        for portion in steps.chunks(portion) {
            if run.plan.on_failure == OnFailure::Stop {
                run.skip_dependants(portion.iter().copied());
            }
            let portion = run.undecided(portion.iter().copied());
            let changes: Vec<Change> = portion
                .iter()
                .filter_map(|index| run.step(*index))
                .map(|step| step.change.clone())
                .collect();
            let report = if lost {
                let mut report = Report::default();
                changes.iter().for_each(|change| report.push(not_attempted(change)));
                report
            } else {
                self.submit(&changes).await
            };
            let mut looked: Option<(ServiceId, Option<Look<'static>>)> = None;
            for (index, outcome) in portion.iter().zip(report.outcomes()) {
                let Some(step) = run.step(*index) else { continue };
                let outcome = match outcome {
                    Outcome::Done => StepOutcome::Done,
                    Outcome::Refused(error) => self.reconsider(run, step, error).await,
                    Outcome::NotSent(error) => StepOutcome::Failed(error.clone()),
                    Outcome::Unknown(error) => {
                        lost = true;
                        self.resolve(step, error, &mut looked).await
                    }
                };
                run.set(*index, outcome);
            }
        }
    }

    /// The answer was lost, but the kernel has done the change or refused it: the table
    /// tells which.
    async fn resolve(
        &mut self,
        step: &Step,
        error: &Error,
        looked: &mut Option<(ServiceId, Option<Look<'static>>)>,
    ) -> StepOutcome {
        let Some(service) = step.service() else { return StepOutcome::Failed(error.clone()) };
        if looked.as_ref().is_none_or(|(id, _)| *id != service) {
            *looked = Some((service, self.look_at(service).await.ok()));
        }
        match looked {
            Some((_, Some(look))) if look.shows(step) => StepOutcome::Done,
            _ => StepOutcome::Failed(error.clone()),
        }
    }

    /// What a refusal means: the object may have been added or deleted by somebody else.
    async fn reconsider(&mut self, run: &Run<'_>, step: &Step, error: &Error) -> StepOutcome {
        let failed = || StepOutcome::Failed(error.clone());
        match (&step.change, error.kind()) {
            (Change::AddService(wanted), ErrorKind::ServiceExists) => {
                self.replace_service(run, wanted, error).await
            }
            (Change::AddDestination(..), ErrorKind::DestinationExists) => {
                self.replace_destination(run, step, error).await
            }
            (
                Change::DeleteService(_) | Change::DeleteDestination(..),
                ErrorKind::NoSuchService | ErrorKind::NoSuchDestination,
            ) => StepOutcome::AlreadySo,
            // What is gone needs not drain.
            (
                Change::UpdateDestination(..),
                ErrorKind::NoSuchService | ErrorKind::NoSuchDestination,
            ) if step.purpose == Purpose::Drain => StepOutcome::AlreadySo,
            (Change::AddDestination(service, _), ErrorKind::NoSuchService) => {
                match run.failed.get(service) {
                    Some(&because) => StepOutcome::Skipped { because },
                    None => failed(),
                }
            }
            _ => failed(),
        }
    }

    /// Gives a service that somebody else has added the settings that were asked for.
    async fn replace_service(
        &mut self,
        run: &Run<'_>,
        wanted: &Service,
        error: &Error,
    ) -> StepOutcome {
        let there = match self.read::<ServiceEntry>(Request::Service(wanted.id)).await {
            Ok(entry) => entry.service,
            Err(_) => return StepOutcome::Failed(error.clone()),
        };
        let action = Actions::to_update(&there, wanted);
        let update = Change::UpdateService(wanted.clone());
        self.replace_unless(run, wanted.id, there == *wanted, action, &update, error).await
    }

    /// As [`Engine::replace_service`] for a destination.
    async fn replace_destination(
        &mut self,
        run: &Run<'_>,
        step: &Step,
        error: &Error,
    ) -> StepOutcome {
        let failed = || StepOutcome::Failed(error.clone());
        let Change::AddDestination(service, wanted) = &step.change else { return failed() };
        let Ok(look) = self.look_at(*service).await else { return failed() };
        let Some(there) = look.destination(wanted.id) else { return failed() };
        let mut wanted = wanted.clone();
        if step.purpose == Purpose::OfAnyWeight {
            wanted.weight = there.destination.weight;
        }
        let same = there.destination == wanted;
        let update = Change::UpdateDestination(*service, wanted);
        self.replace_unless(run, *service, same, Actions::UPDATE_DESTINATION, &update, error).await
    }

    async fn replace_unless(
        &mut self,
        run: &Run<'_>,
        service: ServiceId,
        same: bool,
        action: Actions,
        update: &Change,
        error: &Error,
    ) -> StepOutcome {
        if same {
            return StepOutcome::AlreadySo;
        }
        if !run.plan.allowed.contains(action) {
            return StepOutcome::Failed(error.clone());
        }
        if let Some(because) = run.failed_before(Some(service)) {
            return StepOutcome::Skipped { because };
        }
        match self.change(update).await {
            Ok(()) => StepOutcome::Replaced,
            Err(error) => StepOutcome::Failed(error),
        }
    }

    /// A service that takes packets and has nobody to send them to is worse than none.
    async fn undo_useless_services(&mut self, run: &mut Run<'_>) {
        let mut range = run.range(Phase::Add).peekable();
        while let Some(index) = range.next() {
            let added = run.step(index).and_then(Step::service);
            let (mut wanted, mut usable, mut failed) = (false, false, None);
            while let Some(next) = range
                .next_if(|next| run.step(*next).is_some_and(|step| step.destination().is_some()))
            {
                let weight = match run.step(next).map(|step| &step.change) {
                    Some(Change::AddDestination(_, destination)) => destination.weight,
                    _ => 0,
                };
                wanted |= weight > 0;
                match run.outcome(next) {
                    Some(outcome) if outcome.is_done() => usable |= weight > 0,
                    // It may have been done.
                    Some(StepOutcome::Failed(error))
                        if error.certainty() == Some(Certainty::Unknown) =>
                    {
                        usable = true;
                    }
                    Some(StepOutcome::Skipped { because }) => failed = failed.or(Some(*because)),
                    _ => failed = failed.or(Some(next)),
                }
            }
            let done = matches!(run.outcome(index), Some(StepOutcome::Done));
            let (true, Some(id), Some(because)) = (done && wanted && !usable, added, failed) else {
                continue;
            };
            // Somebody else may have given it a destination, or it may be theirs.
            let serves = self.look_at(id).await.map_or(true, |look| {
                let mut weights = look.destinations.iter().map(|entry| entry.destination.weight);
                !look.settled || weights.any(|weight| weight > 0)
            });
            if serves {
                continue;
            }
            match self.change(&Change::DeleteService(id)).await {
                Ok(()) => run.set(index, StepOutcome::Undone { because }),
                Err(error) if error.kind() == ErrorKind::NoSuchService => {
                    run.set(index, StepOutcome::Undone { because });
                }
                Err(error) if error.certainty() == Some(Certainty::Unknown) => {
                    run.set(index, StepOutcome::Failed(error));
                }
                // It is there as it was.
                Err(_) => {}
            }
        }
    }
}

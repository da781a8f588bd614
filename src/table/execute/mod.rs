//! Doing a plan, phase by phase.

use std::collections::BTreeSet;
use std::{iter, mem};

use crate::engine::{Engine, Outcome, Report, Transport, not_attempted, portion};
use crate::error::{Certainty, Result};
use crate::model::{Change, ServiceId, ServiceSnapshot, Snapshot};
use crate::table::drain::cut_at_once;
use crate::table::look::Look;
use crate::table::progress::Observer;
use crate::table::run::Run;
use crate::table::{Applied, OnFailure, Phase, Plan, Step, StepOutcome};

/// How many changes are handed over at a time, each of them a copy.
const PORTION: usize = 1024;

/// The same, where a failure is to stop what follows: what goes to the kernel at once.
const CAREFUL_PORTION: usize = 64;

impl<T: Transport> Engine<T> {
    /// Does a plan and reads what it touched again.
    pub(crate) async fn apply(&mut self, plan: &Plan, observer: Observer<'_>) -> Applied {
        let mut run = self.carry_out(plan, observer).await;
        let unverified = self.verify_steps(&mut run, None).await.err();
        run.finish(unverified)
    }

    /// Does a plan that was made from `snapshot`, and brings that up to date: reads the list
    /// of services and the services that the plan is about. Where that fails, nothing is
    /// known.
    pub(crate) async fn apply_from(
        &mut self,
        plan: &Plan,
        snapshot: &mut Snapshot,
        observer: Observer<'_>,
    ) -> Applied {
        if plan.is_empty() {
            return Applied::new(Vec::new(), None);
        }
        let mut run = self.carry_out(plan, observer).await;
        let unverified = match self.read_again(plan, mem::take(snapshot)).await {
            Ok(now) => {
                *snapshot = now;
                self.verify_steps(&mut run, Some(snapshot)).await.err()
            }
            Err(error) => Some(error),
        };
        run.finish(unverified)
    }

    /// Reads the list of services, and of the services in `before` those that a plan is about.
    pub(crate) async fn read_again(&mut self, plan: &Plan, before: Snapshot) -> Result<Snapshot> {
        // What was left out of it would never be found.
        if !before.is_consistent() {
            return self.snapshot().await;
        }
        let known = {
            let touched: BTreeSet<ServiceId> = plan.steps().filter_map(Step::service).collect();
            let is_known = |service: &ServiceSnapshot| !touched.contains(&service.entry.service.id);
            before.into_iter().filter(is_known).collect()
        };
        self.snapshot_with(known).await
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
            if matches!(phase, Phase::Clear | Phase::Reduce) {
                self.keep_what_is_needed(&mut run, phase).await;
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
                self.take_back(&mut run).await;
            }
        }
        run
    }

    /// Does steps that do not depend on one another's outcomes.
    pub(crate) async fn run_steps(&mut self, run: &mut Run<'_>, steps: &[usize]) {
        let mut lost = false;
        let most = match run.plan.on_failure {
            OnFailure::KeepService => PORTION,
            OnFailure::Stop => CAREFUL_PORTION,
        };
        let mut rest = steps;
        while !rest.is_empty() {
            let length = portion(rest.len(), most, |at| Some(&run.step(*rest.get(at)?)?.change));
            let (portion, after) = rest.split_at(length);
            rest = after;
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
                    Outcome::Done => cut_at_once(step).map_or(StepOutcome::Done, StepOutcome::Cut),
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

    /// Takes back of the new services what is worse than nothing.
    async fn take_back(&mut self, run: &mut Run<'_>) {
        let mut range = run.range(Phase::Add).peekable();
        while let Some(index) = range.next() {
            let is_destination =
                |at: &usize| run.step(*at).is_some_and(|step| step.destination().is_some());
            let destinations: Vec<usize> =
                iter::from_fn(|| range.next_if(is_destination)).collect();
            match run.outcome(index) {
                Some(StepOutcome::Done) => {
                    self.undo_useless_service(run, index, &destinations).await;
                }
                Some(StepOutcome::Failed(error))
                    if error.certainty() != Some(Certainty::Unknown) =>
                {
                    self.undo_destinations(run, index, &destinations).await;
                }
                _ => {}
            }
        }
    }

    /// A service that takes packets and has nobody to send them to is worse than none.
    async fn undo_useless_service(
        &mut self,
        run: &mut Run<'_>,
        added: usize,
        destinations: &[usize],
    ) {
        let (mut wanted, mut usable, mut failed) = (false, false, None);
        for index in destinations {
            let weight = match run.step(*index).map(|step| &step.change) {
                Some(Change::AddDestination(_, destination)) => destination.weight,
                _ => 0,
            };
            wanted |= weight > 0;
            match run.outcome(*index) {
                Some(outcome) if outcome.is_done() => usable |= weight > 0,
                // It may have been done.
                Some(StepOutcome::Failed(error))
                    if error.certainty() == Some(Certainty::Unknown) =>
                {
                    usable = true;
                }
                Some(StepOutcome::Skipped { because }) => failed = failed.or(Some(*because)),
                _ => failed = failed.or(Some(*index)),
            }
        }
        let (true, Some(id), Some(because)) = (wanted && !usable, run.service(added), failed)
        else {
            return;
        };
        // Somebody else may have given it a destination, or it may be theirs.
        let serves = self.look_at(id).await.map_or(true, |look| {
            let mut weights = look.destinations.iter().map(|entry| entry.destination.weight);
            !look.settled || weights.any(|weight| weight > 0)
        });
        if !serves && self.undo(run, added, Change::DeleteService(id), because).await {
            // Those of weight 0 have gone with it.
            for index in destinations {
                if run.outcome(*index).is_some_and(StepOutcome::is_done) {
                    run.set(*index, StepOutcome::Undone { because });
                }
            }
        }
    }

    /// Destinations that got into somebody else's service, because they were sent along with
    /// one that could not be added.
    async fn undo_destinations(
        &mut self,
        run: &mut Run<'_>,
        because: usize,
        destinations: &[usize],
    ) {
        for index in destinations {
            let (Some(StepOutcome::Done), Some(step)) = (run.outcome(*index), run.step(*index))
            else {
                continue;
            };
            if let (Some(service), Some(id)) = (step.service(), step.destination()) {
                self.undo(run, *index, Change::DeleteDestination(service, id), because).await;
            }
        }
    }

    /// Takes a step back by its opposite. True if that is done.
    async fn undo(
        &mut self,
        run: &mut Run<'_>,
        index: usize,
        opposite: Change,
        because: usize,
    ) -> bool {
        match self.change(&opposite).await {
            Err(error) if error.certainty() == Some(Certainty::Unknown) => {
                run.set(index, StepOutcome::Failed(error));
                false
            }
            // It is there as it was.
            Err(error) if !error.is_not_found() => false,
            _ => {
                run.set(index, StepOutcome::Undone { because });
                true
            }
        }
    }
}

//! Doing a plan: phase by phase, with what failed in mind.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use crate::client::{Engine, Outcome, Transport};
use crate::error::{Error, ErrorKind};
use crate::model::{Change, Service, ServiceId};
use crate::table::drain::Observer;
use crate::table::{Applied, Phase, Plan, Step, StepOutcome};

/// How many changes are handed over at a time, each of them a copy.
const PORTION: usize = 1024;

/// A plan that is being done.
pub(crate) struct Run<'p> {
    pub(crate) plan: &'p Plan,
    pub(crate) outcomes: Vec<Option<StepOutcome>>,
    /// The first step that failed, by service.
    failed: BTreeMap<ServiceId, usize>,
}

impl<'p> Run<'p> {
    fn new(plan: &'p Plan) -> Self {
        Self { plan, outcomes: vec![None; plan.len()], failed: BTreeMap::new() }
    }

    pub(crate) fn step(&self, index: usize) -> Option<&'p Step> {
        self.plan.step(index)
    }

    pub(crate) fn outcome(&self, index: usize) -> Option<&StepOutcome> {
        self.outcomes.get(index)?.as_ref()
    }

    pub(crate) fn set(&mut self, index: usize, outcome: StepOutcome) {
        if let (false, Some(service)) =
            (outcome.is_done(), self.step(index).and_then(Step::service))
        {
            self.failed.entry(service).or_insert(index);
        }
        if let Some(slot) = self.outcomes.get_mut(index) {
            *slot = Some(outcome);
        }
    }

    /// Leaves out the steps of services in which something has failed.
    pub(crate) fn skip_dependants(&mut self, indices: impl Iterator<Item = usize>) -> Vec<usize> {
        let mut left = Vec::new();
        for index in indices {
            let service = self.step(index).and_then(Step::service);
            match service.and_then(|service| self.failed.get(&service)) {
                Some(&because) => self.set(index, StepOutcome::Skipped { because }),
                None => left.push(index),
            }
        }
        left
    }

    /// Whether one of the steps deletes the service.
    fn deletes(&self, service: ServiceId, steps: Option<&Vec<usize>>) -> bool {
        let deletion = Change::DeleteService(service);
        let first = steps.and_then(|steps| self.step(*steps.first()?));
        first.is_some_and(|step| step.change == deletion)
    }

    /// The steps of a phase.
    pub(crate) fn range(&self, phase: Phase) -> Range<usize> {
        let steps = self.plan.steps().as_slice();
        let before = |phase| steps.partition_point(|step| step.phase < phase);
        let after = steps.partition_point(|step| step.phase <= phase);
        before(phase)..after
    }
}

impl<T: Transport> Engine<T> {
    /// Does a plan and reads what it touched again.
    pub(crate) async fn apply(&mut self, plan: &Plan, observer: Observer<'_>) -> Applied {
        let mut run = Run::new(plan);
        for phase in [Phase::Add, Phase::Extend, Phase::Configure, Phase::Reduce, Phase::Delete] {
            let range = run.range(phase);
            let steps = run.skip_dependants(range);
            self.run_steps(&mut run, &steps).await;
            if phase == Phase::Add {
                self.undo_services_without_destinations(&mut run).await;
            }
        }
        self.run_drains(&mut run, observer).await;
        let unverified = self.verify_steps(&mut run).await.err();
        let because = StepOutcome::Draining;
        let outcomes = run.outcomes.into_iter().map(|outcome| outcome.unwrap_or(because.clone()));
        Applied::new(outcomes.collect(), unverified)
    }

    /// Does steps that do not depend on one another's outcomes.
    pub(crate) async fn run_steps(&mut self, run: &mut Run<'_>, steps: &[usize]) {
        for portion in steps.chunks(PORTION) {
            let changes: Vec<Change> = portion
                .iter()
                .filter_map(|index| run.step(*index))
                .map(|step| step.change.clone())
                .collect();
            let report = self.submit(&changes).await;
            for ((index, change), outcome) in portion.iter().zip(&changes).zip(report.outcomes()) {
                let outcome = match outcome {
                    Outcome::Done => StepOutcome::Done,
                    Outcome::Refused(error) => self.reconsider(run, change, error).await,
                    Outcome::Unknown(error) | Outcome::NotSent(error) => {
                        StepOutcome::Failed(error.clone())
                    }
                };
                run.set(*index, outcome);
            }
        }
    }

    /// What a refusal means: the object may have been added or deleted by somebody else.
    async fn reconsider(&mut self, run: &Run<'_>, change: &Change, error: &Error) -> StepOutcome {
        let update = match (change, error.kind()) {
            (Change::AddService(service), ErrorKind::ServiceExists) => {
                Change::UpdateService(service.clone())
            }
            (Change::AddDestination(service, destination), ErrorKind::DestinationExists) => {
                Change::UpdateDestination(*service, destination.clone())
            }
            (
                Change::DeleteService(_) | Change::DeleteDestination(..),
                ErrorKind::NoSuchService | ErrorKind::NoSuchDestination,
            ) => return StepOutcome::AlreadySo,
            (Change::AddDestination(service, _), ErrorKind::NoSuchService) => {
                return match run.failed.get(service) {
                    Some(&because) => StepOutcome::Skipped { because },
                    None => StepOutcome::Failed(error.clone()),
                };
            }
            _ => return StepOutcome::Failed(error.clone()),
        };
        match self.change(&update).await {
            Ok(()) => StepOutcome::Replaced,
            Err(error) => StepOutcome::Failed(error),
        }
    }

    /// A service that takes packets and has nobody to send them to is worse than none.
    async fn undo_services_without_destinations(&mut self, run: &mut Run<'_>) {
        let mut range = run.range(Phase::Add).peekable();
        while let Some(index) = range.next() {
            let Some(Change::AddService(Service { id, .. })) =
                run.step(index).map(|step| &step.change)
            else {
                continue;
            };
            let mut usable = false;
            let mut failed = None;
            while let Some(destination) = range
                .next_if(|next| run.step(*next).is_some_and(|step| step.destination().is_some()))
            {
                match run.outcome(destination) {
                    Some(outcome) if outcome.is_done() => usable = true,
                    _ => failed = failed.or(Some(destination)),
                }
            }
            let (false, Some(because), Some(StepOutcome::Done)) =
                (usable, failed, run.outcome(index))
            else {
                continue;
            };
            match self.change(&Change::DeleteService(*id)).await {
                Ok(()) => run.set(index, StepOutcome::Undone { because }),
                Err(error) => run.set(index, StepOutcome::Failed(error)),
            }
        }
    }

    /// Reads what the steps have touched and looks whether it is as they ask.
    async fn verify_steps(&mut self, run: &mut Run<'_>) -> Result<(), Error> {
        let mut services: BTreeMap<ServiceId, Vec<usize>> = BTreeMap::new();
        // The last step about an object has the last word, and the deletion of a service
        // has it about its destinations.
        let mut seen = BTreeSet::new();
        for (index, step) in run.plan.steps().enumerate().rev() {
            let done = run.outcome(index).is_some_and(StepOutcome::is_done);
            let (true, Some(service)) = (done, step.service()) else { continue };
            let deleted = run.deletes(service, services.get(&service));
            if !deleted && seen.insert((service, step.destination())) {
                services.entry(service).or_default().push(index);
            }
        }
        for (service, steps) in services {
            let entry = self.find_service(service).await?;
            let destinations = match &entry {
                Some(_) => self.find_destinations(service).await?.unwrap_or_default(),
                None => Vec::new(),
            };
            for index in steps {
                let Some(step) = run.step(index) else { continue };
                let as_asked = match &step.change {
                    Change::AddService(wanted) | Change::UpdateService(wanted) => {
                        entry.as_ref().is_some_and(|entry| entry.service == *wanted)
                    }
                    Change::DeleteService(_) => entry.is_none(),
                    Change::AddDestination(_, wanted) | Change::UpdateDestination(_, wanted) => {
                        destinations.iter().any(|entry| entry.destination == *wanted)
                    }
                    Change::DeleteDestination(_, id) => {
                        destinations.iter().all(|entry| entry.destination.id != *id)
                    }
                    _ => true,
                };
                if !as_asked {
                    run.set(index, StepOutcome::Differs);
                }
            }
        }
        Ok(())
    }
}

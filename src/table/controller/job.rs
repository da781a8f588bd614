//! Writing the plan of one service.

use std::collections::BTreeMap;
use std::time::Instant;

use crate::model::{Change, DestinationId, ServiceSnapshot};
use crate::table::execute::Execution;
use crate::table::{Phase, Plan, Step, StepOutcome};

/// A plan that is being written.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) execution: Execution<Plan>,
    /// The weights of the destinations: those that were read, changed by what was written since.
    weights: BTreeMap<DestinationId, u32>,
    /// `true` if a newer wish or reading has made the plan out of date. No further step is
    /// written.
    pub(super) obsolete: bool,
    /// `true` if another program has written the service since it was read.
    pub(super) conflict: bool,
    /// `true` while the job waits in the queue of those that have steps to be written.
    pub(super) queued: bool,
    /// `true` if a step was not sent because of another service.
    pub(super) unsent: bool,
    /// The phase of the last step whose outcome is unknown.
    pub(super) unknown: Option<Phase>,
    /// The time of the next attempt, if the kernel refused a change.
    pub(super) retry: Option<Instant>,
}

impl Job {
    pub(super) fn new(plan: Plan, present: Option<&ServiceSnapshot>) -> Self {
        let destinations = present.map_or(&[][..], |present| &present.destinations);
        let destinations = destinations.iter().map(|entry| &entry.destination);
        Self {
            execution: Execution::new(plan),
            weights: destinations.map(|there| (there.id, there.weight)).collect(),
            obsolete: false,
            conflict: false,
            queued: false,
            unsent: false,
            unknown: None,
            retry: None,
        }
    }

    /// Sets the outcome of a step, and takes in its change if it is done.
    pub(super) fn set(&mut self, at: usize, outcome: StepOutcome) {
        let done = self.execution.step(at).filter(|_| outcome.is_done());
        match done.map(|step| &step.change) {
            Some(Change::AddDestination(_, there) | Change::UpdateDestination(_, there)) => {
                self.weights.insert(there.id, there.weight);
            }
            Some(Change::DeleteDestination(_, id)) => {
                self.weights.remove(id);
            }
            Some(Change::DeleteService(_)) => self.weights.clear(),
            _ => {}
        }
        self.execution.set(at, outcome);
    }

    /// Returns `true` if the service has a usable destination.
    pub(super) fn serves(&self) -> bool {
        self.weights.values().any(|weight| *weight > 0)
    }

    /// Returns the steps and whether each is done.
    fn steps(&self) -> impl Iterator<Item = (&Step, bool)> {
        self.execution.plan().steps().enumerate().map(|(index, step)| {
            (step, self.execution.outcome(index).is_some_and(|outcome| outcome.is_done()))
        })
    }

    /// Returns `true` if the plan has added a service that was to have usable destinations, and
    /// has none.
    pub(super) fn added_in_vain(&self) -> bool {
        !self.serves()
            && self.steps().any(|(step, done)| done && matches!(step.change, Change::AddService(_)))
            && self.steps().any(|(step, _)| {
                matches!(&step.change, Change::AddDestination(_, wanted) if wanted.weight > 0)
            })
    }
}

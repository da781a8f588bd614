//! Writing the plan of one service.

use std::time::Instant;

use crate::model::{Change, Destination, DestinationEntry, DestinationId, ServiceSnapshot};
use crate::table::execute::Execution;
use crate::table::{Phase, Plan, Step, StepOutcome};

/// A plan that is being written.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) execution: Execution<Plan>,
    weights: Weights,
    /// `true` if a newer wish or reading has made the plan out of date. No further step is
    /// written.
    pub(super) obsolete: bool,
    /// The phase of the last step that another program has made useless or impossible since the
    /// service was read.
    pub(super) conflict: Option<Phase>,
    /// `true` while the job waits in the queue of those that have steps to be written.
    pub(super) queued: bool,
    /// The phase of the last step that was not sent because of another change.
    pub(super) unsent: Option<Phase>,
    /// The phase of the last step whose outcome is unknown.
    pub(super) unknown: Option<Phase>,
    /// The time of the next attempt, if the kernel refused a change.
    pub(super) retry: Option<Instant>,
}

impl Job {
    pub(super) fn new(plan: Plan, present: Option<&ServiceSnapshot>) -> Self {
        let destinations = present.map_or(&[][..], |present| &present.destinations);
        Self {
            weights: Weights::new(destinations, plan.len()),
            execution: Execution::new(plan),
            obsolete: false,
            conflict: None,
            queued: false,
            unsent: None,
            unknown: None,
            retry: None,
        }
    }

    /// Sets the outcome of a step, and takes in its change if it is done.
    pub(super) fn set(&mut self, at: usize, outcome: StepOutcome) {
        let done = self.execution.step(at).filter(|_| outcome.is_done());
        if let Some(step) = done {
            self.weights.take_in(&step.change);
        }
        self.execution.set(at, outcome);
    }

    /// Returns `true` if the service has a usable destination.
    pub(super) fn serves(&self) -> bool {
        self.weights.0.iter().any(|(_, weight)| *weight > 0)
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

/// The weights of the destinations of a service, in the order of their ids: those that were read,
/// changed by what was written since.
#[derive(Debug)]
struct Weights(Vec<(DestinationId, u32)>);

impl Weights {
    /// `more` is the number of destinations for which to keep room.
    fn new(read: &[DestinationEntry], more: usize) -> Self {
        let mut weights = Vec::with_capacity(read.len() + more);
        weights.extend(read.iter().map(|entry| (entry.id(), entry.destination.weight)));
        Self(weights)
    }

    /// Takes in a change that the kernel has made.
    fn take_in(&mut self, change: &Change) {
        let Self(all) = self;
        let place = |id: &DestinationId| match all.last() {
            // The destinations of a new service come in order.
            Some((last, _)) if last < id => Err(all.len()),
            _ => all.binary_search_by_key(id, |(id, _)| *id),
        };
        match change {
            Change::AddDestination(_, Destination { id, weight, .. })
            | Change::UpdateDestination(_, Destination { id, weight, .. }) => {
                let at = place(id);
                match at.map(|at| all.get_mut(at)) {
                    Ok(Some(there)) => there.1 = *weight,
                    Ok(None) => {}
                    Err(at) => all.insert(at, (*id, *weight)),
                }
            }
            Change::DeleteDestination(_, id) => {
                if let Ok(at) = place(id) {
                    all.remove(at);
                }
            }
            Change::DeleteService(_) => all.clear(),
            _ => {}
        }
    }
}

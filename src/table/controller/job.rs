//! Writing the plan of one service.

use std::time::Instant;

use crate::model::{Change, DestinationEntry, DestinationId, ServiceSnapshot};
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
    /// `true` if steps of the plan are held back until the next attempt.
    pub(super) partial: bool,
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
        Self {
            weights: Weights::new(present),
            execution: Execution::new(plan),
            obsolete: false,
            conflict: None,
            partial: false,
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
        self.weights.has_usable()
    }

    /// Returns `true` if a failure has kept a step back that `is_meant`.
    pub(super) fn skipped(&self, is_meant: impl Fn(&Step) -> bool) -> bool {
        self.steps().any(|(step, done)| !done && is_meant(step))
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

/// The weights of the destinations of a service: those that were read, changed by what was written
/// since.
#[derive(Debug)]
enum Weights {
    /// The service was absent, and its plan only adds: whether a usable destination was added.
    Added { usable: bool },
    /// The weights, in the order of the ids.
    Known(Vec<(DestinationId, u32)>),
}

impl Weights {
    fn new(present: Option<&ServiceSnapshot>) -> Self {
        let weight = |entry: &DestinationEntry| (entry.id(), entry.destination.weight);
        match present {
            None => Self::Added { usable: false },
            Some(present) => Self::Known(present.destinations.iter().map(weight).collect()),
        }
    }

    fn has_usable(&self) -> bool {
        match self {
            Self::Added { usable } => *usable,
            Self::Known(weights) => weights.iter().any(|(_, weight)| *weight > 0),
        }
    }

    /// Takes in a change that the kernel has made.
    fn take_in(&mut self, change: &Change) {
        match (self, change) {
            (Self::Added { usable }, Change::AddDestination(_, added)) => {
                *usable |= added.weight > 0;
            }
            (
                Self::Known(weights),
                Change::AddDestination(_, there) | Change::UpdateDestination(_, there),
            ) => match weights.binary_search_by_key(&there.id, |(id, _)| *id) {
                Ok(at) => {
                    weights.iter_mut().skip(at).take(1).for_each(|known| known.1 = there.weight);
                }
                Err(at) => weights.insert(at, (there.id, there.weight)),
            },
            (Self::Known(weights), Change::DeleteDestination(_, id)) => {
                if let Ok(at) = weights.binary_search_by_key(id, |(id, _)| *id) {
                    weights.remove(at);
                }
            }
            (weights, Change::DeleteService(_)) => *weights = Self::Added { usable: false },
            _ => {}
        }
    }
}

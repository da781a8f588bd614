//! What a controller has done of a plan.

use std::collections::HashMap;

use ipvs_netlink::table::controller::{Controller, DrainEnd, DrainStatus, Event};
use ipvs_netlink::table::{Applied, Phase, Plan, Step, StepOutcome};
use ipvs_netlink::{Change, Connections, ServiceId};

/// The steps of a plan, with what the events of a controller tell of them.
pub(crate) struct Round<'p> {
    plan: &'p Plan,
    steps: HashMap<&'p Change, usize>,
    outcomes: Vec<Option<StepOutcome>>,
    /// What is not in the plan: what other programs have written since, and what fails.
    pub(crate) notes: Vec<String>,
    /// `true` if something was refused, failed, or is undone again and again.
    pub(crate) failed: bool,
    /// `true` if connections broke.
    pub(crate) cut: bool,
}

impl<'p> Round<'p> {
    pub(crate) fn new(plan: &'p Plan) -> Self {
        let steps = plan.steps().enumerate().map(|(at, step)| (&step.change, at));
        Self {
            plan,
            steps: steps.collect(),
            outcomes: vec![None; plan.len()],
            notes: Vec::new(),
            failed: false,
            cut: false,
        }
    }

    /// Notes what an event tells.
    pub(crate) fn take(&mut self, event: &Event) {
        let known = match event {
            Event::Done(change) => self.set(change, StepOutcome::Done),
            Event::Failed { change, error, .. } => {
                self.failed = true;
                self.set(change, StepOutcome::Failed(error.clone()))
            }
            Event::Unknown { change, error, .. } => {
                self.set(change, StepOutcome::Failed(error.clone()))
            }
            Event::Cut { service, destination, connections, .. } => {
                self.cut = true;
                let change = match destination {
                    Some(destination) => Change::DeleteDestination(*service, *destination),
                    None => Change::DeleteService(*service),
                };
                self.set(&change, StepOutcome::Cut(*connections))
            }
            Event::DrainEnded { service, destination, end: DrainEnd::Cut(connections), .. } => {
                self.cut = true;
                let one = Change::DeleteDestination(*service, *destination);
                self.set(&one, StepOutcome::Cut(*connections))
                    || self.cut_with_service(*service, *connections)
            }
            Event::Refused { .. } | Event::Contested { .. } | Event::BackingOff { .. } => {
                self.failed = true;
                false
            }
            // The steps tell the same.
            _ => true,
        };
        if !known {
            self.notes.push(event.to_string());
        }
    }

    /// Sets the outcome of the step that makes a change. Returns `false` if there is none.
    fn set(&mut self, change: &Change, outcome: StepOutcome) -> bool {
        let outcomes = &mut self.outcomes;
        let step = self.steps.get(change).and_then(|at| outcomes.get_mut(*at));
        step.map(|step| *step = Some(outcome)).is_some()
    }

    /// Notes connections that broke with a service, which is deleted in one step. Returns `false`
    /// if there is no such step.
    fn cut_with_service(&mut self, service: ServiceId, connections: Connections) -> bool {
        let change = Change::DeleteService(service);
        let before = self.steps.get(&change).and_then(|at| self.outcomes.get(*at)?.as_ref()?.cut());
        let all = before.into_iter().chain([connections]).sum();
        self.set(&change, StepOutcome::Cut(all))
    }

    /// Returns the result. The controller has done what it can, or was left.
    pub(crate) fn finish(self, controller: &Controller) -> Applied {
        let drains: Vec<DrainStatus> = controller.drains().collect();
        let steps = self.plan.steps().zip(self.outcomes);
        Applied::new(
            steps.map(|(step, outcome)| match outcome {
                Some(outcome) => outcome,
                None if is_draining(step, &drains) => StepOutcome::Draining,
                // Another program has done it since the plan was made.
                None if controller.is_settled() => StepOutcome::AlreadySo,
                None => StepOutcome::Stopped,
            }),
            None,
        )
    }
}

/// Returns `true` if a step is a deletion that waits for connections.
fn is_draining(step: &Step, drains: &[DrainStatus]) -> bool {
    let waits = |drain: &DrainStatus| {
        let destination = step.destination();
        step.service() == Some(drain.service)
            && destination.is_none_or(|destination| destination == drain.destination)
    };
    step.phase == Phase::Drained && drains.iter().any(waits)
}

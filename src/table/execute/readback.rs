//! Verifies the outcomes of a plan by reading the table after the last step.

use std::borrow::Borrow;
use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Change, DestinationId, ServiceId, Snapshot};
use crate::table::execute::applied::StepOutcome;
use crate::table::execute::execution::Execution;
use crate::table::execute::reading::ServiceReading;
use crate::table::plan::Plan;

/// The services to be read after the last step, with the steps to be verified.
#[derive(Debug)]
pub(crate) struct Readback(BTreeMap<ServiceId, Vec<usize>>);

impl Readback {
    pub(crate) fn new<P: Borrow<Plan>>(execution: &Execution<P>) -> Self {
        Self(execution.by_service(last_steps(execution)))
    }

    /// Returns the service to be read next, or `None` if all were read.
    pub(crate) fn next(&self) -> Option<ServiceId> {
        self.0.first_key_value().map(|(service, _)| *service)
    }

    /// Verifies the steps of the service that was to be read.
    pub(crate) fn saw<P: Borrow<Plan>>(
        &mut self,
        execution: &mut Execution<P>,
        reading: &ServiceReading<'_>,
    ) {
        let Some((_, steps)) = self.0.pop_first() else { return };
        for index in steps {
            if !execution.step(index).is_some_and(|step| reading.shows(step)) {
                execution.set(index, StepOutcome::Differs);
            }
        }
    }
}

/// Sets the outcome [`StepOutcome::Differs`] for every done step whose object is not as the step
/// asks in `snapshot`, which was taken after the steps and is complete.
pub(crate) fn check_outcomes<P: Borrow<Plan>>(execution: &mut Execution<P>, snapshot: &Snapshot) {
    let mut last: Option<(ServiceId, ServiceReading<'_>)> = None;
    let mut differing = Vec::new();
    for index in last_steps(execution) {
        let Some((step, service)) =
            execution.step(index).and_then(|step| Some((step, step.service()?)))
        else {
            continue;
        };
        // Look a service up once for steps in a row.
        let (_, reading) = match last.take() {
            Some(known) if known.0 == service => last.insert(known),
            _ => last.insert((service, ServiceReading::within(snapshot, service))),
        };
        if !reading.shows(step) {
            differing.push(index);
        }
    }
    differing.into_iter().for_each(|index| execution.set(index, StepOutcome::Differs));
}

/// Returns the steps to be verified: of every object the last step that is done. Deleting a service
/// overrides the steps of its destinations.
fn last_steps<P: Borrow<Plan>>(execution: &Execution<P>) -> impl Iterator<Item = usize> {
    let is_done = |index: usize| execution.outcome(index).is_some_and(StepOutcome::is_done);
    // Of the steps of one object only the last is a deletion: first the object drains.
    let mut deleted: BTreeSet<(ServiceId, Option<DestinationId>)> = BTreeSet::new();
    for (index, step) in execution.plan().steps().enumerate() {
        let deletes =
            matches!(step.change, Change::DeleteService(_) | Change::DeleteDestination(..));
        if let (true, true, Some(service)) = (deletes, is_done(index), step.service()) {
            deleted.insert((service, step.destination()));
        }
    }
    (0..execution.plan().len()).filter(move |index| {
        let Some(step) = execution.step(*index).filter(|_| is_done(*index)) else { return false };
        let Some(service) = step.service() else { return false };
        match step.change {
            Change::DeleteService(_) => true,
            _ if deleted.contains(&(service, None)) => false,
            Change::DeleteDestination(..) => true,
            _ => !deleted.contains(&(service, step.destination())),
        }
    })
}

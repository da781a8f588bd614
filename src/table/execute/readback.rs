//! Verifies the outcomes of a plan by reading the table after the last step.

use std::collections::BTreeSet;

use crate::engine::{Engine, Transport};
use crate::error::Error;
use crate::model::{Change, Snapshot};
use crate::table::execute::applied::StepOutcome;
use crate::table::execute::reading::{ServiceReading, read_service};
use crate::table::execute::state::Execution;
use crate::table::plan::Plan;

/// Sets the outcome [`StepOutcome::Differs`] for every done step whose object is not as the step
/// asks. Looks the objects up in `snapshot`, which was taken after the steps. Without a complete
/// snapshot, reads each service.
pub(crate) async fn check_outcomes<T: Transport>(
    engine: &mut Engine<T>,
    execution: &mut Execution<&Plan>,
    snapshot: Option<&Snapshot>,
) -> Result<(), Error> {
    let snapshot = snapshot.filter(|snapshot| snapshot.is_complete());
    let mut last = Vec::new();
    // Check only the last step for each object; deleting a service overrides its destinations'
    // steps.
    let mut seen = BTreeSet::new();
    let mut deleted = BTreeSet::new();
    for (index, step) in execution.plan().steps().enumerate().rev() {
        let done = execution.outcome(index).is_some_and(StepOutcome::is_done);
        let (true, Some(service)) = (done, step.service()) else { continue };
        if !deleted.contains(&service) && seen.insert((service, step.destination())) {
            last.push(index);
        }
        if matches!(step.change, Change::DeleteService(_)) {
            deleted.insert(service);
        }
    }
    for (service, steps) in execution.by_service(last) {
        let reading = match snapshot {
            Some(snapshot) => ServiceReading::within(snapshot, service),
            None => read_service(engine, service).await?,
        };
        for index in steps {
            let Some(step) = execution.step(index) else { continue };
            if !reading.shows(step) {
                execution.set(index, StepOutcome::Differs);
            }
        }
    }
    Ok(())
}

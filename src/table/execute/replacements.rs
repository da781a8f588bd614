//! Keeps destinations whose replacements are missing.

use std::collections::BTreeMap;

use crate::engine::{Engine, Transport};
use crate::model::{Change, DestinationId};
use crate::table::execute::applied::StepOutcome;
use crate::table::execute::reading::read_service;
use crate::table::execute::state::Execution;
use crate::table::plan::{Phase, Plan};

/// Reads services before `phase` takes destinations from them. Sets the outcome
/// [`StepOutcome::Kept`] for these steps if the service would have no destination with a weight
/// left: another program may have deleted the replacements since the plan was made, or set their
/// weight to 0.
pub(crate) async fn keep_without_replacement<T: Transport>(
    engine: &mut Engine<T>,
    execution: &mut Execution<&Plan>,
    phase: Phase,
) {
    let cleared = execution.range(Phase::Clear);
    if phase == Phase::Clear && cleared.is_empty() {
        return;
    }
    let taking = [Phase::Clear, Phase::Reduce, Phase::Delete, Phase::Drained];
    let indices: Vec<usize> = taking.into_iter().flat_map(|phase| execution.range(phase)).collect();
    let mut leaving = execution.by_service(execution.undecided(indices));
    leaving.retain(|service, steps| {
        execution.plan().usable.contains(service)
            && (phase != Phase::Clear || steps.iter().any(|step| cleared.contains(step)))
    });
    for (service, steps) in leaving {
        let changed =
            steps.iter().filter_map(|index| weight_after(&execution.step(*index)?.change));
        match read_service(engine, service).await {
            Ok(reading) => {
                let there = reading.destinations.iter().map(|entry| &entry.destination);
                let mut weights: BTreeMap<DestinationId, u32> =
                    there.map(|destination| (destination.id, destination.weight)).collect();
                for (id, after) in changed {
                    // A destination that was deleted gets no weight.
                    weights.entry(id).and_modify(|weight| *weight = after);
                }
                if weights.into_values().any(|weight| weight > 0) {
                    continue;
                }
                steps.iter().for_each(|index| execution.set(*index, StepOutcome::Kept));
            }
            Err(error) => steps.iter().for_each(|index| execution.fail_unread(*index, &error)),
        }
    }
}

/// Returns the weight of the destination after a change: 0 if the change deletes the destination.
/// Returns `None` if the change is not about a destination.
fn weight_after(change: &Change) -> Option<(DestinationId, u32)> {
    match change {
        Change::AddDestination(_, destination) | Change::UpdateDestination(_, destination) => {
            Some((destination.id, destination.weight))
        }
        Change::DeleteDestination(_, id) => Some((*id, 0)),
        _ => None,
    }
}

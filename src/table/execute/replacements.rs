//! Looking, before destinations are taken away, whether those that are to take over are there.

use std::collections::BTreeMap;

use crate::engine::{Engine, Transport};
use crate::model::{Change, DestinationId};
use crate::table::execute::applied::StepOutcome;
use crate::table::execute::reading::read_service;
use crate::table::execute::state::Execution;
use crate::table::plan::Phase;

/// Keeps destinations whose successors are not there when `phase` begins to take them
/// away: somebody else may have deleted them, or given them weight 0, since the plan was
/// made.
pub(crate) async fn keep_without_replacement<T: Transport>(
    engine: &mut Engine<T>,
    execution: &mut Execution<'_>,
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
        execution.plan.usable.contains(service)
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
                    // One that is gone gets no weight.
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

/// The weight that a destination has after a change, 0 for one that is deleted.
fn weight_after(change: &Change) -> Option<(DestinationId, u32)> {
    match change {
        Change::AddDestination(_, destination) | Change::UpdateDestination(_, destination) => {
            Some((destination.id, destination.weight))
        }
        Change::DeleteDestination(_, id) => Some((*id, 0)),
        _ => None,
    }
}

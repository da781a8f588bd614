//! Undoes additions that do harm: a new service without a usable destination, which drops packets,
//! and new destinations in a service of another program.

use std::iter;

use crate::engine::{Engine, Transport};
use crate::error::Certainty;
use crate::model::Change;
use crate::table::execute::applied::StepOutcome;
use crate::table::execute::reading::read_service;
use crate::table::execute::state::Execution;
use crate::table::plan::{Phase, Plan};

/// Undoes the harmful additions of [`Phase::Add`], service by service.
pub(crate) async fn undo_useless<T: Transport>(
    engine: &mut Engine<T>,
    execution: &mut Execution<&Plan>,
) {
    let mut range = execution.range(Phase::Add).peekable();
    while let Some(index) = range.next() {
        let is_destination =
            |at: &usize| execution.step(*at).is_some_and(|step| step.destination().is_some());
        let destinations: Vec<usize> = iter::from_fn(|| range.next_if(is_destination)).collect();
        match execution.outcome(index) {
            Some(StepOutcome::Done) => {
                undo_useless_service(engine, execution, index, &destinations).await;
            }
            Some(StepOutcome::Failed(error)) if error.certainty() != Some(Certainty::Unknown) => {
                undo_destinations(engine, execution, index, &destinations).await;
            }
            _ => {}
        }
    }
}

/// Deletes a new service if it was to have usable destinations and none of them could be added.
async fn undo_useless_service<T: Transport>(
    engine: &mut Engine<T>,
    execution: &mut Execution<&Plan>,
    added: usize,
    destinations: &[usize],
) {
    let (mut wanted, mut usable, mut failed) = (false, false, None);
    for index in destinations {
        let weight = match execution.step(*index).map(|step| &step.change) {
            Some(Change::AddDestination(_, destination)) => destination.weight,
            _ => 0,
        };
        wanted |= weight > 0;
        match execution.outcome(*index) {
            Some(outcome) if outcome.is_done() => usable |= weight > 0,
            // The kernel may have added the destination.
            Some(StepOutcome::Failed(error)) if error.certainty() == Some(Certainty::Unknown) => {
                usable = true;
            }
            Some(StepOutcome::Skipped { because }) => failed = failed.or(Some(*because)),
            _ => failed = failed.or(Some(*index)),
        }
    }
    let (true, Some(id), Some(because)) = (wanted && !usable, execution.service(added), failed)
    else {
        return;
    };
    // Another program may have added a destination, or may have made the service anew.
    let serves = read_service(engine, id).await.map_or(true, |reading| {
        let mut weights = reading.destinations.iter().map(|entry| entry.destination.weight);
        !reading.complete || weights.any(|weight| weight > 0)
    });
    if !serves && undo(engine, execution, added, Change::DeleteService(id), because).await {
        // The destinations of weight 0 were deleted with the service.
        for index in destinations {
            if execution.outcome(*index).is_some_and(StepOutcome::is_done) {
                execution.set(*index, StepOutcome::Undone { because });
            }
        }
    }
}

/// Deletes the destinations that were added to a service of another program. They were sent
/// together with a new service that the kernel refused.
async fn undo_destinations<T: Transport>(
    engine: &mut Engine<T>,
    execution: &mut Execution<&Plan>,
    because: usize,
    destinations: &[usize],
) {
    for index in destinations {
        let (Some(StepOutcome::Done), Some(step)) =
            (execution.outcome(*index), execution.step(*index))
        else {
            continue;
        };
        if let (Some(service), Some(id)) = (step.service(), step.destination()) {
            undo(engine, execution, *index, Change::DeleteDestination(service, id), because).await;
        }
    }
}

/// Undoes a step by its opposite. Returns `true` if the step is undone.
async fn undo<T: Transport>(
    engine: &mut Engine<T>,
    execution: &mut Execution<&Plan>,
    index: usize,
    opposite: Change,
    because: usize,
) -> bool {
    match engine.change(&opposite).await {
        Err(error) if error.certainty() == Some(Certainty::Unknown) => {
            execution.set(index, StepOutcome::Failed(error));
            false
        }
        // The kernel refused: the step stays done.
        Err(error) if !error.is_not_found() => false,
        _ => {
            execution.set(index, StepOutcome::Undone { because });
            true
        }
    }
}

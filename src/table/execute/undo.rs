//! Taking back of new services what is of no use: a service that takes packets and has nobody
//! to send them to, and destinations in somebody else's service.

use std::iter;

use crate::engine::{Engine, Transport};
use crate::error::Certainty;
use crate::model::Change;
use crate::table::execute::applied::StepOutcome;
use crate::table::execute::reading::read_service;
use crate::table::execute::state::Execution;
use crate::table::plan::Phase;

/// Takes back of the new services what is worse than nothing.
pub(crate) async fn undo_useless<T: Transport>(
    engine: &mut Engine<T>,
    execution: &mut Execution<'_>,
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

/// A service that takes packets and has nobody to send them to is worse than none.
async fn undo_useless_service<T: Transport>(
    engine: &mut Engine<T>,
    execution: &mut Execution<'_>,
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
            // It may have been done.
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
    // Somebody else may have given it a destination, or it may be theirs.
    let serves = read_service(engine, id).await.map_or(true, |reading| {
        let mut weights = reading.destinations.iter().map(|entry| entry.destination.weight);
        !reading.complete || weights.any(|weight| weight > 0)
    });
    if !serves && undo(engine, execution, added, Change::DeleteService(id), because).await {
        // Those of weight 0 have gone with it.
        for index in destinations {
            if execution.outcome(*index).is_some_and(StepOutcome::is_done) {
                execution.set(*index, StepOutcome::Undone { because });
            }
        }
    }
}

/// Deletes destinations that got into a service of another program: they were sent along with
/// a service that could not be added.
async fn undo_destinations<T: Transport>(
    engine: &mut Engine<T>,
    execution: &mut Execution<'_>,
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

/// Takes a step back by its opposite. True if that is done.
async fn undo<T: Transport>(
    engine: &mut Engine<T>,
    execution: &mut Execution<'_>,
    index: usize,
    opposite: Change,
    because: usize,
) -> bool {
    match engine.change(&opposite).await {
        Err(error) if error.certainty() == Some(Certainty::Unknown) => {
            execution.set(index, StepOutcome::Failed(error));
            false
        }
        // It is there as it was.
        Err(error) if !error.is_not_found() => false,
        _ => {
            execution.set(index, StepOutcome::Undone { because });
            true
        }
    }
}

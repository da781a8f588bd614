//! Keeps destinations whose replacements are missing.

use std::borrow::Borrow;
use std::collections::BTreeMap;

use crate::error::Error;
use crate::model::{Change, DestinationId, ServiceId};
use crate::table::execute::applied::StepOutcome;
use crate::table::execute::execution::Execution;
use crate::table::execute::reading::ServiceReading;
use crate::table::plan::{Phase, Plan};

/// The services to be read before a phase takes destinations from them, with the steps that take
/// some.
///
/// These steps get the outcome [`StepOutcome::Kept`] if the service would have no destination with a
/// weight left: another program may have deleted the replacements since the plan was made, or set
/// their weight to 0.
#[derive(Debug)]
pub(crate) struct Replacements(BTreeMap<ServiceId, Vec<usize>>);

impl Replacements {
    /// Finds the services to be read before `phase`.
    pub(crate) fn before<P: Borrow<Plan>>(execution: &Execution<P>, phase: Phase) -> Self {
        let cleared = execution.range(Phase::Clear);
        let looks = match phase {
            Phase::Clear => !cleared.is_empty(),
            Phase::Reduce => true,
            _ => false,
        };
        if !looks || execution.plan().usable.is_empty() {
            return Self(BTreeMap::new());
        }
        let taking = [Phase::Clear, Phase::Reduce, Phase::Delete, Phase::Drained];
        let steps: Vec<usize> =
            taking.into_iter().flat_map(|phase| execution.range(phase)).collect();
        let mut leaving = execution.by_service(execution.undecided(steps));
        leaving.retain(|service, steps| {
            execution.plan().usable.contains(service)
                && (phase != Phase::Clear || steps.iter().any(|step| cleared.contains(step)))
        });
        Self(leaving)
    }

    /// Returns the service to be read next, or `None` if all were read.
    pub(crate) fn next(&self) -> Option<ServiceId> {
        self.0.first_key_value().map(|(service, _)| *service)
    }

    /// Judges the steps of the service that was to be read.
    pub(crate) fn saw<P: Borrow<Plan>>(
        &mut self,
        execution: &mut Execution<P>,
        reading: Result<ServiceReading<'static>, Error>,
    ) {
        let Some((_, steps)) = self.0.pop_first() else { return };
        match reading {
            Ok(reading) if is_usable(execution, &reading, &steps) => {}
            Ok(_) => steps.iter().for_each(|index| execution.set(*index, StepOutcome::Kept)),
            Err(error) => steps.iter().for_each(|index| execution.fail_unread(*index, &error)),
        }
    }
}

/// Returns `true` if `steps` leave a destination with a weight, and take no last one on the way: a
/// step that gives another destination a weight again may come later, and the kernel may refuse it.
fn is_usable<P: Borrow<Plan>>(
    execution: &Execution<P>,
    reading: &ServiceReading<'_>,
    steps: &[usize],
) -> bool {
    let there = reading.destinations.iter().map(|entry| &entry.destination);
    // The weights before and after the steps.
    let mut weights: BTreeMap<DestinationId, (u32, u32)> = there
        .map(|destination| (destination.id, (destination.weight, destination.weight)))
        .collect();
    let changed = steps.iter().filter_map(|index| weight_after(&execution.step(*index)?.change));
    for (id, new) in changed {
        // A destination that was deleted gets no weight.
        weights.entry(id).and_modify(|(_, after)| *after = new);
    }
    let any =
        |has: fn(u32, u32) -> bool| weights.values().any(|(before, after)| has(*before, *after));
    let stays = any(|before, after| before > 0 && after > 0);
    stays || (any(|_, after| after > 0) && !any(|before, _| before > 0))
}

/// Returns the weight of the destination after a change: 0 if the change deletes the destination.
/// Returns `None` if the change is not about a destination.
const fn weight_after(change: &Change) -> Option<(DestinationId, u32)> {
    match change {
        Change::AddDestination(_, destination) | Change::UpdateDestination(_, destination) => {
            Some((destination.id, destination.weight))
        }
        Change::DeleteDestination(_, id) => Some((*id, 0)),
        _ => None,
    }
}

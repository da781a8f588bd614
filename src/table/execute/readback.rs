//! Looking at the table before something is taken away, and after all is done.

use std::collections::{BTreeMap, BTreeSet};

use crate::engine::{Engine, Transport};
use crate::error::Error;
use crate::model::{Change, DestinationId, Snapshot};
use crate::table::look::Look;
use crate::table::run::Run;
use crate::table::{Phase, StepOutcome};

impl<T: Transport> Engine<T> {
    /// Keeps destinations whose successors are not there when `phase` begins to take them
    /// away: somebody else may have deleted them, or given them weight 0, since the plan was
    /// made.
    pub(crate) async fn keep_what_is_needed(&mut self, run: &mut Run<'_>, phase: Phase) {
        let cleared = run.range(Phase::Clear);
        if phase == Phase::Clear && cleared.is_empty() {
            return;
        }
        let taking = [Phase::Clear, Phase::Reduce, Phase::Delete, Phase::Drained];
        let indices: Vec<usize> = taking.into_iter().flat_map(|phase| run.range(phase)).collect();
        let mut leaving = run.by_service(run.undecided(indices));
        leaving.retain(|service, steps| {
            run.plan.usable.contains(service)
                && (phase != Phase::Clear || steps.iter().any(|step| cleared.contains(step)))
        });
        for (service, steps) in leaving {
            let changed = steps.iter().filter_map(|index| weight_after(&run.step(*index)?.change));
            match self.look_at(service).await {
                Ok(look) => {
                    let there = look.destinations.iter().map(|entry| &entry.destination);
                    let mut weights: BTreeMap<DestinationId, u32> =
                        there.map(|destination| (destination.id, destination.weight)).collect();
                    for (id, after) in changed {
                        // One that is gone gets no weight.
                        weights.entry(id).and_modify(|weight| *weight = after);
                    }
                    if weights.into_values().any(|weight| weight > 0) {
                        continue;
                    }
                    steps.iter().for_each(|index| run.set(*index, StepOutcome::Kept));
                }
                Err(error) => steps.iter().for_each(|index| run.fail_unread(*index, &error)),
            }
        }
    }

    /// Looks whether what the steps have touched is as they ask: in `snapshot`, which was
    /// taken after them, if it can be relied on, else by reading it.
    pub(crate) async fn verify_steps(
        &mut self,
        run: &mut Run<'_>,
        snapshot: Option<&Snapshot>,
    ) -> Result<(), Error> {
        let snapshot = snapshot.filter(|snapshot| snapshot.is_consistent());
        let mut last = Vec::new();
        // The last step about an object has the last word, and the deletion of a service
        // has it about its destinations.
        let mut seen = BTreeSet::new();
        let mut deleted = BTreeSet::new();
        for (index, step) in run.plan.steps().enumerate().rev() {
            let done = run.outcome(index).is_some_and(StepOutcome::is_done);
            let (true, Some(service)) = (done, step.service()) else { continue };
            if !deleted.contains(&service) && seen.insert((service, step.destination())) {
                last.push(index);
            }
            if matches!(step.change, Change::DeleteService(_)) {
                deleted.insert(service);
            }
        }
        for (service, steps) in run.by_service(last) {
            let look = match snapshot {
                Some(snapshot) => Look::within(snapshot, service),
                None => self.look_at(service).await?,
            };
            for index in steps {
                let Some(step) = run.step(index) else { continue };
                if !look.shows(step) {
                    run.set(index, StepOutcome::Differs);
                }
            }
        }
        Ok(())
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

use std::collections::BTreeMap;

use crate::model::{Change, DestinationId, ServiceId};
use crate::table::plan::{Before, Purpose};
use crate::table::{Applied, Plan, Step};

/// The weights that destinations had before a plan let them drain.
///
/// A draining destination has weight 0 in the kernel, and so has one that a health check or a person
/// has stopped. A program that keeps this value from one plan to the next can tell them apart. It
/// gives the value to [`PlanOptions::drained_weights`](crate::table::PlanOptions::drained_weights),
/// which restores the weights of destinations
/// [of any weight](crate::table::TableDestination::of_any_weight) that are desired again.
///
/// ```no_run
/// use ipvs_netlink::table::{DrainedWeights, Plan, PlanOptions, Table};
/// # fn desired() -> Table { Table::new() }
/// # fn wait() {}
/// # fn example(ipvs: &mut ipvs_netlink::Client) -> Result<(), Box<dyn std::error::Error>> {
///
/// let mut weights = DrainedWeights::new();
/// loop {
///     let options = PlanOptions::new().keep_weights(true).drained_weights(weights.clone());
///     let plan = Plan::new(&ipvs.snapshot()?, &desired(), &options)?;
///     let applied = ipvs.apply(&plan);
///     weights.note(&plan, &applied);
///     wait();
/// }
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DrainedWeights {
    /// No service has an empty map.
    weights: BTreeMap<ServiceId, BTreeMap<DestinationId, u32>>,
}

impl DrainedWeights {
    /// Creates an empty collection.
    #[must_use]
    pub const fn new() -> Self {
        Self { weights: BTreeMap::new() }
    }

    /// Returns the number of weights.
    #[must_use]
    pub fn len(&self) -> usize {
        self.weights.values().map(BTreeMap::len).sum()
    }

    /// Returns `true` if there is no weight.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.weights.is_empty()
    }

    /// Returns the former weight of a destination that drains.
    #[must_use]
    pub fn of(&self, service: ServiceId, destination: DestinationId) -> Option<u32> {
        self.weights.get(&service)?.get(&destination).copied()
    }

    /// Remembers a weight, such as that of
    /// [`Drained::Cancelled`](crate::table::Drained::Cancelled).
    pub fn insert(&mut self, service: ServiceId, destination: DestinationId, weight: u32) {
        self.weights.entry(service).or_default().insert(destination, weight);
    }

    /// Forgets a weight.
    pub(crate) fn remove(&mut self, service: ServiceId, destination: DestinationId) {
        let Some(weights) = self.weights.get_mut(&service) else { return };
        weights.remove(&destination);
        if weights.is_empty() {
            self.weights.remove(&service);
        }
    }

    /// Adds the former weights of destinations that `plan` let drain, and removes those of
    /// destinations that it deleted or gave a weight. Only steps that are done in `applied` count.
    pub fn note(&mut self, plan: &Plan, applied: &Applied) {
        let steps = plan.steps().zip(applied.outcomes());
        steps.filter(|(_, outcome)| outcome.is_done()).for_each(|(step, _)| self.note_step(step));
    }

    /// Takes in a step that is done.
    pub(crate) fn note_step(&mut self, step: &Step) {
        match (&step.change, step.purpose, step.before()) {
            (
                Change::UpdateDestination(service, after),
                Purpose::Drain,
                Some(Before::Destination { destination, .. }),
            ) => {
                self.insert(*service, after.id, destination.weight);
            }
            _ if self.weights.is_empty() => {}
            (
                Change::AddDestination(service, destination)
                | Change::UpdateDestination(service, destination),
                ..,
            ) => {
                self.remove(*service, destination.id);
            }
            (Change::DeleteDestination(service, id), ..) => {
                self.remove(*service, *id);
            }
            (Change::DeleteService(service), ..) => {
                self.weights.remove(service);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::StepOutcome;
    use crate::table::tests::planning::{everything, server, there, wanted, web};

    #[test]
    fn a_weight_is_remembered_until_the_destination_has_gone_or_is_wanted_again() {
        let (id, first) = (web().id, server(1).id);
        let current = there(web(), &[server(1).weight(7), server(2)]);
        let leave = Plan::new(&current, &wanted(web(), &[server(2)]), &everything()).unwrap();
        let mut weights = DrainedWeights::new();
        let draining = Applied::new(vec![StepOutcome::Done, StepOutcome::Draining], None);
        weights.note(&leave, &draining);
        assert_eq!(weights.of(id, first), Some(7));

        let mut gone = weights.clone();
        gone.note(&leave, &Applied::new(vec![StepOutcome::Done, StepOutcome::Done], None));
        assert!(gone.is_empty());

        let current = there(web(), &[server(1).weight(0), server(2)]);
        let back = wanted(web(), &[server(1).weight(3), server(2)]);
        let back = Plan::new(&current, &back, &everything()).unwrap();
        weights.note(&back, &Applied::new(vec![StepOutcome::Stopped], None));
        assert_eq!(weights.len(), 1);
        weights.note(&back, &Applied::new(vec![StepOutcome::Done], None));
        assert!(weights.is_empty());
    }
}

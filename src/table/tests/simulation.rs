//! Simulates random plans step by step, and checks the table after each step.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::strategies::{current, desired, options};
use crate::model::{
    Change, Connections, Destination, DestinationEntry, DestinationId, Scheduler, Service,
    ServiceEntry, ServiceId, ServiceSnapshot, Snapshot, Stats,
};
use crate::table::{
    Applied, DrainedWeights, Phase, Plan, PlanOptions, Scope, StepOutcome, Table, TableDestination,
    TableService,
};

/// A table that changes in the same way as the kernel's.
#[derive(Clone, Debug, PartialEq)]
struct Kernel(BTreeMap<ServiceId, (Service, BTreeMap<DestinationId, Destination>)>);

impl Kernel {
    fn of(snapshot: &Snapshot) -> Self {
        let service = |service: &ServiceSnapshot| {
            let destinations = service.destinations.iter().map(|entry| &entry.destination);
            let destinations =
                destinations.map(|destination| (destination.id, destination.clone()));
            let settings = service.entry.service.clone();
            (settings.id, (settings, destinations.collect()))
        };
        Self(snapshot.services().map(service).collect())
    }

    fn destinations(&mut self, id: ServiceId) -> &mut BTreeMap<DestinationId, Destination> {
        &mut self.0.get_mut(&id).expect("the service exists").1
    }

    /// Applies a change, which the kernel must not refuse.
    fn step(&mut self, change: &Change) {
        match change.clone() {
            Change::AddService(service) => {
                assert!(self.0.insert(service.id, (service, BTreeMap::new())).is_none());
            }
            Change::UpdateService(service) => {
                let id = service.id;
                self.0.get_mut(&id).expect("the service exists").0 = service;
            }
            Change::DeleteService(id) => assert!(self.0.remove(&id).is_some()),
            Change::AddDestination(id, destination) => {
                assert!(self.destinations(id).insert(destination.id, destination).is_none());
            }
            Change::UpdateDestination(id, destination) => {
                assert!(self.destinations(id).insert(destination.id, destination).is_some());
            }
            Change::DeleteDestination(id, destination) => {
                assert!(self.destinations(id).remove(&destination).is_some());
            }
            other => panic!("a plan has no {other}"),
        }
    }

    /// Returns `true` if every new connection to the service finds a destination. With some
    /// schedulers one destination of weight 0 is enough to refuse clients.
    fn is_usable(&self, id: ServiceId) -> bool {
        self.0.get(&id).is_some_and(|(service, destinations)| {
            let weights = || destinations.values().map(|destination| destination.weight);
            weights().any(|weight| weight > 0)
                && !(service.refuses_at_weight_zero() && weights().any(|weight| weight == 0))
        })
    }

    /// Returns the largest connection limit of the destinations with a weight. A service that had
    /// room for a connection keeps that room as long as this number does not fall.
    fn room(&self, id: ServiceId) -> u32 {
        let destinations = self.0.get(&id).into_iter().flat_map(|(_, all)| all.values());
        let usable = destinations.filter(|destination| destination.weight > 0);
        usable.map(|destination| destination.thresholds.limit()).max().unwrap_or(0)
    }

    fn snapshot(&self) -> Snapshot {
        let service = |(service, destinations): &(Service, BTreeMap<_, Destination>)| {
            let entry = |destination: &Destination| {
                let none = Connections::default();
                DestinationEntry::new(destination.clone(), none, Stats::default())
            };
            let entries = destinations.values().map(entry).collect();
            ServiceSnapshot::new(ServiceEntry::new(service.clone(), Stats::default()), entries)
        };
        self.0.values().map(service).collect()
    }
}

/// Returns the table that a plan must lead to.
fn expected(current: &Kernel, desired: &Table, options: &PlanOptions) -> Kernel {
    let mut expected = current.clone();
    expected.0.retain(|id, _| !options.scope.contains(*id, desired));
    for service in desired {
        let before = current.0.get(&service.id());
        let destinations = service.destinations().map(|wanted| {
            let before = before.and_then(|(_, destinations)| destinations.get(&wanted.id()));
            let kept = before.filter(|_| options.keep_weights).map(|before| match before.weight {
                0 => options.drained_weights.of(service.id(), wanted.id()).unwrap_or(0),
                weight => weight,
            });
            let weight = wanted.weight().or(kept).unwrap_or(wanted.destination().weight);
            (wanted.id(), wanted.destination().clone().weight(weight))
        });
        let destinations = destinations.collect();
        expected.0.insert(service.id(), (service.service().clone(), destinations));
    }
    expected
}

/// Carries a plan out step by step, and judges the table after each step.
fn arrives(
    current: &Snapshot,
    desired: &Table,
    options: &PlanOptions,
) -> Result<(), TestCaseError> {
    let plan = Plan::new(current, desired, options).unwrap();
    let before = Kernel::of(current);
    let after = expected(&before, desired, options);
    let mut kernel = before.clone();
    let mut phase = Phase::Add;
    for step in &plan {
        prop_assert!(phase <= step.phase, "{step:?} comes after {phase:?}");
        phase = step.phase;
        kernel.step(&step.change);
        for id in before.0.keys() {
            if before.is_usable(*id) && after.is_usable(*id) {
                prop_assert!(kernel.is_usable(*id), "{id} is down after {}", step.change);
            }
            let least = before.room(*id).min(after.room(*id));
            prop_assert!(kernel.room(*id) >= least, "{id} has less room after {}", step.change);
            if !options.scope.contains(*id, desired) {
                prop_assert_eq!(kernel.0.get(id), before.0.get(id));
            }
        }
    }
    prop_assert_eq!(&kernel, &after);
    let mut weights = options.drained_weights.clone();
    weights.note(&plan, &Applied::new(vec![StepOutcome::Done; plan.len()], None));
    let options = options.clone().drained_weights(weights);
    let again = Plan::new(&kernel.snapshot(), desired, &options).unwrap();
    prop_assert!(again.is_empty(), "{again:?}");
    Ok(())
}

#[test]
fn a_weight_is_remembered_for_a_destination_that_is_added_with_weight_0() {
    let service = Service::udp(([192, 0, 2, 1], 53).into()).scheduler(Scheduler::ROUND_ROBIN);
    let server = Destination::masquerade(([10, 0, 0, 3], 8080).into()).weight(0);
    let mut weights = DrainedWeights::new();
    weights.insert(service.id, server.id, 1);
    let desired = TableService::new(service).with(TableDestination::of_any_weight(server));
    let desired = [desired].into_iter().collect();
    let options = PlanOptions::new().keep_weights(true).drained_weights(weights).drain(None);
    arrives(&Snapshot::default(), &desired, &options).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn a_plan_arrives_and_loses_nothing_on_the_way(
        current in current(), desired in desired(), options in options()
    ) {
        arrives(&current, &desired, &options)?;
    }

    #[test]
    fn a_plan_to_what_is_there_is_empty(current in current()) {
        let options = PlanOptions::new().scope(Scope::new().everything());
        let plan = Plan::new(&current, &Table::from(&current), &options).unwrap();
        prop_assert!(plan.is_empty(), "{plan:?}");
    }

    #[test]
    fn a_plan_that_was_interrupted_is_finished_by_the_next(
        current in current(), desired in desired(), options in options(), done in 0.0..1.0_f64
    ) {
        let plan = Plan::new(&current, &desired, &options).unwrap();
        let before = Kernel::of(&current);
        let mut kernel = before.clone();
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
        let done = (plan.len() as f64 * done) as usize;
        for step in plan.steps().take(done) {
            kernel.step(&step.change);
        }
        let options = options.keep_weights(false);
        let rest = Plan::new(&kernel.snapshot(), &desired, &options).unwrap();
        for step in &rest {
            kernel.step(&step.change);
        }
        prop_assert_eq!(kernel, expected(&before, &desired, &options));
    }
}

//! Random changes against a model of the kernel's table.

use std::collections::BTreeMap;
use std::time::Duration;

use ipvs_netlink::table::{Table, TableService};
use ipvs_netlink::{
    AddressFamily, Change, Destination, DestinationId, ErrorKind, Forwarding, Outcome, Service,
    ServiceFlags, ServiceId, Tunnel,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use super::client::Client;
use super::namespace::fresh;
use super::tables::{address, server, settings};

#[derive(Default)]
struct Model(BTreeMap<ServiceId, (Service, BTreeMap<DestinationId, Destination>)>);

impl Model {
    /// Applies a change, or returns the kind of the refusal.
    fn change(&mut self, change: &Change) -> Result<(), ErrorKind> {
        let no_service = ErrorKind::NoSuchService;
        let no_destination = ErrorKind::NoSuchDestination;
        match change.clone() {
            Change::AddService(service) => {
                if self.0.contains_key(&service.id) {
                    return Err(ErrorKind::ServiceExists);
                }
                self.0.insert(service.id, (service, BTreeMap::new()));
            }
            Change::UpdateService(service) => {
                let there = self.0.get_mut(&service.id).ok_or(no_service)?;
                there.0 = service;
            }
            Change::DeleteService(id) => drop(self.0.remove(&id).ok_or(no_service)?),
            Change::ZeroService(id) => drop(self.0.get(&id).ok_or(no_service)?),
            Change::AddDestination(id, destination) => {
                let destinations = &mut self.0.get_mut(&id).ok_or(no_service)?.1;
                if destinations.contains_key(&destination.id) {
                    return Err(ErrorKind::DestinationExists);
                }
                destinations.insert(destination.id, destination);
            }
            Change::UpdateDestination(id, destination) => {
                let destinations = &mut self.0.get_mut(&id).ok_or(no_service)?.1;
                let there = destinations.get_mut(&destination.id).ok_or(no_destination)?;
                *there = destination;
            }
            Change::DeleteDestination(id, destination) => {
                let destinations = &mut self.0.get_mut(&id).ok_or(no_service)?.1;
                destinations.remove(&destination).ok_or(no_destination)?;
            }
            Change::Flush => self.0.clear(),
            other => panic!("no change of tables: {other}"),
        }
        Ok(())
    }

    fn table(&self) -> Table {
        let service = |(service, destinations): &(Service, BTreeMap<_, Destination>)| {
            destinations
                .values()
                .cloned()
                .fold(TableService::new(service.clone()), TableService::with)
        };
        self.0.values().map(service).collect()
    }
}

fn some_service() -> impl Strategy<Value = Service> {
    let id = prop_oneof![
        (1..4_u8).prop_map(|host| ServiceId::tcp(address(host))),
        (1..3_u8).prop_map(|host| ServiceId::udp(address(host))),
        (1..3_u32).prop_map(|mark| ServiceId::fwmark(mark, AddressFamily::Ipv4)),
    ];
    let flags = select(vec![
        ServiceFlags::empty(),
        ServiceFlags::ONE_PACKET,
        ServiceFlags::SCHED_1 | ServiceFlags::SCHED_2,
    ]);
    let timeout = prop::option::of(1..400_u64);
    (id, select(vec!["rr", "wlc", "sh", "mh"]), flags, timeout).prop_map(
        |(id, scheduler, flags, timeout)| {
            let service = Service::new(id).scheduler(scheduler.parse().unwrap()).flags(flags);
            match timeout {
                Some(timeout) => service.persistent(Duration::from_secs(timeout)),
                None => service,
            }
        },
    )
}

fn some_destination() -> impl Strategy<Value = Destination> {
    let forwarding = select(vec![
        Forwarding::Masquerade,
        Forwarding::DirectRoute,
        Forwarding::Tunnel(Tunnel::Ipip),
        Forwarding::Tunnel(Tunnel::Gre { checksum: true }),
    ]);
    (1..4_u8, forwarding, 0..5_u32, 0..9_u32).prop_map(|(host, forwarding, weight, upper)| {
        server(host).forwarding(forwarding).weight(weight).thresholds(upper, upper / 2)
    })
}

fn some_change() -> impl Strategy<Value = Change> {
    (some_service(), some_destination(), 0..60_u8).prop_map(|(service, destination, what)| {
        let id = service.id;
        match what {
            0 => Change::Flush,
            1..10 => Change::AddService(service),
            10..17 => Change::UpdateService(service),
            17..21 => Change::DeleteService(id),
            21..25 => Change::ZeroService(id),
            25..40 => Change::AddDestination(id, destination),
            40..52 => Change::UpdateDestination(id, destination),
            _ => Change::DeleteDestination(id, destination.id),
        }
    })
}

#[test]
fn every_outcome_and_the_table_are_as_the_model_says() {
    let mut ipvs: Client = fresh();
    let mut model = Model::default();
    let mut runner = TestRunner::deterministic();
    let changes = vec(some_change(), 1..120);
    let (mut done, mut refused) = (0, 0);
    for round in 0..200 {
        let changes = changes.new_tree(&mut runner).unwrap().current();
        let report = ipvs.submit(&changes);
        assert_eq!(report.len(), changes.len());
        for (change, outcome) in changes.iter().zip(report.outcomes()) {
            let expected = model.change(change);
            match (&expected, outcome) {
                (Ok(()), Outcome::Done) => done += 1,
                (Err(kind), Outcome::Refused(error)) if error.kind() == *kind => refused += 1,
                _ => panic!("round {round}: {change}: {outcome:?}, expected {expected:?}"),
            }
        }
        let snapshot = ipvs.snapshot().unwrap();
        assert!(snapshot.is_complete());
        assert_eq!(settings(&snapshot), model.table(), "round {round}");
    }
    assert!(done > 2000 && refused > 2000, "{done} done, {refused} refused");
}

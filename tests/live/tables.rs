//! Declared tables on a kernel: plans and their application.

use std::net::SocketAddr;
use std::time::Duration;

use ipvs_netlink::table::{
    DrainPolicy, DrainUntil, Drained, Plan, PlanError, PlanOptions, ReconcileError, Scope, Table,
    TableDestination, TableService,
};
use ipvs_netlink::{
    AddressFamily, Destination, ErrorKind, Forwarding, Scheduler, Service, ServiceFlags, Snapshot,
    Thresholds, Tunnel,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use super::client::Client;
use super::namespace::fresh;

pub(crate) fn address(host: u8) -> SocketAddr {
    ([192, 0, 2, host], 80).into()
}

pub(crate) fn web() -> Service {
    Service::tcp(address(10)).scheduler(Scheduler::ROUND_ROBIN)
}

pub(crate) fn server(host: u8) -> Destination {
    Destination::masquerade(([10, 0, 0, host], 8080).into())
}

pub(crate) fn table(service: Service, destinations: &[Destination]) -> Table {
    let service = destinations.iter().cloned().fold(TableService::new(service), TableService::with);
    [service].into_iter().collect()
}

pub(crate) fn everything() -> PlanOptions {
    PlanOptions::new().scope(Scope::new().everything())
}

pub(crate) fn plan(ipvs: &mut Client, desired: &Table) -> Plan {
    Plan::new(&ipvs.snapshot().unwrap(), desired, &everything()).unwrap()
}

/// Reads the table without counters and connections.
pub(crate) fn settings(snapshot: &Snapshot) -> Table {
    Table::from(snapshot)
}

fn some_table() -> impl Strategy<Value = Table> {
    let id = prop_oneof![
        (1..5_u8).prop_map(|host| Service::tcp(address(host))),
        (1..3_u8).prop_map(|host| Service::udp(address(host))),
        (1..3_u32).prop_map(|mark| Service::fwmark(mark, AddressFamily::Ipv4)),
        (1..3_u32).prop_map(|mark| Service::fwmark(mark, AddressFamily::Ipv6)),
    ];
    let scheduler = prop::sample::select(vec!["rr", "wlc", "sh", "dh", "mh", "nq"]);
    let flags = prop::sample::select(vec![
        ServiceFlags::empty(),
        ServiceFlags::SCHED_1,
        ServiceFlags::SCHED_2 | ServiceFlags::ONE_PACKET,
    ]);
    let timeout = prop::option::of(1..400_u64);
    let service =
        (id, scheduler, flags, timeout).prop_map(|(service, scheduler, flags, timeout)| {
            let service = service.scheduler(scheduler.parse().unwrap()).flags(flags);
            match timeout {
                Some(timeout) => service.persistent(Duration::from_secs(timeout)),
                None => service,
            }
        });
    let forwarding = prop::sample::select(vec![
        Forwarding::Masquerade,
        Forwarding::DirectRoute,
        Forwarding::Tunnel(Tunnel::Ipip),
        Forwarding::Tunnel(Tunnel::Gre { checksum: true }),
    ]);
    let destination = (1..7_u8, forwarding, 0..4_u32, 0..9_u32, any::<bool>()).prop_map(
        |(host, forwarding, weight, upper, given)| {
            let mut destination = server(host).forwarding(forwarding).weight(weight);
            destination.thresholds = Thresholds { upper, lower: upper / 2 };
            match given {
                true => TableDestination::from(destination),
                false => TableDestination::of_any_weight(destination),
            }
        },
    );
    let service = (service, vec(destination, 0..6)).prop_map(|(service, destinations)| {
        let ipv6 = service.id.family() == AddressFamily::Ipv6;
        destinations.into_iter().fold(TableService::new(service), |service, destination| {
            match ipv6 {
                // The servers are of the other family.
                true => service.with(
                    destination.destination().clone().forwarding(Forwarding::Tunnel(Tunnel::Ipip)),
                ),
                false => service.with(destination),
            }
        })
    });
    vec(service, 0..7).prop_map(Table::from_iter)
}

#[test]
fn from_any_table_to_any_other() {
    let mut ipvs = fresh();
    let foreign = table(Service::tcp(address(99)), &[server(1)]);
    assert!(ipvs.reconcile(&foreign, &PlanOptions::new()).unwrap().is_done());
    let ours = Scope::new().everything().except(Scope::new().formerly(&foreign));
    let options = PlanOptions::new().scope(ours);
    let mut runner = TestRunner::deterministic();
    let tables = some_table();
    for round in 0..250 {
        let desired = tables.new_tree(&mut runner).unwrap().current();
        let before = settings(&ipvs.snapshot().unwrap());
        let reconciled = ipvs.reconcile(&desired, &options).unwrap();
        let trouble: Vec<_> = reconciled
            .rounds
            .iter()
            .flat_map(|round| round.applied.failures().map(|(index, _)| round.plan.step(index)))
            .collect();
        assert!(trouble.is_empty(), "round {round}: {before:?} {trouble:?}");
        assert!(reconciled.rounds.len() <= 1, "round {round}: {reconciled:?}");
        assert!(reconciled.is_done(), "round {round}: {}", reconciled.rest);
        let mut expected: Table = settings(&Snapshot::from(&desired)).services().cloned().collect();
        expected.extend(foreign.services().cloned());
        assert_eq!(settings(&ipvs.snapshot().unwrap()), expected, "round {round}");
        let again = ipvs.reconcile(&desired, &options).unwrap();
        assert!(!again.is_changed() && again.is_done());
    }
}

#[test]
fn ten_thousand_objects_are_one_plan() {
    let mut ipvs = fresh();
    let service = |n: u16| TableService::new(Service::tcp(([192, 0, 2, 10], n).into()));
    let desired: Table =
        (1..=1000_u16).map(|n| (1..=9).map(server).fold(service(n), TableService::with)).collect();
    let reconciled = ipvs.reconcile(&desired, &everything()).unwrap();
    assert!(reconciled.is_done());
    assert_eq!(reconciled.rounds[0].plan.len(), 10_000);
    assert_eq!(settings(&ipvs.snapshot().unwrap()), desired);
    let gone = ipvs.reconcile(&Table::new(), &everything()).unwrap();
    assert!(gone.is_done() && ipvs.services().unwrap().is_empty());
}

#[test]
fn what_cannot_be_planned_changes_nothing() {
    let mut ipvs = fresh();
    let bad = table(web(), &[server(1).weight(u32::MAX)]);
    let error = ipvs.reconcile(&bad, &everything()).unwrap_err();
    let ReconcileError::Plan(error) = error else { panic!("{error}") };
    assert!(matches!(*error, PlanError::Invalid { .. }), "{error}");
    assert!(ipvs.services().unwrap().is_empty());
}

#[test]
fn a_destination_without_connections_drains_at_once() {
    let mut ipvs = fresh();
    assert!(
        ipvs.reconcile(&table(web(), &[server(1), server(2)]), &everything()).unwrap().is_done()
    );
    let policy = DrainPolicy::new().until(DrainUntil::NoClients).deadline(None);
    assert_eq!(ipvs.drain(web().id, server(1).id, policy).unwrap(), Drained::Emptied);
    let missing = ipvs.drain(web().id, server(1).id, policy).unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::NoSuchDestination);
    ipvs.set_scheduler(web().id, Scheduler::DESTINATION_HASHING).unwrap();
    let cut = ipvs.drain(web().id, server(2).id, policy).unwrap();
    assert_eq!(cut, Drained::Emptied, "nothing was there to be cut");
    assert!(ipvs.destinations(web().id).unwrap().is_empty());
    let missing = ipvs.drain(Service::tcp(address(99)).id, server(1).id, policy).unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::NoSuchService);
}

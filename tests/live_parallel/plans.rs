//! Two programs each own a part of one table, and both write a third part.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use ipvs_netlink::table::{PlanOptions, Scope, Step, Table, TableService};
use ipvs_netlink::{Change, Client};

use crate::meanwhile::Ends;
use crate::{fresh, quiet, server, service};

fn table(host: u8, round: u16) -> Table {
    let service = |port| TableService::new(service(host, port));
    (1..=50 + round % 7)
        .map(|port| (1..=3).map(|n| server(n + round % 5)).fold(service(port), TableService::with))
        .collect()
}

/// Options that own the services at one address.
fn own(host: u8) -> PlanOptions {
    let address = std::net::IpAddr::from([192, 0, 2, host]);
    PlanOptions::new().scope(Scope::new().network(address.into()))
}

#[test]
fn each_keeps_its_own_part() {
    let mut ipvs = fresh();
    thread::scope(|scope| {
        for host in [1, 2] {
            scope.spawn(move || {
                let mut ipvs = Client::connect().unwrap();
                for round in 0..20 {
                    let reconciled = ipvs.reconcile(&table(host, round), &own(host)).unwrap();
                    let done = reconciled.is_done() || !reconciled.complete;
                    assert!(done, "{}", reconciled.rest);
                }
            });
        }
    });
    let mut expected = table(1, 19);
    expected.extend(table(2, 19));
    assert_eq!(Table::from(&quiet(&mut ipvs)), expected);
}

#[test]
fn who_wants_the_same_part_converges_once_the_other_stops() {
    let mut ipvs = fresh();
    thread::scope(|scope| {
        for shift in [0, 1] {
            scope.spawn(move || {
                let mut ipvs = Client::connect().unwrap();
                for round in 0..20 {
                    // The plan may fail, but it must end.
                    drop(ipvs.reconcile(&table(1, 2 * round + shift), &own(1)).unwrap());
                }
            });
        }
    });
    let reconciled = ipvs.reconcile(&table(1, 3), &own(1)).unwrap();
    assert!(reconciled.is_done(), "{}", reconciled.rest);
    assert_eq!(Table::from(&quiet(&mut ipvs)), table(1, 3));
}

/// Changes services of the plan, and one out of scope, as another program would.
fn disturb(ipvs: &mut Client, round: u16) {
    let id = service(1, 1 + round % 40).id;
    let changes = match round % 6 {
        0 => vec![Change::UpdateDestination(id, server(1).weight(u32::from(round % 3)))],
        1 => vec![Change::DeleteDestination(id, server(1 + round % 5).id)],
        2 => vec![Change::AddDestination(id, server(1 + round % 7).weight(0))],
        3 => vec![Change::DeleteService(id)],
        4 => vec![Change::AddService(service(1, 1 + round % 60))],
        _ => vec![Change::UpdateService(service(1, 1 + round % 40).one_packet())],
    };
    // The kernel refuses some of them.
    drop(ipvs.submit(&changes));
}

/// Another program writes during plans. Each plan ends with one outcome for each step, reports the
/// other program, and changes nothing out of scope.
#[test]
fn plans_survive_somebody_who_writes_the_same_services() {
    let mut ipvs = fresh();
    let foreign = TableService::new(service(9, 1)).with(server(1).weight(7));
    let mut not_ours = Table::new();
    not_ours.insert(foreign);
    assert!(ipvs.reconcile(&not_ours, &PlanOptions::new()).unwrap().is_done());
    let finished = AtomicBool::new(false);
    let (mut noticed, mut converged, mut writes) = (0, 0, 0_u32);
    thread::scope(|scope| {
        let _ends = Ends(&finished);
        let writer = scope.spawn(|| {
            let mut other = Client::connect().unwrap();
            let mut round = 0_u16;
            while !finished.load(Ordering::Relaxed) {
                round = round.wrapping_add(7);
                disturb(&mut other, round);
                writes += 1;
            }
        });
        for round in 0..50 {
            let desired = table(1, round);
            let reconciled = ipvs.reconcile(&desired, &own(1)).unwrap();
            for round in &reconciled.rounds {
                let (plan, applied) = (&round.plan, &round.applied);
                assert_eq!(plan.len(), applied.outcomes().len());
                assert!(plan.steps().filter_map(Step::service).all(|id| id != service(9, 1).id));
                noticed += applied.outcomes().filter(|outcome| outcome.is_foreign()).count();
            }
            converged += usize::from(reconciled.into_result().is_ok());
            assert!(!writer.is_finished(), "the writer failed");
        }
    });
    assert!(noticed > 100, "only {noticed} noticed of {writes} foreign writes");
    let desired = table(1, 3);
    let reconciled = ipvs.reconcile(&desired, &own(1)).unwrap();
    assert!(reconciled.is_done(), "{}", reconciled.rest);
    let mut expected = desired;
    expected.extend(not_ours);
    assert_eq!(Table::from(&quiet(&mut ipvs)), expected);
    println!("{writes} foreign writes, {noticed} noticed, {converged} of 50 plans converged");
}

//! Plans under traffic. Clients open connections and hold others while plans change the table;
//! none fails that a plan can spare.

use std::ops::ControlFlow;
use std::time::Duration;

use ipvs_netlink::table::{
    DrainPolicy, DrainUntil, Phase, Plan, PlanOptions, Progress, Scope, Step, Table, TableService,
};
use ipvs_netlink::{Change, Client, Destination, Scheduler, Service, ServiceFlags};

use super::greeting::Connection;
use super::traffic::{IMPATIENCE, Tally, Traffic, under_traffic};
use super::{Lab, PATIENCE, WEB, id, server};

pub(super) fn web(scheduler: Scheduler) -> Service {
    Service::tcp(WEB).scheduler(scheduler)
}

pub(super) fn table(service: &Service, servers: &[(u16, u32)]) -> Table {
    let destinations =
        servers.iter().map(|(n, weight)| Destination::masquerade(server(*n)).weight(*weight));
    [destinations.fold(TableService::new(service.clone()), TableService::with)]
        .into_iter()
        .collect()
}

/// Options that drain until no connection is active. Closed ones would take two minutes more.
pub(super) fn gently() -> PlanOptions {
    let policy = DrainPolicy::new()
        .until(DrainUntil::NoActive)
        .interval(Duration::from_millis(10))
        .deadline(Some(Duration::from_secs(60)));
    PlanOptions::new().scope(Scope::new().everything()).drain(Some(policy))
}

/// Sets up the table before there is traffic.
pub(super) fn establish(ipvs: &mut Client, desired: &Table) {
    assert!(ipvs.reconcile(desired, &gently()).unwrap().is_done());
}

/// Applies the plan to `desired`, while connections are opened. Those in `held` are asked
/// all along, and those to servers that leave hang up at the third look.
pub(super) fn change(
    ipvs: &mut Client,
    traffic: &Traffic<'_>,
    desired: &Table,
    held: &mut Vec<Connection>,
) {
    let plan = Plan::new(&ipvs.snapshot().unwrap(), desired, &gently()).unwrap();
    assert!(!plan.is_empty());
    let mut looks = 0;
    let applied = ipvs.apply_with(&plan, |progress| {
        ask(held);
        if let Progress::Draining(_) = progress {
            looks += 1;
            if looks == 3 {
                hang_up(held, &plan);
            }
        } else {
            // At least one is begun now, when the table is neither the old nor the new one.
            traffic.pass(Traffic::CLIENTS + 1);
        }
        ControlFlow::Continue(())
    });
    assert!(applied.is_done(), "{plan}{applied:?}");
    // A step without a drain may break connections.
    let drained = |index| plan.step(index).is_some_and(|step| step.phase == Phase::Drained);
    assert!(!applied.cut().any(|(index, _)| drained(index)), "{applied:?}");
    ask(held);
}

fn ask(held: &mut [Connection]) {
    for connection in held {
        assert_eq!(connection.ask().unwrap(), connection.server, "a held connection");
    }
}

/// Closes those to servers that the plan deletes.
fn hang_up(held: &mut Vec<Connection>, plan: &Plan) {
    let deleted: Vec<_> = plan
        .steps()
        .filter(|step| matches!(step.change, Change::DeleteDestination(..)))
        .filter_map(Step::destination)
        .collect();
    held.retain_mut(|connection| {
        let stays = !deleted.contains(&id(connection.server.parse().unwrap()));
        if !stays {
            connection.close().unwrap();
        }
        stays
    });
}

/// Replaces all servers, changes weights, flags and persistence, for a while.
fn replacing(scheduler: Scheduler, flags: ServiceFlags) -> Tally {
    let mut lab = Lab::with_servers(4);
    let service = web(scheduler).flags(flags);
    let tables = [
        table(&service, &[(2, 1), (3, 2)]),
        table(&service, &[(1, 1), (2, 7), (3, 1)]),
        table(&service.clone().flags(flags | ServiceFlags::SCHED_3), &[(0, 2), (1, 1)]),
        table(&service.clone().persistent(Duration::from_secs(60)), &[(0, 1), (1, 1)]),
        table(&service, &[(0, 1), (1, 0)]),
        table(&service, &[(0, 1), (1, 1)]),
    ];
    establish(&mut lab.ipvs, &tables[5]);
    let tally = under_traffic(&mut lab, PATIENCE, |ipvs, traffic| {
        let mut held = Vec::new();
        for desired in tables.iter().cycle().take(2 * tables.len()) {
            held.extend(traffic.hold(4));
            change(ipvs, traffic, desired, &mut held);
        }
    });
    tally.report(&format!("{scheduler} {}", flags.scheduler_flags(scheduler)));
    tally
}

#[test]
fn plans_lose_no_connection() {
    for (scheduler, flags) in [
        (Scheduler::ROUND_ROBIN, ServiceFlags::empty()),
        (Scheduler::WEIGHTED_ROUND_ROBIN, ServiceFlags::empty()),
        (Scheduler::WEIGHTED_LEAST_CONNECTION, ServiceFlags::empty()),
        (Scheduler::SHORTEST_EXPECTED_DELAY, ServiceFlags::empty()),
        (Scheduler::NEVER_QUEUE, ServiceFlags::empty()),
        (Scheduler::WEIGHTED_FAILOVER, ServiceFlags::empty()),
        (Scheduler::SOURCE_HASHING, ServiceFlags::SH_FALLBACK | ServiceFlags::SH_PORT),
        (Scheduler::MAGLEV_HASHING, ServiceFlags::MH_FALLBACK | ServiceFlags::MH_PORT),
    ] {
        let Tally { opened, failed } = replacing(scheduler, flags);
        assert!(failed.is_empty(), "{scheduler}: of {opened}: {failed:?}");
    }
}

/// Deletes first and adds then, as other tools do. If this lost no connection, the tests above could
/// not fail.
#[test]
fn deleting_before_adding_loses_connections() {
    let mut lab = Lab::with_servers(4);
    let service = web(Scheduler::ROUND_ROBIN);
    establish(&mut lab.ipvs, &table(&service, &[(0, 1), (1, 1)]));
    let mut held = Vec::new();
    let tally = under_traffic(&mut lab, IMPATIENCE, |ipvs, traffic| {
        held = traffic.hold(2);
        for (old, new) in [([0, 1], [2, 3]), ([2, 3], [0, 1])].into_iter().cycle().take(3) {
            for n in old {
                ipvs.delete_destination(service.id, id(n)).unwrap();
            }
            // Until one ends: either it has failed, or its client begins the next one now.
            traffic.pass(1);
            for n in new {
                ipvs.add_destination(service.id, &Destination::masquerade(server(n))).unwrap();
            }
            traffic.pass(10);
        }
    });
    tally.report("delete, then add, 3 times");
    assert!(!tally.failed.is_empty(), "{tally:?}");
    assert!(held.iter_mut().all(|connection| connection.ask().is_err()), "a held connection");
}

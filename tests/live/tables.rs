//! Declared tables on a kernel: plans, applied.

use std::net::SocketAddr;
use std::ops::ControlFlow;
use std::time::Duration;

use ipvs_netlink::table::{
    Actions, DrainPolicy, DrainUntil, Drained, OnFailure, Phase, Plan, PlanError, PlanOptions,
    Progress, ReconcileError, Scope, StepOutcome, Table, TableDestination, TableService,
};
use ipvs_netlink::{
    AddressFamily, Change, Client as Blocking, Destination, ErrorKind, Forwarding, Scheduler,
    Service, ServiceFlags, Snapshot, Thresholds, Tunnel,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use crate::client::Client;
use crate::namespace::fresh;

fn address(host: u8) -> SocketAddr {
    ([192, 0, 2, host], 80).into()
}

fn web() -> Service {
    Service::tcp(address(10)).scheduler(Scheduler::ROUND_ROBIN)
}

fn server(host: u8) -> Destination {
    Destination::masquerade(([10, 0, 0, host], 8080).into())
}

fn table(service: Service, destinations: &[Destination]) -> Table {
    let service = destinations.iter().cloned().fold(TableService::new(service), TableService::with);
    [service].into_iter().collect()
}

fn everything() -> PlanOptions {
    PlanOptions::new().scope(Scope::new().everything())
}

fn plan(ipvs: &mut Client, desired: &Table) -> Plan {
    Plan::new(&ipvs.snapshot().unwrap(), desired, &everything()).unwrap()
}

/// What is there, without what changes by itself.
fn settings(snapshot: &Snapshot) -> Table {
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
            .flat_map(|(plan, applied)| applied.failures().map(|(index, _)| plan.step(index)))
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
    assert_eq!(reconciled.rounds[0].0.len(), 10_000);
    assert_eq!(settings(&ipvs.snapshot().unwrap()), desired);
    let gone = ipvs.reconcile(&Table::new(), &everything()).unwrap();
    assert!(gone.is_done() && ipvs.services().unwrap().is_empty());
}

#[test]
fn what_others_did_meanwhile_is_taken_for_what_it_is() {
    let mut ipvs = fresh();
    let mut other = Client::connect().unwrap();
    let before = table(web(), &[server(1), server(2)]);
    assert!(ipvs.reconcile(&before, &everything()).unwrap().is_done());
    let mut desired = table(web(), &[server(2), server(3)]);
    let second = Service::tcp(address(11)).scheduler(Scheduler::ROUND_ROBIN);
    desired.insert(TableService::new(second.clone()).with(server(4)));
    let plan = plan(&mut ipvs, &desired);

    other.add_service(&second.clone().scheduler(Scheduler::LEAST_CONNECTION)).unwrap();
    other.add_destination(second.id, &server(4).weight(9)).unwrap();
    other.add_destination(web().id, &server(3).weight(5)).unwrap();
    other.delete_destination(web().id, server(1).id).unwrap();
    let applied = ipvs.apply(&plan);
    let foreign: Vec<_> = plan
        .steps()
        .zip(applied.outcomes())
        .filter(|(_, outcome)| outcome.is_foreign())
        .map(|(step, outcome)| (step.change.operation(), outcome.is_done()))
        .collect();
    // Two additions and a service that were there, one destination that was gone.
    assert_eq!(foreign.len(), 5, "{applied:?}");
    assert!(applied.is_done(), "{applied:?}");
    assert!(ipvs.reconcile(&desired, &everything()).unwrap().is_done());
    assert_eq!(settings(&ipvs.snapshot().unwrap()), desired);
}

#[test]
fn a_change_by_somebody_else_is_noticed_and_put_right() {
    let mut ipvs = fresh();
    let mut other = Client::connect().unwrap();
    let desired = table(web(), &[server(1).weight(3)]);
    assert!(ipvs.reconcile(&desired, &everything()).unwrap().is_done());
    let id = web().id;
    other.set_weight(id, server(1).id, 7).unwrap();
    other.add_destination(id, &server(9)).unwrap();
    let reconciled = ipvs.reconcile(&desired, &everything()).unwrap();
    assert!(reconciled.is_done() && reconciled.is_changed());
    assert_eq!(settings(&ipvs.snapshot().unwrap()), desired);
}

#[test]
fn what_somebody_undoes_at_once_is_noticed_and_done_again() {
    let mut ipvs = fresh();
    let mut other = Blocking::connect().unwrap();
    let desired = table(web(), &[server(1).weight(3)]);
    let mut undone = false;
    let reconciled = ipvs
        .reconcile_with(&desired, &everything(), |progress| {
            if matches!(progress, Progress::Phase(next) if next.phase() == Phase::Drained)
                && !undone
            {
                other.set_weight(web().id, server(1).id, 7).unwrap();
                undone = true;
            }
            ControlFlow::Continue(())
        })
        .unwrap();
    assert!(reconciled.is_done(), "{reconciled}");
    let [(_, first), (_, second)] = &reconciled.rounds[..] else { panic!("{reconciled}") };
    assert!(matches!(first.outcome(1), Some(StepOutcome::Differs)), "{first:?}");
    assert!(second.is_done(), "{second:?}");
    assert_eq!(settings(&ipvs.snapshot().unwrap()), desired);
}

#[test]
fn what_is_the_last_one_by_now_is_kept() {
    let mut ipvs = fresh();
    let mut other = Client::connect().unwrap();
    let before = table(web(), &[server(1), server(2)]);
    assert!(ipvs.reconcile(&before, &everything()).unwrap().is_done());
    let plan = plan(&mut ipvs, &table(web(), &[server(1)]));
    other.set_weight(web().id, server(1).id, 0).unwrap();
    let applied = ipvs.apply(&plan);
    assert!(applied.outcomes().all(|outcome| matches!(outcome, StepOutcome::Kept)), "{applied:?}");
    let kept = ipvs.destination(web().id, server(2).id).unwrap();
    assert_eq!(kept.destination, server(2));
    other.delete_destination(web().id, server(1).id).unwrap();
    assert!(!ipvs.apply(&plan).is_done());
    assert_eq!(ipvs.destinations(web().id).unwrap().len(), 1);
}

#[test]
fn one_that_is_gone_does_not_take_over() {
    let mut ipvs = fresh();
    let mut other = Client::connect().unwrap();
    let before = table(web(), &[server(1).weight(5), server(2)]);
    assert!(ipvs.reconcile(&before, &everything()).unwrap().is_done());
    // The one that stays gets a lower weight.
    let plan = plan(&mut ipvs, &table(web(), &[server(1)]));
    other.delete_destination(web().id, server(1).id).unwrap();
    let applied = ipvs.apply(&plan);
    assert!(applied.outcomes().all(|outcome| matches!(outcome, StepOutcome::Kept)), "{applied:?}");
    assert_eq!(ipvs.destination(web().id, server(2).id).unwrap().destination, server(2));
}

#[test]
fn what_somebody_else_added_is_replaced_only_as_far_as_is_allowed() {
    let mut ipvs = fresh();
    let mut other = Client::connect().unwrap();
    ipvs.add_service(&web()).unwrap();
    let open = TableService::new(web()).with(TableDestination::of_any_weight(server(1)));
    let desired: Table = [open.with(server(2))].into_iter().collect();
    let options = everything().keep_weights(true).allowed(Actions::ADD_DESTINATION);
    let plan = Plan::new(&ipvs.snapshot().unwrap(), &desired, &options).unwrap();
    other.add_destination(web().id, &server(1).weight(0)).unwrap();
    other.add_destination(web().id, &server(2).weight(9)).unwrap();
    let applied = ipvs.apply(&plan);
    assert!(matches!(applied.outcome(0), Some(StepOutcome::AlreadySo)), "{applied:?}");
    assert!(matches!(applied.outcome(1), Some(StepOutcome::Failed(_))), "{applied:?}");
    assert_eq!(ipvs.destination(web().id, server(1).id).unwrap().destination.weight, 0);
    assert_eq!(ipvs.destination(web().id, server(2).id).unwrap().destination.weight, 9);
}

#[test]
fn a_destination_of_any_weight_is_to_be_there_whatever_its_weight() {
    let mut ipvs = fresh();
    let mut other = Blocking::connect().unwrap();
    ipvs.add_service(&web()).unwrap();
    let open = [server(1), server(2), server(3)].map(TableDestination::of_any_weight);
    let desired: Table =
        [open.into_iter().fold(TableService::new(web()), TableService::with)].into_iter().collect();
    let options = everything().keep_weights(true);
    let plan = Plan::new(&ipvs.snapshot().unwrap(), &desired, &options).unwrap();
    other.add_destination(web().id, &server(1)).unwrap();
    let applied = ipvs.apply_with(&plan, |progress| {
        if matches!(progress, Progress::Phase(next) if next.phase() == Phase::Drained) {
            other.delete_destination(web().id, server(1).id).unwrap();
            // As a health check does.
            other.set_weight(web().id, server(2).id, 0).unwrap();
            other.delete_destination(web().id, server(3).id).unwrap();
        }
        ControlFlow::Continue(())
    });
    let outcomes: Vec<_> = applied.outcomes().collect();
    assert!(
        matches!(outcomes[..], [StepOutcome::Differs, StepOutcome::Done, StepOutcome::Differs]),
        "{applied:?}"
    );
}

/// 127.255.255.255 is a broadcast address of `lo`, which only this host's kernel knows.
fn refused() -> Destination {
    Destination::masquerade("127.255.255.255:80".parse().unwrap())
}

#[test]
fn nothing_is_taken_away_where_its_replacement_failed() {
    let mut ipvs = fresh();
    let mut before = table(web(), &[server(1)]);
    let healthy = Service::tcp(address(11));
    before.insert(TableService::new(healthy.clone()).with(server(1)));
    assert!(ipvs.reconcile(&before, &everything()).unwrap().is_done());

    let mut desired = table(web(), &[refused()]);
    desired.insert(TableService::new(healthy.clone()).with(server(2)));
    let plan = plan(&mut ipvs, &desired);
    let applied = ipvs.apply(&plan);
    assert!(!applied.is_done());
    for (step, outcome) in plan.steps().zip(applied.outcomes()) {
        match (step.service() == Some(web().id), &step.change) {
            (true, Change::AddDestination(..)) => {
                let StepOutcome::Failed(error) = outcome else { panic!("{outcome:?}") };
                assert_eq!(error.kind(), ErrorKind::Rejected);
            }
            (true, _) => assert!(matches!(outcome, StepOutcome::Skipped { .. }), "{outcome:?}"),
            (false, _) => assert!(outcome.is_done(), "{outcome:?}"),
        }
    }
    let left = ipvs.destinations(web().id).unwrap();
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].destination, server(1));
    assert_eq!(ipvs.destinations(healthy.id).unwrap()[0].destination, server(2));
    let again = ipvs.reconcile(&desired, &everything()).unwrap();
    assert!(!again.is_done());
    assert_eq!(again.rounds.len(), 2, "what fails is tried twice");
}

#[test]
fn a_failure_stops_everything_where_that_is_asked() {
    let mut ipvs = fresh();
    let service = |port: u16| Service::tcp(([192, 0, 2, 20], port).into());
    let entry = |port, destination| TableService::new(service(port)).with(destination);
    let mut before: Table = (1..=200).map(|port| entry(port, server(1))).collect();
    before.insert(TableService::new(web()).with(server(1)));
    assert!(ipvs.reconcile(&before, &everything()).unwrap().is_done());
    let mut desired: Table = (1..=200).map(|port| entry(port, server(2))).collect();
    desired.insert(TableService::new(web()).with(refused()));

    let options = everything().on_failure(OnFailure::Stop);
    let reconciled = ipvs.reconcile(&desired, &options).unwrap();
    assert!(!reconciled.is_done());
    let [(plan, applied)] = &reconciled.rounds[..] else { panic!("it was tried again") };
    // The one that fails is the first step, and went to the kernel with 63 more.
    let done = applied.outcomes().filter(|outcome| outcome.is_done()).count();
    assert_eq!(done, 63, "{applied:?}");
    assert!(matches!(applied.outcome(0), Some(StepOutcome::Failed(_))));
    let mut rest = plan.steps().zip(applied.outcomes()).skip(64);
    assert!(rest.all(|(_, outcome)| matches!(outcome, StepOutcome::Skipped { because: 0, .. })));
    let there = settings(&ipvs.snapshot().unwrap());
    assert!(there.services().all(|service| service.destinations().any(|d| d.id() == server(1).id)));
}

#[test]
fn nothing_is_replaced_after_a_failure_that_stops_everything() {
    let mut ipvs = fresh();
    let mut other = Client::connect().unwrap();
    let first = Service::tcp(address(9));
    let table = |destination: &Destination, second: Destination| {
        let mut table = table(web(), &[server(1), second]);
        table.insert(TableService::new(first.clone()).with(destination.clone()));
        table
    };
    assert!(ipvs.reconcile(&table(&server(1), server(2)), &everything()).unwrap().is_done());
    let options = everything().on_failure(OnFailure::Stop);
    let desired = table(&refused(), server(3));
    let plan = Plan::new(&ipvs.snapshot().unwrap(), &desired, &options).unwrap();
    other.add_destination(web().id, &server(3).weight(5)).unwrap();
    let applied = ipvs.apply(&plan);
    assert!(matches!(applied.outcome(0), Some(StepOutcome::Failed(_))), "{applied:?}");
    let second = applied.outcome(1);
    assert!(matches!(second, Some(StepOutcome::Skipped { because: 0, .. })), "{second:?}");
    assert_eq!(ipvs.destination(web().id, server(3).id).unwrap().destination.weight, 5);
}

#[test]
fn the_observer_is_told_of_each_phase_and_may_end_the_work() {
    let mut ipvs = fresh();
    let [old, new, failing] = [21, 22, 23].map(|host| Service::tcp(address(host)));
    let mut before = table(web(), &[server(1)]);
    before.insert(TableService::new(old.clone()).with(server(1)));
    assert!(ipvs.reconcile(&before, &everything()).unwrap().is_done());
    let mut desired = table(web(), &[server(2)]);
    desired.insert(TableService::new(new.clone()).with(server(1)));
    desired.insert(TableService::new(failing.clone()).with(refused()));
    let plan = plan(&mut ipvs, &desired);

    let mut phases = Vec::new();
    let applied = ipvs.apply_with(&plan, |progress| {
        let Progress::Phase(next) = progress else { return ControlFlow::Continue(()) };
        phases.push(next.phase());
        let added: Vec<_> = next.added().collect();
        let leaving: Vec<_> = next.leaving().collect();
        assert_eq!(leaving, [old.id]);
        match next.phase() {
            Phase::Add => assert!(added.is_empty()),
            _ => assert_eq!(added, [new.id]),
        }
        assert_eq!(next.outcome(0).is_some(), next.phase() > Phase::Add);
        assert_eq!(next.plan().len(), plan.len());
        ControlFlow::Continue(())
    });
    assert_eq!(phases, Phase::ALL);
    assert_eq!(applied.failures().count(), 2, "{applied:?}");
    assert_eq!(ipvs.services().unwrap().len(), 2);

    // Nothing is written of a plan that is stopped before its first phase.
    let now = settings(&ipvs.snapshot().unwrap());
    let reconciled =
        ipvs.reconcile_with(&before, &everything(), |_| ControlFlow::Break(())).unwrap();
    assert!(!reconciled.is_done() && reconciled.rounds.len() == 1);
    assert!(!reconciled.is_changed());
    let (plan, applied) = &reconciled.rounds[0];
    assert!(applied.outcomes().all(|outcome| matches!(outcome, StepOutcome::Stopped)));
    assert_eq!(settings(&ipvs.snapshot().unwrap()), now);
    // What a phase has done stays done.
    let applied = ipvs.apply_with(plan, |progress| match progress {
        Progress::Phase(next) if next.phase() == Phase::Reduce => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    });
    for (step, outcome) in plan.steps().zip(applied.outcomes()) {
        let stopped = matches!(outcome, StepOutcome::Stopped);
        assert_eq!(stopped, step.phase >= Phase::Reduce, "{step:?}: {outcome:?}");
    }
    let servers = ipvs.destinations(web().id).unwrap();
    assert_eq!(servers.len(), 2, "the new one is there, and so is the old one");
}

#[test]
fn a_service_that_is_taken_back_tells_which_step_has_failed() {
    let mut ipvs = fresh();
    let service = |port: u16| Service::tcp(([192, 0, 2, 20], port).into());
    let entry = |port| TableService::new(service(port)).with(server(1));
    let mut desired: Table = (1..=40).map(entry).collect();
    // The third step fails. What goes to the kernel with it ends with a service without
    // its destination.
    desired.insert(entry(1).with(refused()));
    let options = everything().on_failure(OnFailure::Stop);
    let plan = Plan::new(&ipvs.snapshot().unwrap(), &desired, &options).unwrap();
    let applied = ipvs.apply(&plan);
    assert!(matches!(applied.outcome(2), Some(StepOutcome::Failed(_))), "{applied:?}");
    let undone = applied.outcome(63);
    assert!(matches!(undone, Some(StepOutcome::Undone { because: 2, .. })), "{undone:?}");
    assert_eq!(ipvs.services().unwrap().len(), 31);
}

#[test]
fn what_is_not_going_to_leave_is_not_said_to_be_leaving() {
    let mut ipvs = fresh();
    let mut other = Client::connect().unwrap();
    let old = Service::tcp(address(21));
    let mut before = table(web(), &[server(1), server(2)]);
    before.insert(TableService::new(old.clone()).with(server(1)));
    assert!(ipvs.reconcile(&before, &everything()).unwrap().is_done());
    let options = everything().on_failure(OnFailure::Stop);
    let desired = table(web(), &[server(1)]);
    let plan = Plan::new(&ipvs.snapshot().unwrap(), &desired, &options).unwrap();
    // Its successor is stopped, so that the other one is kept and nothing else is done.
    other.set_weight(web().id, server(1).id, 0).unwrap();
    let applied = ipvs.apply_with(&plan, |progress| {
        let Progress::Phase(next) = progress else { return ControlFlow::Continue(()) };
        let leaving: Vec<_> = next.leaving().collect();
        match next.phase() {
            Phase::Add | Phase::Extend | Phase::Configure => assert_eq!(leaving, [old.id]),
            phase => assert!(leaving.is_empty(), "{phase}: {leaving:?}"),
        }
        ControlFlow::Continue(())
    });
    assert!(!applied.outcomes().any(StepOutcome::is_done), "{applied:?}");
    assert_eq!(ipvs.services().unwrap().len(), 2);
}

#[test]
fn an_observer_that_has_ended_the_work_is_not_asked_again() {
    let mut ipvs = fresh();
    let mut other = Blocking::connect().unwrap();
    let desired = table(web(), &[server(1).weight(3)]);
    let mut told = 0;
    let reconciled = ipvs
        .reconcile_with(&desired, &everything(), |progress| {
            told += 1;
            let Progress::Phase(next) = progress else { return ControlFlow::Continue(()) };
            if next.phase() < Phase::Drained {
                return ControlFlow::Continue(());
            }
            // By now the plan has nothing left that could be stopped.
            other.set_weight(web().id, server(1).id, 7).unwrap();
            ControlFlow::Break(())
        })
        .unwrap();
    assert_eq!((told, reconciled.rounds.len()), (6, 1), "{reconciled}");
    assert!(!reconciled.is_done());
    assert_eq!(ipvs.destination(web().id, server(1).id).unwrap().destination.weight, 7);
}

#[test]
fn what_wrote_nothing_has_changed_nothing() {
    let mut ipvs = fresh();
    let desired = table(web(), &[server(1)]);
    let stopped = ipvs.reconcile_with(&desired, &everything(), |_| ControlFlow::Break(())).unwrap();
    assert!(!stopped.is_changed() && !stopped.is_done(), "{stopped}");
    let unknown = table(web().scheduler("nosuch".parse().unwrap()), &[server(1)]);
    let refused = ipvs.reconcile(&unknown, &everything()).unwrap();
    assert!(!refused.is_changed() && !refused.is_done(), "{refused}");
    // A service that was there for a moment.
    let undone = ipvs.reconcile(&table(web(), &[self::refused()]), &everything()).unwrap();
    assert!(undone.is_changed() && !undone.is_done(), "{undone}");
}

#[test]
fn a_new_service_that_can_have_no_destination_is_taken_back() {
    let mut ipvs = fresh();
    let desired = table(web(), &[refused()]);
    let applied = ipvs.apply(&plan(&mut Client::connect().unwrap(), &desired));
    assert!(
        matches!(applied.outcome(0), Some(StepOutcome::Undone { because: 1, .. })),
        "{applied:?}"
    );
    assert!(ipvs.services().unwrap().is_empty());

    let partly = table(web(), &[refused(), server(1)]);
    let applied = ipvs.apply(&plan(&mut Client::connect().unwrap(), &partly));
    assert_eq!(applied.failures().count(), 1);
    assert_eq!(ipvs.destinations(web().id).unwrap().len(), 1);
}

#[test]
fn an_unknown_scheduler_leaves_the_service_as_it_is() {
    let mut ipvs = fresh();
    assert!(ipvs.reconcile(&table(web(), &[server(1)]), &everything()).unwrap().is_done());
    let unknown = web().scheduler("nosuch".parse().unwrap());
    let reconciled = ipvs.reconcile(&table(unknown.clone(), &[server(2)]), &everything()).unwrap();
    assert!(!reconciled.is_done());
    let snapshot = ipvs.snapshot().unwrap();
    let service = snapshot.service(web().id).unwrap();
    assert_eq!(service.entry.service, web());
    assert!(service.destination(server(1).id).is_some(), "the old one stays");
    let plan = plan(&mut ipvs, &table(unknown.clone(), &[server(2)]));
    let applied = ipvs.apply(&plan);
    let (_, StepOutcome::Failed(error)) = applied.failures().next().unwrap() else { panic!() };
    assert_eq!(error.kind(), ErrorKind::UnknownScheduler);

    let new = table(Service::tcp(address(50)).scheduler(unknown.scheduler), &[server(2)]);
    let reconciled = ipvs.reconcile(&new, &PlanOptions::new()).unwrap();
    let outcomes: Vec<_> = reconciled.rounds[0].1.outcomes().collect();
    assert!(matches!(
        outcomes[..],
        [StepOutcome::Failed(_), StepOutcome::Skipped { because: 0, .. }]
    ));
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
    assert!(matches!(cut, Drained::Cut(connections) if connections.active == 0));
    assert!(ipvs.destinations(web().id).unwrap().is_empty());
    let missing = ipvs.drain(Service::tcp(address(99)).id, server(1).id, policy).unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::NoSuchService);
}

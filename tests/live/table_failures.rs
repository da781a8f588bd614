//! Plans in which a step fails, or that an observer ends.

use std::ops::ControlFlow;

use ipvs_netlink::table::{
    OnFailure, Phase, Plan, PlanOptions, Progress, StepOutcome, Table, TableService,
};
use ipvs_netlink::{Change, Destination, ErrorKind, Scheduler, Service};

use super::client::{Blocking, Client};
use super::namespace::fresh;
use super::tables::{address, everything, plan, server, settings, table, web};

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

/// `sh` refuses clients of a draining destination, so the plan deletes it before it sets `sh`.
#[test]
fn what_drains_stays_where_a_replacement_failed() {
    let mut ipvs = fresh();
    let before = table(web(), &[server(1), server(2).weight(0)]);
    assert!(ipvs.reconcile(&before, &everything()).unwrap().is_done());
    let hashed = web().scheduler(Scheduler::SOURCE_HASHING);
    let plan = plan(&mut ipvs, &table(hashed, &[server(1), refused()]));
    let applied = ipvs.apply(&plan);
    let failed = applied.outcomes().filter(|outcome| matches!(outcome, StepOutcome::Failed(_)));
    assert_eq!(failed.count(), 1, "{applied:?}");
    assert_eq!(settings(&ipvs.snapshot().unwrap()), before);
}

/// A destination without a replacement does not get a lower threshold.
#[test]
fn a_threshold_is_not_lowered_where_a_replacement_failed() {
    let mut ipvs = fresh();
    let before = table(web(), &[server(1)]);
    assert!(ipvs.reconcile(&before, &everything()).unwrap().is_done());
    let limited = server(1).weight(5).thresholds(10, 5);
    let plan = plan(&mut ipvs, &table(web(), &[limited, refused()]));
    assert!(!ipvs.apply(&plan).is_done());
    assert_eq!(settings(&ipvs.snapshot().unwrap()), before);
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
    let [round] = &reconciled.rounds[..] else { panic!("it was tried again") };
    let (plan, applied) = (&round.plan, &round.applied);
    // The first step fails. It was sent together with 63 more.
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
    let (plan, applied) = (&reconciled.rounds[0].plan, &reconciled.rounds[0].applied);
    assert!(applied.outcomes().all(|outcome| matches!(outcome, StepOutcome::Stopped)));
    assert_eq!(settings(&ipvs.snapshot().unwrap()), now);
    // Finished phases are not undone.
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
    // The third step fails. What goes to the kernel with it ends with a service and the
    // destination of it that is of no use.
    desired.insert(entry(1).with(refused()));
    let stopped = TableService::new(service(32)).with(server(1).weight(0));
    desired.insert(stopped.with(server(2)));
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
            phase if phase < Phase::Reduce => assert_eq!(leaving, [old.id]),
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
            // No step is left that could be stopped.
            other.set_weight(web().id, server(1).id, 7).unwrap();
            ControlFlow::Break(())
        })
        .unwrap();
    assert_eq!((told, reconciled.rounds.len()), (Phase::ALL.len(), 1), "{reconciled}");
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
    // The service existed only for a moment.
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
    let outcomes: Vec<_> = reconciled.rounds[0].applied.outcomes().collect();
    assert!(matches!(
        outcomes[..],
        [StepOutcome::Failed(_), StepOutcome::Skipped { because: 0, .. }]
    ));
}

//! Declared tables while another program writes the same services.

use std::ops::ControlFlow;

use ipvs_netlink::table::{
    Actions, Phase, Plan, Progress, StepOutcome, Table, TableDestination, TableService,
};
use ipvs_netlink::{Scheduler, Service, Snapshot};

use super::client::{Blocking, Client};
use super::namespace::fresh;
use super::tables::{address, everything, plan, server, settings, table, web};

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
    let [first, second] = &reconciled.rounds[..] else { panic!("{reconciled}") };
    assert!(matches!(first.applied.outcome(1), Some(StepOutcome::Differs)), "{first:?}");
    assert!(second.applied.is_done(), "{second:?}");
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
fn what_drained_is_kept_when_it_is_the_last_one_by_now() {
    let mut ipvs = fresh();
    let mut other = Client::connect().unwrap();
    let before = table(web(), &[server(1), server(2).weight(0)]);
    assert!(ipvs.reconcile(&before, &everything()).unwrap().is_done());
    // It would be in the way of the new scheduler.
    let plan = plan(&mut ipvs, &table(web().scheduler(Scheduler::SOURCE_HASHING), &[server(1)]));
    other.set_weight(web().id, server(2).id, 5).unwrap();
    other.set_weight(web().id, server(1).id, 0).unwrap();
    let applied = ipvs.apply(&plan);
    let kept = applied.outcomes().filter(|outcome| matches!(outcome, StepOutcome::Kept));
    assert_eq!(kept.count(), 1, "{applied:?}");
    let kept = ipvs.destination(web().id, server(2).id).unwrap();
    assert_eq!(kept.destination, server(2).weight(5));
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
            // Set weights like a health check.
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

#[test]
fn what_a_plan_touched_is_verified_and_what_it_did_not_touch_is_not_read() {
    let mut ipvs = fresh();
    let mut other = Blocking::connect().unwrap();
    let elsewhere = Service::tcp(address(77)).scheduler(Scheduler::ROUND_ROBIN);
    let mut desired = table(web(), &[server(1)]);
    desired.insert(TableService::new(elsewhere.clone()).with(server(1)));
    assert!(ipvs.reconcile(&desired, &everything()).unwrap().is_done());
    let mut snapshot = ipvs.snapshot().unwrap();
    desired.edit(web().id, |service| service.insert(server(2))).unwrap();
    let plan = Plan::new(&snapshot, &desired, &everything()).unwrap();
    let applied = ipvs.apply_from(&plan, &mut snapshot, |progress| {
        if matches!(progress, Progress::Phase(next) if next.phase() == Phase::Drained) {
            other.set_weight(web().id, server(2).id, 9).unwrap();
            other.set_weight(elsewhere.id, server(1).id, 9).unwrap();
            other.add_service(&Service::tcp(address(78))).unwrap();
        }
        ControlFlow::Continue(())
    });
    assert!(matches!(applied.outcome(0), Some(StepOutcome::Differs)), "{applied:?}");
    assert!(snapshot.is_complete());
    // The list of services is new, and so are the destinations of what was touched.
    assert_eq!(snapshot.len(), 3);
    let weight = |snapshot: &Snapshot, service: &Service, host| {
        let service = snapshot.service(service.id).unwrap();
        service.destination(server(host).id).unwrap().destination.weight
    };
    assert_eq!(weight(&snapshot, &web(), 2), 9);
    assert_eq!(weight(&snapshot, &elsewhere, 1), 1, "as it was");
    // The next call sees it.
    assert_eq!(weight(&ipvs.snapshot().unwrap(), &elsewhere, 1), 9);
    let reconciled = ipvs.reconcile(&desired, &everything()).unwrap();
    assert!(reconciled.is_done(), "{reconciled}");
    assert_eq!(settings(&ipvs.snapshot().unwrap()), desired);
}

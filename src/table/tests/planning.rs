//! Tests the steps of single plans, each compared as a whole.

use crate::model::{
    Change, Connections, Destination, DestinationEntry, Scheduler, Service, ServiceEntry,
    ServiceFlags, ServiceSnapshot, Snapshot, Stats,
};
use crate::table::plan::Purpose;
use crate::table::{
    Actions, Disruption, Phase, Plan, PlanError, PlanOptions, Scope, Table, TableDestination,
    TableService,
};

pub(crate) fn web() -> Service {
    Service::tcp("192.0.2.10:80".parse().unwrap()).scheduler(Scheduler::ROUND_ROBIN)
}

pub(crate) fn server(host: u8) -> Destination {
    Destination::masquerade(([10, 0, 0, host], 8080).into())
}

pub(crate) fn wanted(service: Service, destinations: &[Destination]) -> Table {
    let service = destinations.iter().cloned().fold(TableService::new(service), TableService::with);
    [service].into_iter().collect()
}

pub(crate) fn there(service: Service, destinations: &[Destination]) -> Snapshot {
    Snapshot::from(&wanted(service, destinations))
}

pub(crate) fn everything() -> PlanOptions {
    PlanOptions::new().scope(Scope::new().everything())
}

/// Returns each step as its phase and command, without the words that all commands share.
fn steps(current: &Snapshot, desired: &Table, options: &PlanOptions) -> Vec<String> {
    let plan = Plan::new(current, desired, options).unwrap();
    let text = |change: &Change| {
        let text = change.to_string();
        text.replace("ipvsadm ", "").replace("-t 192.0.2.10:80 ", "").replace(" -m", "")
    };
    plan.steps().map(|step| format!("{:?} {}", step.phase, text(&step.change))).collect()
}

#[test]
fn additions_come_first_and_deletions_last() {
    let steps = steps(
        &there(web(), &[server(1), server(2).weight(5), server(3)]),
        &wanted(
            web().one_packet().flags(ServiceFlags::SCHED_3),
            &[server(2), server(3).weight(7), server(4)],
        ),
        &everything(),
    );
    assert_eq!(
        steps,
        [
            "Extend -e -r 10.0.0.3:8080 -w 7",
            "Extend -a -r 10.0.0.4:8080 -w 1",
            "Configure -E -s rr -b flag-3",
            "Reduce -e -r 10.0.0.1:8080 -w 0",
            "Reduce -e -r 10.0.0.2:8080 -w 1",
            "Drained -d -r 10.0.0.1:8080",
        ]
    );
}

#[test]
fn a_scheduler_that_the_kernel_may_not_have_comes_first() {
    let service = |host: u8| Service::tcp(([192, 0, 2, host], 80).into());
    let with = |host: u8, scheduler| {
        TableService::new(service(host).scheduler(scheduler)).with(server(host))
    };
    let new = "tomorrows".parse().unwrap();
    let before: Table = [
        with(1, Scheduler::ROUND_ROBIN),
        with(2, Scheduler::ROUND_ROBIN),
        with(9, Scheduler::NEVER_QUEUE),
    ]
    .into_iter()
    .collect();
    let desired: Table = [
        with(1, Scheduler::NEVER_QUEUE),
        with(2, new),
        with(3, Scheduler::ROUND_ROBIN),
        with(4, new),
    ]
    .into_iter()
    .collect();
    let plan = Plan::new(&Snapshot::from(&before), &desired, &PlanOptions::new()).unwrap();
    let order: Vec<_> = plan.steps().map(|step| (step.phase, step.service().unwrap())).collect();
    let id = |host| service(host).id;
    assert_eq!(
        order,
        [
            (Phase::Add, id(4)),
            (Phase::Add, id(4)),
            (Phase::Add, id(3)),
            (Phase::Add, id(3)),
            (Phase::Configure, id(2)),
            (Phase::Configure, id(1)),
        ]
    );
}

#[test]
fn what_cannot_drain_is_deleted_at_once() {
    let desired = |service: &Service| wanted(service.clone(), &[server(2)]);
    let hashed = web().scheduler(Scheduler::SOURCE_HASHING);
    let current = there(hashed.clone(), &[server(1), server(2)]);
    assert_eq!(steps(&current, &desired(&hashed), &everything()), ["Delete -d -r 10.0.0.1:8080"]);
    // The new settings of the service decide whether a destination drains.
    let fallback = hashed.clone().flags(ServiceFlags::SH_FALLBACK);
    assert_eq!(
        steps(&current, &desired(&fallback), &everything()),
        [
            "Configure -E -s sh -b sh-fallback",
            "Reduce -e -r 10.0.0.1:8080 -w 0",
            "Drained -d -r 10.0.0.1:8080",
        ]
    );
    // A draining destination would make the new scheduler refuse clients.
    assert_eq!(
        steps(&there(web(), &[server(1).weight(0), server(2)]), &desired(&hashed), &everything()),
        ["Clear -d -r 10.0.0.1:8080", "Configure -E -s sh"]
    );
    let undrained = everything().drain(None);
    assert_eq!(
        steps(&there(web(), &[server(1), server(2)]), &desired(&web()), &undrained),
        ["Delete -d -r 10.0.0.1:8080"]
    );
}

#[test]
fn a_draining_destination_goes_on_draining_or_comes_back() {
    let current = there(web(), &[server(1).weight(0), server(2)]);
    assert_eq!(
        steps(&current, &wanted(web(), &[server(2)]), &everything()),
        ["Drained -d -r 10.0.0.1:8080"]
    );
    assert_eq!(
        steps(&current, &wanted(web(), &[server(1).weight(4), server(2)]), &everything()),
        ["Extend -e -r 10.0.0.1:8080 -w 4"]
    );
}

#[test]
fn a_weight_that_is_not_given_can_be_kept() {
    let current = there(web(), &[server(1).weight(0), server(2).weight(9)]);
    let open = TableService::new(web())
        .with(TableDestination::of_any_weight(server(1)))
        .with(TableDestination::of_any_weight(server(2)));
    let desired: Table = [open].into_iter().collect();
    assert_eq!(
        steps(&current, &desired, &everything()),
        ["Extend -e -r 10.0.0.1:8080 -w 1", "Reduce -e -r 10.0.0.2:8080 -w 1"]
    );
    assert!(steps(&current, &desired, &everything().keep_weights(true)).is_empty());
    let given = wanted(web(), &[server(1), server(2)]);
    assert_eq!(steps(&current, &given, &everything().keep_weights(true)).len(), 2);
}

#[test]
fn stale_services_drain_as_a_whole() {
    let current = there(web(), &[server(1), server(2).weight(0)]);
    assert_eq!(
        steps(&current, &Table::new(), &everything()),
        ["Reduce -e -r 10.0.0.1:8080 -w 0", "Drained -D -t 192.0.2.10:80"]
    );
    assert_eq!(
        steps(&current, &Table::new(), &everything().drain(None)),
        ["Delete -D -t 192.0.2.10:80"]
    );
    assert!(steps(&current, &Table::new(), &PlanOptions::new()).is_empty());
    let empty = there(web(), &[]);
    assert_eq!(steps(&empty, &Table::new(), &everything()), ["Delete -D -t 192.0.2.10:80"]);
}

#[test]
fn what_clients_notice_is_said() {
    let mut entry = DestinationEntry::new(server(1), Connections::default(), Stats::default());
    entry.connections.active = 3;
    let entries = vec![entry];
    let current = Snapshot::from_iter([ServiceSnapshot::new(
        ServiceEntry::new(web(), Stats::default()),
        entries,
    )]);
    let other = web().scheduler(Scheduler::LEAST_CONNECTION);
    let options = everything().drain(None);
    let plan = Plan::new(&current, &wanted(other, &[server(2)]), &options).unwrap();
    let disruptions: Vec<_> = plan.disruptive().map(|(_, disruption)| disruption).collect();
    assert_eq!(disruptions, [Disruption::SchedulerChange, Disruption::ConnectionsBreak]);
    let drained = Plan::new(&current, &wanted(web(), &[server(2)]), &everything()).unwrap();
    assert_eq!(drained.disruptive().count(), 0);
    assert_eq!(drained.steps().next_back().unwrap().phase, Phase::Drained);
}

#[test]
fn a_plan_that_may_not_be_is_refused_as_a_whole() {
    let current = there(web(), &[server(1)]);
    let other = wanted(web().scheduler(Scheduler::LEAST_CONNECTION), &[server(2)]);
    let refused = |allowed| match Plan::new(&current, &other, &everything().allowed(allowed)) {
        Err(PlanError::NotAllowed { changes, .. }) => changes.len(),
        _ => 0,
    };
    assert_eq!(refused(Actions::all()), 0);
    assert_eq!(refused(Actions::all() - Actions::CHANGE_SCHEDULER), 1);
    assert_eq!(refused(Actions::all() - Actions::ADD_DESTINATION), 1);
    let both = wanted(web().scheduler(Scheduler::LEAST_CONNECTION).one_packet(), &[server(1)]);
    for action in [Actions::UPDATE_SERVICE, Actions::CHANGE_SCHEDULER] {
        let options = everything().allowed(Actions::all() - action);
        let plan = Plan::new(&current, &both, &options);
        match plan {
            Err(PlanError::NotAllowed { missing, .. }) => assert_eq!(missing, action),
            other => panic!("{action:?}: {other:?}"),
        }
    }
    let options = everything().allowed(Actions::empty());
    assert_eq!(
        Plan::new(&current, &both, &options).unwrap_err().to_string(),
        "update-service,change-scheduler is not allowed, but needed: \
         ipvsadm -E -t 192.0.2.10:80 -s lc -o"
    );
    // Draining is part of deleting.
    assert_eq!(refused(Actions::all() - Actions::UPDATE_DESTINATION), 0);
    assert_eq!(refused(Actions::all() - Actions::DELETE_DESTINATION), 2);

    let excluded = everything().scope(Scope::new().except(Scope::new().service(web().id)));
    assert_eq!(Plan::new(&current, &other, &excluded), Err(PlanError::OutOfScope(web().id)));
    let invalid = wanted(web(), &[server(1).weight(u32::MAX)]);
    let error = Plan::new(&current, &invalid, &everything()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "TCP 192.0.2.10:80 -> 10.0.0.1:8080: weight 4294967295: must be at most 2147483647"
    );
}

#[test]
fn a_service_in_the_place_of_another_is_planned_by_its_own_name() {
    let service = |host: u8| TableService::new(Service::tcp(([192, 0, 2, host], 80).into()));
    let mut desired: Table = [1, 2].map(service).into_iter().collect();
    let current = Snapshot::from(&desired);
    #[expect(deprecated, reason = "programs may call it still")]
    let replaced = desired.service_mut(service(1).id()).unwrap();
    *replaced = service(3);
    let plan = Plan::new(&current, &desired, &PlanOptions::new()).unwrap();
    assert_eq!(plan.to_string(), "+ TCP 192.0.2.3:80 wlc\n");
}

#[test]
fn the_last_of_two_services_with_one_id_stays() {
    let other = web().scheduler(Scheduler::LEAST_CONNECTION);
    let services = [web(), other.clone()].map(TableService::new);
    let table: Table = services.into_iter().collect();
    assert_eq!(table.len(), 1);
    assert_eq!(table.get(web().id).unwrap().service(), &other);
}

#[test]
fn a_snapshot_that_was_put_together_otherwise_is_in_order() {
    let desired = wanted(web(), &[server(1), server(2), server(3)]);
    let turned = Snapshot::from(&desired).into_iter().map(|mut service| {
        service.destinations.reverse();
        service
    });
    let current: Snapshot = turned.collect();
    assert!(current.services().all(|service| service.destination(server(1).id).is_some()));
    let plan = Plan::new(&current, &desired, &PlanOptions::new()).unwrap();
    assert_eq!(plan.to_string(), "no changes\n");
}

#[test]
fn room_is_made_before_what_has_room_is_stopped() {
    // The second destination may be full, so that the first takes all new connections.
    let full = server(2).weight(2).thresholds(100, 0);
    let current = there(web(), &[server(1), full]);
    let plan = Plan::new(&current, &wanted(web(), &[server(2)]), &everything()).unwrap();
    let phases: Vec<_> = plan.steps().map(|step| (step.phase, step.destination())).collect();
    let (first, second) = (Some(server(1).id), Some(server(2).id));
    let expected = [(Phase::Extend, second), (Phase::Reduce, first), (Phase::Drained, first)];
    assert_eq!(phases, expected);
}

#[test]
fn an_update_that_keeps_a_weight_does_not_ask_for_it() {
    let current = there(web(), &[server(1).weight(5)]);
    let other = server(1).thresholds(100, 0);
    let open = TableService::new(web()).with(TableDestination::of_any_weight(other.clone()));
    let desired: Table = [open].into_iter().collect();
    for (keep, weight, purpose) in [(true, 5, Purpose::OfAnyWeight), (false, 1, Purpose::Desired)] {
        let options = everything().keep_weights(keep);
        let plan = Plan::new(&current, &desired, &options).unwrap();
        let change = Change::UpdateDestination(web().id, other.clone().weight(weight));
        assert_eq!(plan.steps().map(|step| &step.change).collect::<Vec<_>>(), [&change]);
        assert_eq!(plan.step(0).unwrap().purpose, purpose);
    }
}

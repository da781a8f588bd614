//! Destinations that are waited for, and what ends the waiting.

use std::ops::ControlFlow;
use std::time::Duration;

use ipvs_netlink::table::{
    DrainPolicy, DrainUntil, Drained, OnFailure, Plan, Progress, StepOutcome,
};
use ipvs_netlink::{Client, Scheduler};

use super::plans::{establish, gently, table, web};
use super::{Lab, WEB, answered, id};

#[test]
fn a_drain_waits_for_the_last_connection_or_the_deadline() {
    let mut lab = Lab::with_servers(2);
    let service = lab.add(&web(Scheduler::ROUND_ROBIN), &[4, 1]);
    let mut held = lab.hold(2, WEB);
    let policy = DrainPolicy::new()
        .until(DrainUntil::NoActive)
        .interval(Duration::from_millis(10))
        .deadline(None);

    // Whoever watches may give up, and somebody else go on.
    let given_up = lab.ipvs.drain_with(service, id(0), policy, |progress| {
        assert_eq!((progress.waiting, progress.connections.active, progress.left), (1, 1, None));
        ControlFlow::Break(())
    });
    assert!(matches!(given_up.unwrap(), Drained::Cancelled { weight: 4, .. }));
    assert_eq!(lab.entry(service, 0).destination.weight, 0);
    lab.ipvs.set_weight(service, id(0), 4).unwrap();
    assert_eq!(lab.entry(service, 0).destination.weight, 4);

    let mut looks = 0;
    let drained = lab.ipvs.drain_with(service, id(0), policy, |_| {
        looks += 1;
        for connection in held.iter_mut().filter(|connection| answered(connection) == 0) {
            match looks {
                ..5 => drop(connection.ask().unwrap()),
                5 => connection.close().unwrap(),
                // It is gone, and what is left of it is inactive.
                _ => {}
            }
        }
        ControlFlow::Continue(())
    });
    assert_eq!(drained.unwrap(), Drained::Emptied);
    assert!(looks >= 5);

    let short = policy.deadline(Some(Duration::from_millis(50)));
    let Drained::Cut(connections) = lab.ipvs.drain(service, id(1), short).unwrap() else {
        panic!("the second one is held");
    };
    assert_eq!(connections.active, 1);
    assert!(lab.ipvs.destinations(service).unwrap().is_empty());
}

#[test]
fn a_drain_ends_when_somebody_wants_the_destination_back() {
    let mut lab = Lab::with_servers(1);
    let service = lab.add(&web(Scheduler::ROUND_ROBIN), &[1]);
    let mut held = lab.hold(1, WEB);
    let mut other = Client::in_namespace_fd(lab.namespace).unwrap();
    let policy = DrainPolicy::new().interval(Duration::from_millis(10)).deadline(None);
    let drained = lab.ipvs.drain_with(service, id(0), policy, |_| {
        other.set_weight(service, id(0), 1).unwrap();
        ControlFlow::Continue(())
    });
    assert_eq!(drained.unwrap(), Drained::Restored);
    held[0].ask().unwrap();
}

#[test]
fn a_drain_ends_when_somebody_deletes_the_whole_service() {
    let mut lab = Lab::with_servers(1);
    let service = lab.add(&web(Scheduler::ROUND_ROBIN), &[1]);
    let _held = lab.hold(1, WEB);
    let mut other = Client::in_namespace_fd(lab.namespace).unwrap();
    let policy = DrainPolicy::new().interval(Duration::from_millis(10)).deadline(None);
    let drained = lab.ipvs.drain_with(service, id(0), policy, |_| {
        other.delete_service(service).unwrap();
        ControlFlow::Continue(())
    });
    assert_eq!(drained.unwrap(), Drained::AlreadyGone);
}

#[test]
fn a_failure_that_stops_everything_is_not_followed_by_waiting() {
    let mut lab = Lab::with_servers(3);
    let service = web(Scheduler::ROUND_ROBIN);
    establish(&mut lab.ipvs, &table(&service, &[(0, 1), (1, 1), (2, 1)]));
    let _held = lab.hold(3, WEB);
    let mut other = Client::in_namespace_fd(lab.namespace).unwrap();
    let options = gently().on_failure(OnFailure::Stop);
    let desired = table(&service, &[(2, 1)]);
    let plan = Plan::new(&lab.ipvs.snapshot().unwrap(), &desired, &options).unwrap();
    let mut looks = 0;
    let applied = lab.ipvs.apply_with(&plan, |progress| {
        if let Progress::Draining(_) = progress {
            looks += 1;
            other.set_weight(service.id, id(0), 1).unwrap();
        }
        ControlFlow::Continue(())
    });
    assert_eq!(looks, 1, "{applied:?}");
    let last: Vec<_> = applied.outcomes().skip(2).collect();
    assert!(
        matches!(last[..], [StepOutcome::Differs, StepOutcome::Skipped { because: 2, .. }]),
        "{applied:?}"
    );
    assert_eq!(lab.entry(service.id, 1).destination.weight, 0);
}

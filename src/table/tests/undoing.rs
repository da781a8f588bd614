//! Tests new services whose destinations are refused, with a scripted kernel.

use std::ops::ControlFlow;

use rustix::io::Errno;

use super::planning::{everything, server, wanted, web};
use crate::engine::tests::script::{
    AnyReport, Event, Reply, Script, datagram, done, dumped, ready, refused, reported,
};
use crate::model::{
    Connections, Destination, DestinationEntry, Scheduler, Service, ServiceEntry, Snapshot, Stats,
};
use crate::table::{Actions, Applied, Plan, PlanOptions, StepOutcome, Table};

/// Scripts the next reading of the service to return these destinations.
fn then_there(script: &Script, destinations: &[Destination]) {
    then_found(script, web());
    let entry = |destination: &Destination| {
        let none = Connections::default();
        let entry = DestinationEntry::new(destination.clone(), none, Stats::default());
        AnyReport::Destination(entry)
    };
    script.then(dumped(vec![destinations.iter().map(entry).collect()]));
}

fn then_found(script: &Script, service: Service) {
    script.then(reported(AnyReport::Service(ServiceEntry::new(service, Stats::default()))));
}

/// Scripts the kernel to refuse one change of a batch and to execute the last one.
fn then_refused(script: &Script, change: usize, errno: Errno) {
    script.then(move |sent| {
        let refused = Reply::refused(sent[change].sequence, errno.raw_os_error());
        let done = Reply::ack(sent.last().unwrap().sequence);
        [refused, done].map(|reply| Event::Datagram(datagram(&[reply]))).into()
    });
}

fn add(desired: &Table, options: &PlanOptions, then: impl FnOnce(&Script)) -> Applied {
    let plan = Plan::new(&Snapshot::default(), desired, options).unwrap();
    let script = Script::new();
    let mut engine = script.engine();
    then(&script);
    let applied =
        ready(crate::table::apply(&mut engine, &plan, &mut |_| ControlFlow::Continue(())));
    script.assert_finished();
    applied
}

/// Adds a service with one destination, which the kernel refuses. `then` scripts what follows.
fn apply(then: impl FnOnce(&Script)) -> Applied {
    let applied = add(&wanted(web(), &[server(1)]), &everything(), |script| {
        script.then(refused(Errno::INVAL));
        then(script);
    });
    assert!(matches!(applied.outcome(1), Some(StepOutcome::Failed(_))), "{applied:?}");
    applied
}

#[test]
fn what_is_of_no_use_is_taken_back() {
    let applied = apply(|script| {
        then_there(script, &[server(2).weight(0)]);
        script.then(done);
    });
    let undone = applied.outcome(0);
    assert!(matches!(undone, Some(StepOutcome::Undone { because: 1, .. })), "{undone:?}");
}

#[test]
fn what_serves_by_somebody_elses_destination_is_left() {
    let applied = apply(|script| {
        then_there(script, &[server(2)]);
        then_there(script, &[server(2)]);
    });
    assert!(matches!(applied.outcome(0), Some(StepOutcome::Done)), "{applied:?}");
}

#[test]
fn what_cannot_be_taken_back_is_said_to_be_there() {
    let applied = apply(|script| {
        then_there(script, &[]);
        script.then(refused(Errno::PERM));
        then_there(script, &[]);
    });
    assert!(matches!(applied.outcome(0), Some(StepOutcome::Done)), "{applied:?}");
}

#[test]
fn what_went_with_a_service_that_is_taken_back_is_so_too() {
    let desired = wanted(web(), &[server(1), server(2).weight(0)]);
    let applied = add(&desired, &everything(), |script| {
        then_refused(script, 1, Errno::INVAL);
        then_there(script, &[server(2).weight(0)]);
        script.then(done);
    });
    let names: Vec<_> = applied.outcomes().map(StepOutcome::name).collect();
    assert_eq!(names, ["undone", "failed", "undone"]);
    assert!(!applied.outcomes().any(StepOutcome::is_foreign), "{applied:?}");
}

#[test]
fn destinations_do_not_stay_in_a_service_that_could_not_be_added() {
    let options = everything().allowed(Actions::ADD_SERVICE | Actions::ADD_DESTINATION);
    let applied = add(&wanted(web(), &[server(1)]), &options, |script| {
        then_refused(script, 0, Errno::EXIST);
        // The service belongs to another program, and the options do not allow to change it.
        then_found(script, web().scheduler(Scheduler::LEAST_CONNECTION));
        script.then(|sent| {
            assert_eq!(sent.len(), 1);
            done(sent)
        });
    });
    let names: Vec<_> = applied.outcomes().map(StepOutcome::name).collect();
    assert_eq!(names, ["failed", "undone"]);
}

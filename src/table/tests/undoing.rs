//! New services whose destinations are refused, by a kernel that follows a script.

use std::ops::ControlFlow;

use rustix::io::Errno;

use super::planning::{everything, server, wanted, web};
use crate::client::tests::script::{Script, done, dumped, ready, refused, reported};
use crate::model::{Connections, Destination, DestinationEntry, ServiceEntry, Snapshot, Stats};
use crate::table::{Applied, Plan, StepOutcome};
use crate::wire::tests::any_report::AnyReport;

/// The next reading of the service meets these destinations.
fn then_there(script: &Script, destinations: &[Destination]) {
    script.then(reported(AnyReport::Service(ServiceEntry::new(web(), Stats::default()))));
    let entry = |destination: &Destination| {
        let none = Connections::default();
        let entry = DestinationEntry::new(destination.clone(), none, Stats::default());
        AnyReport::Destination(entry)
    };
    script.then(dumped(vec![destinations.iter().map(entry).collect()]));
}

/// Adds a service of one destination, which the kernel refuses. What comes then is up to
/// `then`.
fn apply(then: impl FnOnce(&Script)) -> Applied {
    let desired = wanted(web(), &[server(1)]);
    let plan = Plan::new(&Snapshot::default(), &desired, &everything()).unwrap();
    let script = Script::new();
    let mut engine = script.engine();
    script.then(refused(Errno::INVAL));
    then(&script);
    let applied = ready(engine.apply(&plan, &mut |_| ControlFlow::Continue(())));
    script.assert_finished();
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

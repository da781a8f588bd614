//! Tests settings that the kernel reports although they break a rule: a plan may keep them, but
//! must not set them.

use std::ops::ControlFlow;
use std::time::Duration;

use super::planning::{everything, server, there, web};
use crate::engine::tests::script::{AnyReport, Script, done, dumped, ready, reported};
use crate::model::{Destination, Persistence, Scheduler, Service, ServiceEntry, Stats};
use crate::table::{Plan, PlanError, StepOutcome, Table, TableService, apply};

/// Returns a service with a persistence timeout, which may exceed the limit of this crate, as other
/// programs can write.
fn persistent(seconds: u64) -> Service {
    web().persistence(Persistence::new(Duration::from_secs(seconds)))
}

fn desired(service: Service) -> Table {
    [TableService::new(service)].into_iter().collect()
}

#[test]
fn another_setting_changes_beside_a_persistence_that_is_too_long() {
    let current = there(persistent(5_000_000), &[]);
    let wanted = persistent(5_000_000).scheduler(Scheduler::LEAST_CONNECTION);
    let plan = Plan::new(&current, &desired(wanted.clone()), &everything()).unwrap();
    let script = Script::new();
    let mut engine = script.engine();
    script.then(done);
    let entry = ServiceEntry::new(wanted, Stats::default());
    script.then(reported(AnyReport::Service(entry)));
    script.then(dumped(vec![vec![]]));
    let applied = ready(apply(&mut engine, &plan, &mut |_| ControlFlow::Continue(())));
    script.assert_finished();
    assert!(matches!(applied.outcome(0), Some(StepOutcome::Done)), "{applied:?}");
    assert!(applied.is_done(), "{applied:?}");
}

#[test]
fn a_persistence_that_is_too_long_is_not_made() {
    let wanted = desired(persistent(5_000_001));
    for current in [there(persistent(5_000_000), &[]), there(web(), &[])] {
        let refused = Plan::new(&current, &wanted, &everything());
        assert!(matches!(refused, Err(PlanError::Invalid { .. })), "{refused:?}");
    }
}

/// Returns a destination whose lower threshold exceeds the upper one.
fn odd(host: u8) -> Destination {
    server(host).thresholds(5, 9)
}

#[test]
fn a_weight_changes_beside_thresholds_that_break_a_rule() {
    let current = there(web(), &[odd(1)]);
    let wanted = [TableService::new(web()).with(odd(1).weight(7))].into_iter().collect();
    assert_eq!(Plan::new(&current, &wanted, &everything()).unwrap().len(), 1);
    let wanted = [TableService::new(web()).with(odd(1)).with(odd(2))].into_iter().collect();
    assert!(Plan::new(&current, &wanted, &everything()).is_err());
}

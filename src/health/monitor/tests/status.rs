//! A status says what each check knows, and how far it is from the next verdict.

use super::*;
use crate::health::{Damping, TargetStatus};

/// What is known of the only target.
fn only(monitor: &Monitor<&str>, now: Instant) -> TargetStatus {
    monitor.status(id(1), now).next().unwrap().1
}

#[test]
fn a_status_counts_the_results_that_lead_to_a_verdict() {
    use Verdict::{Down, Unknown, Up};
    let begin = Instant::now();
    let mut now = begin;
    let mut monitor = Monitor::new(1);
    let damping = Damping::new().window(600 * SECOND).free(0);
    let pace = Pace::new().fall(2).rise(3).first_rise(2).damping(Some(damping));
    monitor.watch(Watched::new(service(1, &[1])).check("tcp", pace), None, now);
    let status = only(&monitor, now);
    assert_eq!((status.verdict, status.since, status.ended), (Unknown, None, None));
    assert_eq!((status.passed, status.row, status.counted, status.needed), (None, 0, 0, 2));
    assert!(status.due.is_some_and(|due| due > now));
    assert_eq!(status.pace, pace);
    let mut after = |outcome: Outcome| {
        now = monitor.next_check().unwrap();
        let check = monitor.due(now).unwrap();
        assert_eq!(only(&monitor, now).due, None, "the check runs");
        monitor.finished(&check, outcome, now);
        (only(&monitor, now), now)
    };
    let counts = |(status, now): (TargetStatus, Instant)| {
        assert_eq!(status.ended, Some(now));
        let TargetStatus { verdict, passed, row, counted, needed, .. } = status;
        (verdict, passed, row, counted, needed)
    };
    let failed = || Outcome::failed("refused");
    assert_eq!(counts(after(Outcome::not_done("no socket"))), (Unknown, None, 0, 0, 2));
    assert_eq!(counts(after(Outcome::passed())), (Unknown, Some(true), 1, 1, 2));
    let (up, at) = after(Outcome::passed());
    assert_eq!((up.since, up.damped_until), (Some(at), None));
    assert_eq!(counts((up, at)), (Up, Some(true), 2, 0, 2));
    assert_eq!(counts(after(failed())), (Up, Some(false), 1, 1, 2));
    let (down, at) = after(failed());
    assert_eq!((down.since, down.reason.as_str()), (Some(at), "refused"));
    // One time is one too many.
    assert_eq!(down.damped_until, Some(at + 600 * SECOND));
    assert_eq!(counts((down, at)), (Down, Some(false), 2, 0, 6));
    let (still, later) = after(failed());
    assert_eq!(still.since, Some(at));
    assert_eq!(counts((still, later)), (Down, Some(false), 3, 0, 6));
    assert_eq!(counts(after(Outcome::passed())), (Down, Some(true), 1, 1, 6));
    let long_after = only(&monitor, at + 601 * SECOND);
    assert_eq!((long_after.needed, long_after.damped_until), (3, None));
}

#[test]
fn a_status_of_a_service_has_the_checks_of_each_destination() {
    let mut now = Instant::now();
    let mut monitor = Monitor::new(1);
    let web = service(1, &[1, 2]);
    let watched = Watched::new(web.clone()).check("tcp", Pace::new()).check("agent", Pace::new());
    monitor.watch(watched, None, now);
    monitor.watch(Watched::new(service(2, &[2])), None, now);
    run(&mut monitor, &mut now, 20 * SECOND, &[2]);
    let status = monitor.service_status(web.id(), now).unwrap();
    assert_eq!(status.pool, monitor.pool(web.id()).unwrap().status(now));
    assert_eq!(status.pool.members[&id(2)].verdict, Verdict::Down);
    let checks = |host| {
        let checks = status.checks(id(host)).iter();
        checks.map(|(check, target)| (**check, target.verdict)).collect::<Vec<_>>()
    };
    assert_eq!(checks(1), [("tcp", Verdict::Up), ("agent", Verdict::Up)]);
    assert_eq!(checks(2), [("tcp", Verdict::Down), ("agent", Verdict::Down)]);
    assert_eq!(checks(3), []);
    let unchecked = monitor.service_status(service(2, &[]).id(), now).unwrap();
    assert!(unchecked.targets.is_empty() && unchecked.checks(id(2)).is_empty());
    assert_eq!(unchecked.pool.members[&id(2)].verdict, Verdict::Up);
    assert_eq!(monitor.service_status(service(3, &[]).id(), now), None);
    assert_eq!(monitor.services().collect::<Vec<_>>(), [1, 2].map(|port| service(port, &[]).id()));
}

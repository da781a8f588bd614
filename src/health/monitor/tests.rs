//! Monitors check each target once, and lose nothing of what is known.

use std::iter;
use std::net::SocketAddr;
use std::time::Duration;

use super::*;
use crate::model::{Destination, Service, Snapshot};
use crate::table::{Table, TableService};

const SECOND: Duration = Duration::from_secs(1);

fn id(host: u8) -> DestinationId {
    DestinationId::from(SocketAddr::from(([10, 0, 0, host], 8080)))
}

fn service(port: u16, hosts: &[u8]) -> TableService {
    let service = TableService::new(Service::tcp(([192, 0, 2, 10], port).into()));
    hosts.iter().fold(service, |service, host| {
        service.with(Destination::masquerade(([10, 0, 0, *host], 8080).into()))
    })
}

/// Runs checks for a while. Returns the checks that were done; hosts in `dead` fail.
fn run(monitor: &mut Monitor<&str>, now: &mut Instant, time: Duration, dead: &[u8]) -> usize {
    let end = *now + time;
    let mut checks = 0;
    while let Some(next) = monitor.next(*now).filter(|next| *next <= end) {
        *now = next.max(*now);
        while let Some(check) = monitor.due(*now) {
            checks += 1;
            let is_dead = dead.iter().any(|host| id(*host) == check.destination);
            let outcome = if is_dead { Outcome::failed("refused") } else { Outcome::passed() };
            monitor.finished(&check, outcome, *now);
        }
        monitor.wishes(*now);
    }
    *now = end;
    checks
}

/// The weight that the last wish for a service gives to a destination.
fn weight(monitor: &mut Monitor<&str>, port: u16, host: u8) -> Option<u32> {
    let pool = monitor.pool(service(port, &[]).id()).unwrap();
    pool.last_wish()?.service().destination(id(host))?.weight()
}

#[test]
fn a_target_of_several_services_is_checked_once() {
    let mut now = Instant::now();
    let mut monitor = Monitor::new(1);
    for port in 1..=50 {
        monitor.watch(Watched::new(service(port, &[1, 2])).check("tcp", Pace::new()), None, now);
    }
    let checks = run(&mut monitor, &mut now, 50 * SECOND, &[]);
    assert!((20..=24).contains(&checks), "{checks}");
    assert!((1..=50).all(|port| weight(&mut monitor, port, 2) == Some(1)));
    run(&mut monitor, &mut now, 10 * SECOND, &[2]);
    assert!((1..=50).all(|port| weight(&mut monitor, port, 2) == Some(0)));
    let status: Vec<_> = monitor.status(id(2)).collect();
    assert_eq!((status[0].1.verdict, &*status[0].1.reason), (Verdict::Down, "refused"));
}

#[test]
fn a_destination_that_moves_to_another_service_keeps_what_is_known() {
    let mut now = Instant::now();
    let mut monitor = Monitor::new(1);
    let watched = |port, hosts: &[u8]| Watched::new(service(port, hosts)).check("tcp", Pace::new());
    monitor.watch(watched(1, &[1, 2]), None, now);
    run(&mut monitor, &mut now, 20 * SECOND, &[2]);
    monitor.watch(watched(2, &[2, 3]), None, now);
    monitor.watch(watched(1, &[1]), None, now);
    assert_eq!(monitor.status(id(2)).next().unwrap().1.verdict, Verdict::Down);
    // It is dead in the new service from the first moment on.
    monitor.wishes(now);
    assert_eq!(weight(&mut monitor, 2, 2), None);
    run(&mut monitor, &mut now, 20 * SECOND, &[]);
    assert_eq!(weight(&mut monitor, 2, 2), Some(1));
    monitor.forget(service(2, &[]).id(), now);
    assert_eq!(monitor.status(id(2)).count(), 0);
    run(&mut monitor, &mut now, 20 * SECOND, &[]);
    assert_eq!(monitor.targets.len(), 1);
    assert_eq!(monitor.targets.waiting(), 1);
}

#[test]
fn checks_are_spread_and_do_not_drift() {
    let mut now = Instant::now();
    let mut monitor = Monitor::new(3);
    let hosts: Vec<u8> = (1..=200).collect();
    monitor.watch(Watched::new(service(1, &hosts)).check("tcp", Pace::new()), None, now);
    let first = run(&mut monitor, &mut now, SECOND / 2, &[]);
    assert!((60..=140).contains(&first), "{first} of 200 in the first half second");
    run(&mut monitor, &mut now, 100 * SECOND, &[]);
    let mut each = Vec::new();
    for _ in 0..10 {
        each.push(run(&mut monitor, &mut now, 5 * SECOND, &[]));
    }
    assert!(each.iter().all(|checks| (200..=225).contains(checks)), "{each:?}");
}

#[test]
fn the_first_checks_of_many_targets_are_spread_over_the_interval() {
    let now = Instant::now();
    let mut monitor = Monitor::new(3);
    for port in 1..=40 {
        let hosts = (0..100).map(|host| SocketAddr::from(([10, 1, 0, host], 1000 + port)));
        let table =
            hosts.fold(service(port, &[]), |table, host| table.with(Destination::masquerade(host)));
        monitor.watch(Watched::new(table).check("tcp", Pace::new()), None, now);
    }
    let mut until = |time| iter::from_fn(|| monitor.due(now + time)).count();
    // The first thousand begin in the first second, the others in 5 s.
    let each = [SECOND, 2 * SECOND, 3 * SECOND, 4 * SECOND, 5 * SECOND].map(&mut until);
    assert!((1500..1700).contains(&each[0]), "{each:?}");
    assert!(each[1..].iter().all(|checks| (500..700).contains(checks)), "{each:?}");
    assert_eq!(each.iter().sum::<usize>(), 4000);
}

#[test]
fn a_sign_from_elsewhere_makes_the_next_check_come_now_and_decides_nothing() {
    let mut now = Instant::now();
    let mut monitor = Monitor::new(3);
    monitor.watch(Watched::new(service(1, &[1, 2])).check("tcp", Pace::new()), None, now);
    run(&mut monitor, &mut now, 10 * SECOND, &[]);
    while monitor.due(now).is_some() {}
    let mut monitor = Monitor::new(3);
    monitor.watch(Watched::new(service(1, &[1, 2])).check("tcp", Pace::new()), None, now);
    run(&mut monitor, &mut now, 2 * SECOND, &[]);
    assert!(monitor.due(now).is_none());
    monitor.hasten(id(1), now);
    assert_eq!(monitor.due(now).unwrap().destination, id(1));
    assert!(monitor.due(now).is_none());
    assert_eq!(weight(&mut monitor, 1, 1), Some(1));
}

#[test]
fn the_result_of_a_target_that_was_dropped_is_ignored() {
    let mut now = Instant::now();
    let mut monitor = Monitor::new(3);
    let watched = || Watched::new(service(1, &[1])).check("tcp", Pace::new());
    monitor.watch(watched(), None, now);
    now += SECOND;
    let check = monitor.due(now).unwrap();
    monitor.finished(&check, Outcome::failed("refused"), now);
    monitor.forget(service(1, &[]).id(), now);
    now += KEPT;
    assert_eq!(monitor.due(now), None);
    assert!(monitor.targets.len() == 0 && monitor.targets.waiting() == 0);
    assert_eq!(monitor.next(now), None);
    // It is watched again, and the late result is not one of the new check.
    monitor.watch(watched(), None, now);
    monitor.finished(&check, Outcome::passed(), now);
    assert_eq!(monitor.status(id(1)).next().unwrap().1.verdict, Verdict::Unknown);
}

#[test]
fn a_destination_that_moves_in_two_steps_keeps_what_is_known() {
    let mut now = Instant::now();
    let mut monitor = Monitor::new(1);
    let watched = |port, hosts: &[u8]| Watched::new(service(port, hosts)).check("tcp", Pace::new());
    let held = |port, hosts: &[u8]| {
        let table = Table::from_iter([service(port, hosts)]);
        Snapshot::from(&table).into_iter().next()
    };
    monitor.watch(watched(1, &[1, 2, 3]), None, now);
    run(&mut monitor, &mut now, 20 * SECOND, &[2]);
    // A check runs, and all targets are due.
    now += 6 * SECOND;
    let check = monitor.due(now).unwrap();
    monitor.forget(service(1, &[]).id(), now);
    assert_eq!(monitor.status(id(2)).count(), 0);
    assert_eq!(monitor.due(now), None);
    monitor.finished(&check, Outcome::passed(), now);
    now += 9 * SECOND;
    assert_eq!(monitor.due(now), None);
    monitor.hasten(id(2), now);
    let first = held(2, &[1]);
    monitor.watch(watched(2, &[1, 2, 3]), first.as_ref(), now);
    monitor.wishes(now);
    assert_eq!([1, 2, 3].map(|host| weight(&mut monitor, 2, host)), [Some(1), None, Some(1)]);
    // They are checked soon.
    assert_eq!(run(&mut monitor, &mut now, SECOND, &[2]), 3);
    run(&mut monitor, &mut now, 20 * SECOND, &[]);
    assert_eq!(weight(&mut monitor, 2, 2), Some(1));
    assert_eq!((monitor.targets.len(), monitor.targets.waiting()), (3, 3));
}

#[test]
fn another_check_revives_no_dead_destination_and_takes_none_out() {
    let mut now = Instant::now();
    let mut monitor = Monitor::new(1);
    let watched = |check| Watched::new(service(1, &[1, 2])).check(check, Pace::new());
    monitor.watch(watched("tcp"), None, now);
    run(&mut monitor, &mut now, 20 * SECOND, &[2]);
    monitor.watch(watched("http"), None, now);
    assert_eq!(monitor.status(id(1)).next().unwrap().1.verdict, Verdict::Unknown);
    assert!(monitor.wishes(now).is_empty());
    assert_eq!([1, 2].map(|host| weight(&mut monitor, 1, host)), [Some(1), None]);
    run(&mut monitor, &mut now, 20 * SECOND, &[1]);
    assert_eq!([1, 2].map(|host| weight(&mut monitor, 1, host)), [Some(0), Some(1)]);
    assert_eq!(monitor.targets.len(), 2);
}

#[test]
fn a_new_table_takes_in_the_results_that_came_before() {
    let mut now = Instant::now();
    let mut monitor = Monitor::new(1);
    let pace = Pace::new().fall(1);
    let watched = |hosts: &[u8]| Watched::new(service(1, hosts)).check("tcp", pace);
    monitor.watch(watched(&[1, 2]), None, now);
    run(&mut monitor, &mut now, 20 * SECOND, &[]);
    now += 10 * SECOND;
    while let Some(check) = monitor.due(now) {
        if check.destination == id(1) {
            monitor.finished(&check, Outcome::failed("refused"), now);
        }
    }
    monitor.watch(watched(&[3]), None, now);
    monitor.wishes(now);
    // The dead one does not stay until the new one is live.
    assert_eq!([1, 2, 3].map(|host| weight(&mut monitor, 1, host)), [None, Some(1), None]);
}

#[test]
fn a_check_that_has_failed_says_no_share() {
    let mut now = Instant::now();
    let mut monitor = Monitor::new(3);
    let watched = Watched::new(service(1, &[1]))
        .check("tcp", Pace::new())
        .check("agent", Pace::new())
        .combination(Combination::Any);
    monitor.watch(watched, None, now);
    for round in 0..20 {
        now += SECOND;
        while let Some(check) = monitor.due(now) {
            let outcome = match *check.check {
                "agent" if round < 10 => Outcome::Passed(Share::percent(300)),
                "agent" => Outcome::failed("refused"),
                _ => Outcome::passed(),
            };
            monitor.finished(&check, outcome, now);
        }
        monitor.wishes(now);
        if round == 9 {
            assert_eq!(weight(&mut monitor, 1, 1), Some(3));
        }
    }
    assert_eq!(weight(&mut monitor, 1, 1), Some(1));
}

#[test]
fn another_agent_changes_no_share_before_it_is_asked() {
    let mut now = Instant::now();
    let mut monitor = Monitor::new(1);
    let watched = |agent| {
        Watched::new(service(1, &[1, 2])).check("tcp", Pace::new()).check(agent, Pace::new())
    };
    // The first agent drains server 1. The second one is not asked while it has no answer.
    let ask = |monitor: &mut Monitor<&str>, now: &mut Instant, second: Option<Share>| {
        *now += 10 * SECOND;
        while let Some(check) = monitor.due(*now) {
            let share = match (*check.check, check.destination == id(1)) {
                ("first", true) => Some(Share::percent(0)),
                ("second", _) => second,
                _ => Some(Share::FULL),
            };
            if let Some(share) = share {
                monitor.finished(&check, Outcome::Passed(share), *now);
            }
        }
        monitor.wishes(*now);
        [1, 2].map(|host| weight(monitor, 1, host))
    };
    monitor.watch(watched("first"), None, now);
    assert_eq!(ask(&mut monitor, &mut now, None), [None, Some(1)]);
    monitor.watch(watched("second"), None, now);
    assert_eq!(ask(&mut monitor, &mut now, None), [None, Some(1)]);
    monitor.watch(watched("third"), None, now);
    assert_eq!(ask(&mut monitor, &mut now, None), [Some(1), Some(1)]);
}

#[test]
fn a_restart_revives_nobody_before_the_agent_is_asked() {
    let mut now = Instant::now();
    let mut monitor = Monitor::new(1);
    let drained = TableService::new(Service::tcp(([192, 0, 2, 10], 1).into()))
        .with(Destination::masquerade(([10, 0, 0, 1], 8080).into()).weight(0));
    let table = Table::from_iter([drained]);
    let held = Snapshot::from(&table).into_iter().next();
    let watched = Watched::new(service(1, &[1]))
        .check("tcp", Pace::new())
        .check("agent", Pace::new().fall(1))
        .combination(Combination::Any);
    monitor.watch(watched, held.as_ref(), now);
    now += 10 * SECOND;
    let mut agent = None;
    while let Some(check) = monitor.due(now) {
        match *check.check {
            "agent" => agent = Some(check),
            _ => monitor.finished(&check, Outcome::passed(), now),
        }
    }
    monitor.wishes(now);
    assert_eq!(weight(&mut monitor, 1, 1), Some(0));
    monitor.finished(&agent.unwrap(), Outcome::Passed(Share::percent(200)), now);
    monitor.wishes(now);
    assert_eq!(weight(&mut monitor, 1, 1), Some(2));
}

#[test]
fn several_checks_are_combined() {
    let mut now = Instant::now();
    let mut monitor = Monitor::new(3);
    let watched = Watched::new(service(1, &[1]))
        .check("tcp", Pace::new())
        .check("http", Pace::new())
        .combination(Combination::Any);
    monitor.watch(watched, None, now);
    for _ in 0..20 {
        now += SECOND;
        while let Some(check) = monitor.due(now) {
            let outcome = match *check.check {
                "tcp" => Outcome::Passed(Share::percent(300)),
                _ => Outcome::failed("é".repeat(4000)),
            };
            monitor.finished(&check, outcome, now);
        }
        monitor.wishes(now);
    }
    assert_eq!(weight(&mut monitor, 1, 1), Some(3));
    let reasons: Vec<usize> =
        monitor.status(id(1)).map(|(_, status)| status.reason.len()).collect();
    assert_eq!(reasons, [0, 256]);
}

#[test]
fn a_pool_that_is_available_at_the_start_is_told_once() {
    let now = Instant::now();
    let desired = service(1, &[1, 2]);
    let table: Table = [desired.clone()].into_iter().collect();
    let held = Snapshot::from(&table).into_iter().next();
    let mut monitor = Monitor::new(3);
    let watched = || Watched::new(desired.clone()).check("tcp", Pace::new());
    monitor.watch(watched(), held.as_ref(), now);
    assert_eq!(monitor.events(), [(desired.id(), PoolEvent::Available)]);
    monitor.watch(watched(), held.as_ref(), now);
    assert_eq!(monitor.events(), []);
    // Where the table holds nothing, it comes with the first success.
    let mut monitor = Monitor::new(3);
    monitor.watch(watched(), None, now);
    assert_eq!(monitor.events(), []);
}

#[test]
fn who_is_down_is_told_with_the_reasons() {
    let mut now = Instant::now();
    let mut monitor = Monitor::new(3);
    let watched = Watched::new(service(1, &[1]))
        .check("tcp", Pace::new().fall(1))
        .check("agent", Pace::new().fall(1))
        .check("http", Pace::new().fall(1))
        .combination(Combination::Any);
    monitor.watch(watched, None, now);
    now += SECOND;
    while let Some(check) = monitor.due(now) {
        let outcome = match *check.check {
            "agent" => Outcome::failed(""),
            other => Outcome::failed(format!("no {other}")),
        };
        monitor.finished(&check, outcome, now);
    }
    monitor.wishes(now);
    let events: Vec<_> = monitor.events().iter().map(|(_, event)| event.to_string()).collect();
    assert_eq!(events, ["10.0.0.1:8080 is down: no tcp; no http"]);
}

#[test]
fn a_check_that_begins_late_does_not_make_the_next_one_late() {
    let begin = Instant::now();
    let mut now = begin;
    let mut monitor = Monitor::new(3);
    monitor.watch(Watched::new(service(1, &[1])).check("tcp", Pace::new()), None, now);
    let mut late = |by: Duration| {
        let due = monitor.next_check().unwrap();
        now = now.max(due) + by;
        let check = monitor.due(now).unwrap();
        monitor.finished(&check, Outcome::passed(), now);
        (due, monitor.next_check().unwrap(), now)
    };
    late(Duration::ZERO);
    let (due, next, _) = late(SECOND / 4);
    assert!(next <= due + 5 * SECOND, "{:?}", next - due);
    // After a stop of a minute the next check does not follow at once.
    let (_, next, now) = late(60 * SECOND);
    assert!(next > now + 4 * SECOND, "{:?}", next - now);
}

#[test]
fn a_faster_pace_takes_effect_at_once_and_keeps_checks_apart() {
    let now = Instant::now();
    let mut monitor = Monitor::new(3);
    let hosts: Vec<u8> = (1..=200).collect();
    let watched = |interval| {
        let pace = Pace::new().interval(interval).changing(interval);
        Watched::new(service(1, &hosts)).check("tcp", pace)
    };
    monitor.watch(watched(600 * SECOND), None, now);
    monitor.watch(watched(10 * SECOND), None, now);
    let until = |monitor: &mut Monitor<_>, time| {
        let mut checks = 0;
        while monitor.due(now + time).is_some() {
            checks += 1;
        }
        checks
    };
    let half = until(&mut monitor, 5 * SECOND);
    assert!((60..=140).contains(&half), "{half}");
    assert_eq!(half + until(&mut monitor, 10 * SECOND), 200);
}

/// A check that counts how often it is compared.
#[derive(Debug)]
struct Counted(u32, std::rc::Rc<std::cell::Cell<usize>>);

impl Ord for Counted {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.1.set(self.1.get() + 1);
        self.0.cmp(&other.0)
    }
}

impl PartialOrd for Counted {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Counted {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Counted {}

#[test]
fn checks_are_compared_once_for_a_service_and_not_for_a_destination() {
    let now = Instant::now();
    let compared = std::rc::Rc::default();
    let mut monitor = Monitor::new(3);
    let hosts: Vec<u8> = (1..=250).collect();
    let watch = |monitor: &mut Monitor<_>| {
        for port in 1..=40 {
            let checks = [1, 2].map(|number| Counted(number, std::rc::Rc::clone(&compared)));
            let watched = Watched::new(service(port, &hosts));
            let watched =
                checks.into_iter().fold(watched, |watched, it| watched.check(it, Pace::new()));
            monitor.watch(watched, None, now);
        }
        monitor.wishes(now);
    };
    watch(&mut monitor);
    watch(&mut monitor);
    for _ in 0..50 {
        let check = monitor.due(now + 10 * SECOND).unwrap();
        monitor.finished(&check, Outcome::passed(), now);
    }
    monitor.hasten(id(1), now);
    assert_eq!(monitor.status(id(1)).count(), 2);
    let compared = compared.get();
    assert!(compared <= 2 * 40 * 2 * 4, "{compared} for 40 services with 10,000 destinations");
}

#[test]
fn a_check_that_was_not_done_says_nothing() {
    let mut now = Instant::now();
    let mut monitor = Monitor::new(1);
    let pace = Pace::new().fall(2).interval(5 * SECOND).changing(SECOND);
    monitor.watch(Watched::new(service(1, &[1])).check("tcp", pace), None, now);
    let mut next = |monitor: &mut Monitor<&str>, outcome: Outcome| {
        now = monitor.next_check().unwrap();
        let check = monitor.due(now).unwrap();
        monitor.finished(&check, outcome, now);
        let due = monitor.next_check().unwrap() - now;
        let (_, status) = monitor.status(id(1)).next().unwrap();
        (status.verdict, status.reason, due.as_secs_f32().round())
    };
    let not_done = || Outcome::not_done("no socket");
    let undecided = (Verdict::Unknown, "no socket".to_owned(), 1.0);
    assert_eq!(next(&mut monitor, not_done()), undecided);
    assert_eq!(next(&mut monitor, not_done()), undecided);
    assert_eq!(next(&mut monitor, Outcome::passed()), (Verdict::Up, String::new(), 5.0));
    assert_eq!(next(&mut monitor, Outcome::failed("x")), (Verdict::Up, "x".to_owned(), 1.0));
    // The failures in a row are still one.
    let up = (Verdict::Up, "no socket".to_owned(), 1.0);
    assert_eq!(next(&mut monitor, not_done()), up);
    assert_eq!(next(&mut monitor, not_done()), up);
    assert_eq!(next(&mut monitor, Outcome::failed("x")).0, Verdict::Down);
}

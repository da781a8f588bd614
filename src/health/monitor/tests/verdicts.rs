//! What results mean for a service.

use super::*;

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
        monitor.status(id(1), now).map(|(_, status)| status.reason.len()).collect();
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
        let (_, status) = monitor.status(id(1), now).next().unwrap();
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

//! When checks begin.

use super::*;

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

/// Watches services with a hundred destinations each, which no other has.
fn watch_hundreds(monitor: &mut Monitor<&str>, ports: std::ops::RangeInclusive<u16>, now: Instant) {
    for port in ports {
        let hosts = (0..100).map(|host| SocketAddr::from(([10, 1, 0, host], 1000 + port)));
        let table =
            hosts.fold(service(port, &[]), |table, host| table.with(Destination::masquerade(host)));
        monitor.watch(Watched::new(table).check("tcp", Pace::new()), None, now);
    }
}

#[test]
fn the_first_checks_of_a_few_new_targets_begin_soon_beside_many_others() {
    let mut now = Instant::now();
    let mut monitor = Monitor::new(3);
    let pace = Pace::new().interval(600 * SECOND);
    watch_hundreds(&mut monitor, 1..=20, now);
    run(&mut monitor, &mut now, 10 * SECOND, &[]);
    monitor.watch(Watched::new(service(80, &[1, 2, 3])).check("tcp", pace), None, now);
    run(&mut monitor, &mut now, SECOND, &[]);
    assert_eq!([1, 2, 3].map(|host| weight(&mut monitor, 80, host)), [Some(1); 3]);
    // Nobody waits for the first checks of targets that no service has any more.
    watch_hundreds(&mut monitor, 21..=40, now);
    (21..=40).for_each(|port| monitor.forget(service(port, &[]).id(), now));
    monitor.watch(Watched::new(service(81, &[4, 5, 6])).check("tcp", pace), None, now);
    run(&mut monitor, &mut now, SECOND, &[]);
    assert_eq!([4, 5, 6].map(|host| weight(&mut monitor, 81, host)), [Some(1); 3]);
}

#[test]
fn the_first_checks_of_many_targets_are_spread_over_the_interval() {
    let now = Instant::now();
    let mut monitor = Monitor::new(3);
    watch_hundreds(&mut monitor, 1..=40, now);
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

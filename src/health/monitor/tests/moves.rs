//! What is known stays when services and their checks change.

use super::*;

#[test]
fn a_destination_that_moves_to_another_service_keeps_what_is_known() {
    let mut now = Instant::now();
    let mut monitor = Monitor::new(1);
    let watched = |port, hosts: &[u8]| Watched::new(service(port, hosts)).check("tcp", Pace::new());
    monitor.watch(watched(1, &[1, 2]), None, now);
    run(&mut monitor, &mut now, 20 * SECOND, &[2]);
    monitor.watch(watched(2, &[2, 3]), None, now);
    monitor.watch(watched(1, &[1]), None, now);
    assert_eq!(monitor.status(id(2), now).next().unwrap().1.verdict, Verdict::Down);
    // It is dead in the new service from the first moment on.
    monitor.wishes(now);
    assert_eq!(weight(&mut monitor, 2, 2), None);
    run(&mut monitor, &mut now, 20 * SECOND, &[]);
    assert_eq!(weight(&mut monitor, 2, 2), Some(1));
    monitor.forget(service(2, &[]).id(), now);
    assert_eq!(monitor.status(id(2), now).count(), 0);
    run(&mut monitor, &mut now, 20 * SECOND, &[]);
    assert_eq!(monitor.targets.len(), 1);
    assert_eq!(monitor.targets.waiting(), 1);
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
    assert_eq!(monitor.status(id(1), now).next().unwrap().1.verdict, Verdict::Unknown);
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
    assert_eq!(monitor.status(id(2), now).count(), 0);
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
    assert_eq!(monitor.status(id(1), now).next().unwrap().1.verdict, Verdict::Unknown);
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
    assert_eq!(monitor.status(id(1), now).count(), 2);
    let compared = compared.get();
    assert!(compared <= 2 * 40 * 2 * 4, "{compared} for 40 services with 10,000 destinations");
}

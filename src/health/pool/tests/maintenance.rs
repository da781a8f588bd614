//! An operator's decisions beside what checks find.

use super::*;

#[test]
fn maintenance_and_health_do_not_overwrite_each_other() {
    let now = Instant::now();
    let mut pool = three(PoolPolicy::new(), now);
    pool.maintain(id(1), Maintenance::new(MaintenanceKind::Drain, "ann"), now);
    pool.maintain(id(2), Maintenance::new(MaintenanceKind::Out, "ben"), now);
    assert_eq!(weights(&mut pool, now), [(1, 0), (3, 2)]);
    // It dies and comes back meanwhile.
    pool.verdict(id(1), Verdict::Down, now);
    pool.verdict(id(1), Verdict::Up, now);
    assert_eq!(weights(&mut pool, now), [(1, 0), (3, 2)]);
    pool.end_maintenance(id(1), now);
    assert_eq!(weights(&mut pool, now), [(1, 1), (3, 2)]);
    // It dies, and the maintenance ends.
    pool.verdict(id(2), Verdict::Down, now);
    pool.end_maintenance(id(2), now);
    assert_eq!(weights(&mut pool, now), [(1, 1), (3, 2)]);
    // A maintenance ends by itself.
    let until = now + 60 * SECOND;
    pool.maintain(id(1), Maintenance::new(MaintenanceKind::Out, "ann").until(until), now);
    assert_eq!(pool.next(now), Some(until));
    assert_eq!(weights(&mut pool, now + SECOND), [(3, 2)]);
    assert_eq!(weights(&mut pool, until), [(1, 1), (3, 2)]);
}

#[test]
fn the_last_live_destination_goes_into_maintenance_after_the_announcement() {
    let now = Instant::now();
    let mut pool = three(PoolPolicy::new().hold(5 * SECOND), now);
    (1..=2).for_each(|host| pool.verdict(id(host), Verdict::Down, now));
    pool.maintain(id(3), Maintenance::new(MaintenanceKind::Out, "ann"), now);
    assert!(!pool.is_available());
    assert_eq!(weights(&mut pool, now), [(1, 0), (2, 0), (3, 2)]);
    assert_eq!(pool.next(now), Some(now + 5 * SECOND));
    let unavailable = PoolEvent::Unavailable { until: now + 5 * SECOND };
    assert!(pool.events().any(|event| event == unavailable));
    assert_eq!(weights(&mut pool, now + 5 * SECOND), [(1, 0), (2, 0)]);
}

#[test]
fn a_second_maintenance_waits_for_the_same_announcement() {
    let now = Instant::now();
    let mut pool = three(PoolPolicy::new().quorum(3).hold(5 * SECOND), now);
    let out = || Maintenance::new(MaintenanceKind::Out, "ann");
    pool.maintain(id(1), out(), now);
    pool.maintain(id(2), out(), now + SECOND);
    assert_eq!(weights(&mut pool, now + 4 * SECOND), [(1, 1), (2, 1), (3, 2)]);
    assert_eq!(weights(&mut pool, now + 5 * SECOND), [(3, 2)]);
    // The announcement was long ago.
    pool.maintain(id(3), out(), now + 60 * SECOND);
    assert_eq!(weights(&mut pool, now + 60 * SECOND), []);
    let told = events(&mut pool);
    assert_eq!(told.iter().filter(|event| *event == "the pool is not available").count(), 1);
}

#[test]
fn one_that_dies_while_its_maintenance_waits_is_kept_until_then() {
    let now = Instant::now();
    let mut pool = three(PoolPolicy::new().hold(5 * SECOND), now);
    (1..=2).for_each(|host| pool.verdict(id(host), Verdict::Down, now));
    pool.maintain(id(3), Maintenance::new(MaintenanceKind::Out, "ann"), now);
    pool.verdict(id(3), Verdict::Down, now + SECOND);
    assert_eq!(weights(&mut pool, now + SECOND), [(1, 0), (2, 0), (3, 2)]);
    assert_eq!(weights(&mut pool, now + 5 * SECOND), [(1, 0), (2, 0)]);
}

#[test]
fn a_hold_time_without_end_and_a_clock_that_jumps_are_survived() {
    let now = Instant::now();
    let policy = PoolPolicy::new().hold(Duration::MAX).quorum(u32::MAX).hysteresis(u32::MAX);
    let slow = Some(SlowStart::new(Duration::MAX));
    let mut pool = three(policy.slow_start(slow), now + 60 * SECOND);
    (1..=2).for_each(|host| pool.verdict(id(host), Verdict::Down, now));
    pool.maintain(id(3), Maintenance::new(MaintenanceKind::Drain, "ann"), now + 60 * SECOND);
    assert_eq!(weights(&mut pool, now + 3600 * SECOND), [(1, 0), (2, 0), (3, 20)]);
    pool.verdict(id(1), Verdict::Up, now);
    assert!(pool.next(now).is_some());
    weights(&mut pool, now);
}

#[test]
fn draining_removes_where_weight_0_refuses_clients() {
    let now = Instant::now();
    let mut pool = three(PoolPolicy::new(), now);
    let mut desired = pool.desired().clone();
    desired.update(|service| service.scheduler = Scheduler::SOURCE_HASHING);
    pool.set_desired(desired, PoolPolicy::new(), now);
    pool.maintain(id(1), Maintenance::new(MaintenanceKind::Drain, "ann"), now);
    pool.share(id(2), Share::percent(0), now);
    assert_eq!(weights(&mut pool, now), [(3, 2)]);
    assert!(!pool.wish(now).unwrap().leaves_at_once(id(1)));
}

#[test]
fn a_maintenance_goes_on_in_a_new_table() {
    let now = Instant::now();
    let mut pool = three(PoolPolicy::new(), now);
    let until = now + 60 * SECOND;
    let drain = Maintenance::new(MaintenanceKind::Drain, "ann").until(until);
    pool.maintain(id(1), drain.clone(), now);
    pool.set_desired(web(&[(1, 8), (2, 8)]), PoolPolicy::new(), now);
    assert_eq!(weights(&mut pool, now), [(1, 0), (2, 8)]);
    assert_eq!(pool.maintenance(id(1)), Some(&drain));
    assert_eq!(weights(&mut pool, until), [(1, 8), (2, 8)]);
    // Nobody knows this one.
    pool.events().count();
    pool.maintain(id(9), drain, now);
    assert_eq!(pool.events().count(), 0);
}

#[test]
fn one_that_the_policy_keeps_is_kept_after_a_maintenance() {
    let now = Instant::now();
    let mut pool = three(PoolPolicy::new(), now);
    (1..=3).for_each(|host| pool.verdict(id(host), Verdict::Down, now));
    assert_eq!(weights(&mut pool, now), [(1, 0), (2, 0), (3, 2)]);
    pool.maintain(id(3), Maintenance::new(MaintenanceKind::Drain, "ann"), now);
    assert_eq!(weights(&mut pool, now), [(1, 0), (2, 0), (3, 0)]);
    pool.end_maintenance(id(3), now);
    assert_eq!(weights(&mut pool, now), [(1, 0), (2, 0), (3, 2)]);
    // Another one is live meanwhile.
    pool.maintain(id(3), Maintenance::new(MaintenanceKind::Drain, "ann"), now);
    pool.verdict(id(1), Verdict::Up, now);
    pool.end_maintenance(id(3), now);
    assert_eq!(weights(&mut pool, now), [(1, 1), (2, 0), (3, 0)]);
}

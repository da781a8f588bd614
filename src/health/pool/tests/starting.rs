//! The start of a program, and a new desired service.

use super::*;

#[test]
fn a_restart_changes_nothing_until_a_check_has_decided() {
    let now = Instant::now();
    let desired = web(&[(1, 5), (2, 5), (3, 5)]);
    // Server 1 was dead, and server 3 is new.
    let pool = Pool::new(desired, PoolPolicy::new(), Some(&held(&web(&[(1, 0), (2, 7)]))));
    let mut pool = pool;
    assert!(pool.is_available());
    assert_eq!(weights(&mut pool, now), [(1, 0), (2, 7)]);
    assert!(events(&mut pool).is_empty());
    pool.verdict(id(3), Verdict::Up, now);
    assert_eq!(weights(&mut pool, now), [(1, 0), (2, 7), (3, 5)]);
    pool.verdict(id(1), Verdict::Up, now);
    pool.verdict(id(2), Verdict::Up, now);
    assert_eq!(weights(&mut pool, now), [(1, 5), (2, 5), (3, 5)]);
}

#[test]
fn a_new_table_revives_no_dead_destination() {
    let now = Instant::now();
    let mut pool = three(PoolPolicy::new(), now);
    pool.verdict(id(1), Verdict::Down, now);
    pool.wish(now);
    pool.set_desired(web(&[(1, 9), (2, 9), (4, 9)]), PoolPolicy::new(), now);
    assert_eq!(weights(&mut pool, now), [(1, 0), (2, 9)]);
    pool.verdict(id(1), Verdict::Up, now);
    assert_eq!(weights(&mut pool, now), [(1, 9), (2, 9)]);
}

#[test]
fn a_destination_that_becomes_unknown_stays_as_it_is() {
    let now = Instant::now();
    let mut pool = three(PoolPolicy::new(), now);
    pool.verdict(id(1), Verdict::Down, now);
    let before = weights(&mut pool, now);
    // Other checks take the place of those that have decided.
    (1..=3).for_each(|host| pool.verdict(id(host), Verdict::Unknown, now));
    assert_eq!(weights(&mut pool, now), before);
    assert_eq!(before, [(1, 0), (2, 1), (3, 2)]);
    assert!(pool.is_available());
    pool.verdict(id(1), Verdict::Up, now);
    assert_eq!(weights(&mut pool, now), [(1, 1), (2, 1), (3, 2)]);
}

#[test]
fn a_restart_in_the_middle_of_a_ramp_and_of_a_drain_changes_nothing() {
    let now = Instant::now();
    let slow = PoolPolicy::new().slow_start(Some(SlowStart::new(50 * SECOND).steps(5)));
    let table = web(&[(1, 5), (2, 0), (3, 2)]);
    let mut pool = Pool::new(web(&[(1, 1), (2, 1), (3, 1)]), slow, Some(&held(&table)));
    assert_eq!(weights(&mut pool, now), [(1, 5), (2, 0), (3, 2)]);
    // The first decisions begin no slow start.
    (1..=3).for_each(|host| pool.verdict(id(host), Verdict::Up, now));
    assert_eq!(weights(&mut pool, now), [(1, 5), (2, 5), (3, 5)]);
}

#[test]
fn weights_change_together_when_all_that_were_held_are_decided() {
    let now = Instant::now();
    let slow = PoolPolicy::new().slow_start(Some(SlowStart::new(50 * SECOND)));
    let hosts: Vec<_> = (1..=3).map(|host| (host, 1)).collect();
    let table = web(&[(1, 1), (2, 1), (3, 0)]);
    let mut pool = Pool::new(web(&hosts), slow.clone(), Some(&held(&table)));
    pool.verdict(id(1), Verdict::Up, now);
    assert_eq!(weights(&mut pool, now), [(1, 1), (2, 1), (3, 0)]);
    pool.verdict(id(3), Verdict::Up, now);
    assert_eq!(weights(&mut pool, now), [(1, 1), (2, 1), (3, 1)]);
    // A share is followed, and a dead one leaves as ever.
    pool.share(id(1), Share::percent(0), now);
    assert_eq!(weights(&mut pool, now), [(1, 0), (2, 1), (3, 1)]);
    pool.share(id(1), Share::FULL, now);
    pool.verdict(id(2), Verdict::Up, now);
    assert_eq!(weights(&mut pool, now + 60 * SECOND), [(1, 10), (2, 10), (3, 10)]);
    // The last one is never decided about, and a new table comes.
    let table = web(&[(1, 1), (2, 1), (3, 1)]);
    let mut pool = Pool::new(web(&hosts), slow.clone(), Some(&held(&table)));
    (1..=2).for_each(|host| pool.verdict(id(host), Verdict::Up, now));
    assert_eq!(weights(&mut pool, now), [(1, 1), (2, 1), (3, 1)]);
    pool.set_desired(web(&hosts), slow, now);
    assert_eq!(weights(&mut pool, now), [(1, 10), (2, 10), (3, 1)]);
}

#[test]
fn the_desired_weight_0_needs_no_check() {
    let now = Instant::now();
    let table = held(&web(&[(1, 5), (2, 5)]));
    let mut pool = Pool::new(web(&[(1, 0), (2, 5)]), PoolPolicy::new(), Some(&table));
    assert_eq!(weights(&mut pool, now), [(1, 0), (2, 5)]);
    let mut pool = three(PoolPolicy::new(), now);
    pool.set_desired(web(&[(1, 0), (2, 1), (3, 0)]), PoolPolicy::new(), now);
    assert_eq!(weights(&mut pool, now), [(1, 0), (2, 1), (3, 0)]);
    // The only one that may serve dies, and is kept.
    pool.verdict(id(2), Verdict::Down, now);
    assert_eq!(weights(&mut pool, now), [(1, 0), (2, 1), (3, 0)]);
    pool.set_desired(web(&[(1, 4), (2, 1), (3, 0)]), PoolPolicy::new(), now);
    assert_eq!(weights(&mut pool, now), [(1, 4), (2, 0), (3, 0)]);
}

#[test]
fn former_destinations_stay_until_a_new_one_is_live() {
    let now = Instant::now();
    let mut pool = three(PoolPolicy::new(), now);
    pool.set_desired(web(&[(4, 1), (5, 1)]), PoolPolicy::new(), now);
    assert_eq!(weights(&mut pool, now), [(1, 1), (2, 1), (3, 2)]);
    assert!(pool.is_available());
    pool.verdict(id(4), Verdict::Down, now);
    assert_eq!(weights(&mut pool, now), [(1, 1), (2, 1), (3, 2)]);
    pool.verdict(id(5), Verdict::Up, now);
    assert_eq!(weights(&mut pool, now), [(5, 1)]);
    assert!(pool.is_available());
    let told = events(&mut pool);
    assert!(!told.contains(&"the pool is not available".to_owned()), "{told:?}");
}

#[test]
fn former_destinations_leave_when_one_is_live_or_the_policy_says_so() {
    let now = Instant::now();
    let mut pool = three(PoolPolicy::new().quorum(2), now);
    pool.set_desired(web(&[(4, 1), (5, 1)]), PoolPolicy::new().quorum(2), now);
    // One is not enough for the quorum.
    pool.verdict(id(4), Verdict::Up, now);
    assert_eq!(weights(&mut pool, now), [(1, 1), (2, 1), (3, 2), (4, 1)]);
    // What is known of a former destination is known of one that is desired again.
    pool.set_desired(web(&[(1, 7), (4, 1), (5, 1)]), PoolPolicy::new().quorum(2), now);
    assert_eq!(weights(&mut pool, now), [(1, 7), (4, 1)]);
    pool.set_desired(web(&[(6, 1), (7, 1)]), PoolPolicy::new(), now);
    assert_eq!(weights(&mut pool, now), [(1, 7), (4, 1)]);
    // A table without anybody live takes nobody out, unless the policy says so.
    (6..=7).for_each(|host| pool.verdict(id(host), Verdict::Down, now));
    assert_eq!(weights(&mut pool, now), [(1, 7), (4, 1)]);
    assert!(pool.is_available());
    pool.verdict(id(6), Verdict::Up, now);
    assert_eq!(weights(&mut pool, now), [(6, 1)]);
    pool.set_desired(web(&[(8, 1)]), PoolPolicy::new().keep_last(false), now);
    assert_eq!(weights(&mut pool, now), [(6, 1)]);
    pool.verdict(id(8), Verdict::Down, now);
    assert_eq!(weights(&mut pool, now), []);
    assert!(!pool.is_available());
}

#[test]
fn former_destinations_stay_over_a_restart() {
    let now = Instant::now();
    let table = held(&web(&[(1, 3), (2, 0)]));
    let mut pool = Pool::new(web(&[(4, 1)]), PoolPolicy::new(), Some(&table));
    assert!(pool.is_available());
    assert_eq!(weights(&mut pool, now), [(1, 3)]);
    pool.verdict(id(4), Verdict::Up, now);
    assert_eq!(weights(&mut pool, now), [(4, 1)]);
    // Nothing takes their place.
    let mut pool = Pool::new(web(&[]), PoolPolicy::new(), Some(&table));
    assert_eq!(weights(&mut pool, now), []);
}

#[test]
fn a_restart_does_not_end_the_availability_that_hysteresis_keeps() {
    let policy = PoolPolicy::new().quorum(2).hysteresis(1);
    let table = held(&web(&[(1, 1), (2, 0), (3, 0)]));
    let desired = web(&[(1, 1), (2, 1), (3, 1)]);
    assert!(Pool::new(desired.clone(), policy.clone(), Some(&table)).is_available());
    assert!(!Pool::new(desired, policy, None).is_available());
}

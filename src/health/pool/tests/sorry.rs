//! The sorry server.

use super::*;

#[test]
fn the_sorry_server_comes_with_the_last_death_and_goes_with_the_first_return() {
    let now = Instant::now();
    let sorry = Destination::masquerade(([10, 0, 0, 99], 80).into());
    let mut pool = three(PoolPolicy::new().sorry(Some(sorry)), now);
    (1..=2).for_each(|host| pool.verdict(id(host), Verdict::Down, now));
    assert_eq!(weights(&mut pool, now), [(1, 0), (2, 0), (3, 2)]);
    pool.verdict(id(3), Verdict::Down, now);
    assert_eq!(weights(&mut pool, now), [(1, 0), (2, 0), (3, 0), (99, 1)]);
    assert!(!pool.is_available());
    pool.verdict(id(2), Verdict::Up, now);
    assert_eq!(weights(&mut pool, now), [(1, 0), (2, 1), (3, 0)]);
    assert_eq!(events(&mut pool).last().unwrap(), "the sorry server leaves");
}

#[test]
fn the_sorry_server_does_not_wait_for_a_destination_of_which_nothing_is_known() {
    let now = Instant::now();
    let sorry = Destination::masquerade(([10, 0, 0, 99], 8080).into());
    let policy = PoolPolicy::new().sorry(Some(sorry));
    let mut pool = three(policy.clone(), now);
    pool.set_desired(web(&[(4, 1), (3, 1)]), policy, now);
    assert_eq!(weights(&mut pool, now), [(3, 1)]);
    pool.verdict(id(3), Verdict::Down, now);
    assert_eq!(weights(&mut pool, now), [(3, 0), (99, 1)]);
}

#[test]
fn a_sorry_server_serves_over_a_restart() {
    let now = Instant::now();
    let sorry = Destination::masquerade(([10, 0, 0, 99], 8080).into());
    let policy = PoolPolicy::new().sorry(Some(sorry));
    let mut pool = Pool::new(web(&[(1, 1)]), policy.clone(), Some(&held(&web(&[(1, 0), (99, 1)]))));
    assert_eq!(weights(&mut pool, now), [(1, 0), (99, 1)]);
    pool.verdict(id(1), Verdict::Up, now);
    assert_eq!(weights(&mut pool, now), [(1, 1)]);
    // Nothing is known at a first start: no sorry server yet.
    let mut cold = Pool::new(web(&[(1, 1)]), policy.clone(), None);
    assert_eq!(weights(&mut cold, now), []);
    cold.verdict(id(1), Verdict::Down, now);
    assert_eq!(weights(&mut cold, now), [(99, 1)]);
    // One dead server is enough, although nothing is known of the other.
    let mut cold = Pool::new(web(&[(1, 1), (2, 1)]), policy, None);
    assert_eq!(weights(&mut cold, now), []);
    cold.verdict(id(1), Verdict::Down, now);
    assert_eq!(weights(&mut cold, now), [(99, 1)]);
    cold.verdict(id(2), Verdict::Up, now);
    assert_eq!(weights(&mut cold, now), [(2, 1)]);
}

#[test]
fn a_sorry_server_may_be_one_of_the_destinations() {
    let now = Instant::now();
    let sorry = Destination::masquerade(([10, 0, 0, 3], 8080).into()).weight(0);
    let policy = PoolPolicy::new().sorry(Some(sorry));
    let mut pool = three(policy.clone(), now);
    assert!(events(&mut pool).is_empty());
    (1..=2).for_each(|host| pool.verdict(id(host), Verdict::Down, now));
    assert_eq!(weights(&mut pool, now), [(1, 0), (2, 0), (3, 2)]);
    // It dies, and is all there is. A weight of 0 would be nothing.
    pool.verdict(id(3), Verdict::Down, now);
    assert_eq!(weights(&mut pool, now), [(1, 0), (2, 0), (3, 1)]);
    // An operator stops it: the last one is kept.
    pool.verdict(id(1), Verdict::Up, now);
    pool.maintain(id(3), Maintenance::new(MaintenanceKind::Out, "ann"), now);
    pool.verdict(id(1), Verdict::Down, now);
    assert_eq!(weights(&mut pool, now), [(1, 1), (2, 0)]);
    pool.end_maintenance(id(3), now);
    assert_eq!(weights(&mut pool, now), [(1, 0), (2, 0), (3, 1)]);
}

#[test]
fn a_sorry_server_takes_the_place_of_what_an_operator_stops() {
    let now = Instant::now();
    let sorry = Destination::masquerade(([10, 0, 0, 99], 8080).into());
    let policy = PoolPolicy::new().sorry(Some(sorry)).hold(5 * SECOND);
    let mut pool = three(policy, now);
    for host in 1..=3 {
        pool.maintain(id(host), Maintenance::new(MaintenanceKind::Out, "ann"), now);
    }
    assert_eq!(weights(&mut pool, now), [(3, 2)]);
    assert_eq!(weights(&mut pool, now + 5 * SECOND), [(99, 1)]);
    pool.end_maintenance(id(1), now + 6 * SECOND);
    assert_eq!(weights(&mut pool, now + 6 * SECOND), [(1, 1)]);
}

#[test]
fn a_sorry_server_that_drains_over_a_restart_does_not_serve() {
    let now = Instant::now();
    let sorry = Destination::masquerade(([10, 0, 0, 99], 8080).into());
    let policy = PoolPolicy::new().sorry(Some(sorry));
    let mut pool = Pool::new(web(&[(1, 1)]), policy, Some(&held(&web(&[(1, 1), (99, 0)]))));
    assert_eq!(weights(&mut pool, now), [(1, 1)]);
    assert!(events(&mut pool).is_empty());
}

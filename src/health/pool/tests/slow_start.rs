//! Weights that grow in steps.

use super::*;

#[test]
fn a_destination_that_comes_back_starts_slowly() {
    let now = Instant::now();
    let policy = PoolPolicy::new().slow_start(Some(SlowStart::new(50 * SECOND).steps(5)));
    let mut pool = three(policy, now);
    // All weights are multiplied, and nobody ramps at the start.
    assert_eq!(weights(&mut pool, now), [(1, 5), (2, 5), (3, 10)]);
    pool.verdict(id(3), Verdict::Down, now);
    pool.verdict(id(3), Verdict::Up, now);
    let at = |pool: &mut Pool, seconds| {
        let all = weights(pool, now + seconds * SECOND);
        all.into_iter().find(|(host, _)| *host == 3).map(|(_, weight)| weight).unwrap()
    };
    assert_eq!(
        [0, 9, 10, 20, 30, 40, 99].map(|seconds| at(&mut pool, seconds)),
        [2, 2, 4, 6, 8, 10, 10]
    );
    assert_eq!(pool.next(now), Some(now + 10 * SECOND));
    assert_eq!(pool.next(now + 60 * SECOND), None);
    // An agent's share multiplies.
    pool.share(id(3), Share::percent(50), now + 60 * SECOND);
    assert_eq!(at(&mut pool, 60), 5);
    // The scheduler ignores weights.
    let mut desired = pool.desired().clone();
    desired.update(|service| service.scheduler = Scheduler::ROUND_ROBIN);
    pool.set_desired(desired, pool.policy.clone(), now + 60 * SECOND);
    assert_eq!(weights(&mut pool, now + 60 * SECOND), [(1, 1), (2, 1), (3, 1)]);
}

#[test]
fn schedulers_for_which_a_weight_is_no_share_keep_the_desired_weights() {
    let now = Instant::now();
    let policy = PoolPolicy::new().slow_start(Some(SlowStart::new(50 * SECOND).steps(5)));
    let ramping = ["wrr", "wlc", "lblc", "lblcr", "sed", "nq", "mh", "twos"];
    for name in Scheduler::ALL.iter().chain([&Scheduler::new("mine").unwrap()]) {
        let mut desired = web(&[(1, 1), (2, 1), (3, 2)]);
        desired.update(|service| service.scheduler = *name);
        let mut pool = Pool::new(desired.clone(), policy.clone(), Some(&held(&desired)));
        (1..=3).for_each(|host| pool.verdict(id(host), Verdict::Up, now));
        (1..=2).for_each(|host| {
            pool.maintain(id(host), Maintenance::new(MaintenanceKind::Out, ""), now)
        });
        (1..=2).for_each(|host| pool.end_maintenance(id(host), now));
        let expected = match ramping.contains(&name.to_string().as_str()) {
            true => [(1, 1), (2, 1), (3, 10)],
            false => [(1, 1), (2, 1), (3, 2)],
        };
        assert_eq!(weights(&mut pool, now), expected, "{name}");
        let ramps = pool.next(now).is_some();
        assert_eq!(ramps, ramping.contains(&name.to_string().as_str()), "{name}");
    }
}

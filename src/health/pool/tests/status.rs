//! A status says what was decided, and why.

use super::*;

fn member(pool: &Pool, host: u8, now: Instant) -> MemberStatus {
    pool.status(now).members.remove(&id(host)).unwrap()
}

#[test]
fn a_status_says_what_the_pool_has_decided_of_each_destination() {
    let begin = Instant::now();
    let policy = PoolPolicy::new().quorum(2).slow_start(Some(SlowStart::new(50 * SECOND).steps(5)));
    let mut pool = three(policy.clone(), begin);
    let status = pool.status(begin);
    assert_eq!((status.is_available, status.since, status.live, status.needed), (true, None, 3, 2));
    assert_eq!((status.service, status.factor, status.sorry), (pool.id(), 5, None));
    let up = member(&pool, 3, begin);
    assert_eq!((up.verdict, up.since, up.in_rotation), (Verdict::Up, Some(begin), true));
    assert_eq!((up.desired, up.wished, up.slow_start), (Some(2), Some(10), None));

    // Two die. One of them comes back, and its weight grows.
    let later = begin + SECOND;
    (2..=3).for_each(|host| pool.verdict(id(host), Verdict::Down, later));
    pool.wish(later);
    let status = pool.status(later);
    assert_eq!((status.is_available, status.since), (false, Some(later)));
    assert_eq!((status.live, status.needed), (1, 2));
    let down = member(&pool, 3, later);
    assert_eq!((down.verdict, down.since, down.in_rotation), (Verdict::Down, Some(later), false));
    assert_eq!((down.wished, down.is_kept), (Some(0), false));
    pool.verdict(id(3), Verdict::Up, later + SECOND);
    pool.wish(later + SECOND);
    let slow = member(&pool, 3, later + SECOND).slow_start.unwrap();
    assert_eq!((slow.share, slow.next), (Share::percent(20), later + 11 * SECOND));
    assert_eq!(slow.end, later + 41 * SECOND);
    assert_eq!(member(&pool, 3, slow.end).slow_start, None);

    // All are dead, and the last one is kept.
    let now = later + 60 * SECOND;
    [1, 3].into_iter().for_each(|host| pool.verdict(id(host), Verdict::Down, now));
    pool.wish(now);
    let kept = (1..=3).filter(|host| member(&pool, *host, now).is_kept).count();
    assert_eq!((kept, pool.status(now).live), (1, 0));

    // A former destination stays until another one is live.
    pool.set_desired(web(&[(4, 7)]), policy, now);
    pool.wish(now);
    let status = pool.status(now);
    let [(_, former), (new, entering)] = &status.members.iter().collect::<Vec<_>>()[..] else {
        panic!("{status:?}")
    };
    assert!(former.is_former && former.in_rotation && former.desired.is_none());
    assert!(former.wished.is_some_and(|weight| weight > 0));
    assert_eq!((**new, entering.desired, entering.wished), (id(4), Some(7), None));
    assert_eq!((entering.verdict, entering.since), (Verdict::Unknown, None));
}

#[test]
fn a_status_says_what_an_operator_and_the_table_have_decided() {
    let now = Instant::now();
    let desired = web(&[(1, 1), (2, 1)]);
    let sorry = Destination::masquerade(([10, 0, 0, 9], 8080).into());
    let policy = PoolPolicy::new().hold(5 * SECOND).sorry(Some(sorry.clone()));
    let mut pool = Pool::new(desired.clone(), policy, Some(&held(&web(&[(1, 8)]))));
    assert_eq!(member(&pool, 1, now).held, Some(8));
    assert_eq!((member(&pool, 2, now).held, member(&pool, 2, now).in_rotation), (None, false));
    pool.verdict(id(1), Verdict::Up, now);
    assert_eq!(member(&pool, 1, now).held, None);
    let out = Maintenance::new(MaintenanceKind::Out, "ann");
    pool.maintain(id(1), out.clone(), now);
    pool.wish(now);
    let (status, end) = (pool.status(now), now + 5 * SECOND);
    assert_eq!((status.is_available, status.hold_until, status.sorry), (false, Some(end), None));
    let waiting = member(&pool, 1, now);
    assert_eq!((waiting.maintenance.as_ref(), waiting.waits_until), (Some(&out), Some(end)));
    assert!(waiting.in_rotation);
    pool.wish(end);
    assert_eq!((pool.status(end).hold_until, pool.status(end).sorry), (None, Some(sorry.id)));
    let stopped = member(&pool, 1, end);
    assert_eq!((stopped.maintenance, stopped.waits_until), (Some(out), None));
    assert!(!stopped.in_rotation && stopped.wished.is_none());
}

#[test]
fn a_status_has_who_stays_for_the_hold_time() {
    let now = Instant::now();
    let policy = PoolPolicy::new().keep_last(false).hold(5 * SECOND);
    let mut pool = three(policy.clone(), now);
    (1..=2).for_each(|host| pool.verdict(id(host), Verdict::Down, now));
    pool.set_desired(web(&[(1, 1), (2, 1)]), policy, now);
    pool.wish(now);
    let (status, lingering) = (pool.status(now), member(&pool, 3, now));
    assert_eq!((status.is_available, status.hold_until), (false, Some(now + 5 * SECOND)));
    assert!(lingering.is_former && lingering.desired.is_none());
    assert_eq!((lingering.verdict, lingering.wished), (Verdict::Up, Some(2)));
    pool.wish(now + 5 * SECOND);
    assert!(!pool.status(now + 5 * SECOND).members.contains_key(&id(3)));
}

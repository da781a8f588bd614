//! Which dead destinations leave, and how.

use super::*;
use crate::model::Persistence;

#[test]
fn dead_destinations_leave_and_the_last_one_stays() {
    let now = Instant::now();
    let mut pool = three(PoolPolicy::new(), now);
    pool.verdict(id(1), Verdict::Down, now);
    pool.verdict(id(2), Verdict::Down, now);
    assert_eq!(weights(&mut pool, now), [(1, 0), (2, 0), (3, 2)]);
    pool.verdict(id(3), Verdict::Down, now);
    assert_eq!(weights(&mut pool, now), [(1, 0), (2, 0), (3, 2)]);
    assert!(!pool.is_available());
    let told = events(&mut pool);
    assert_eq!(told.last().unwrap(), "10.0.0.3:8080 stays in rotation, because too few are live");
    assert!(told.contains(&"the pool is not available".to_owned()));
    // The first that comes back lets the dead one go.
    pool.verdict(id(1), Verdict::Up, now);
    assert_eq!(weights(&mut pool, now), [(1, 1), (2, 0), (3, 0)]);
}

#[test]
fn destinations_that_die_together_leave_as_if_each_had_died_alone() {
    let now = Instant::now();
    for policy in [PoolPolicy::new(), PoolPolicy::new().panic(50), PoolPolicy::new().panic(70)] {
        let mut alone = three(policy.clone(), now);
        (1..=3).for_each(|host| alone.verdict(id(host), Verdict::Down, now));
        let mut together = three(policy.clone(), now);
        together.judge((1..=3).map(|host| (id(host), Verdict::Down, Some(Share::FULL))), now);
        let left = weights(&mut together, now);
        assert_eq!(left, weights(&mut alone, now));
        // A restart comes to the same, in whatever order the verdicts come.
        for order in [[1, 2, 3], [3, 2, 1], [2, 3, 1]] {
            let desired = together.desired().clone();
            let table = held(&web(&left));
            let mut pool = Pool::new(desired, policy.clone(), Some(&table));
            for host in order {
                pool.verdict(id(host), Verdict::Down, now);
                assert_eq!(weights(&mut pool, now), left, "{policy:?}, {order:?}");
            }
        }
    }
}

#[test]
fn below_the_panic_share_nobody_more_is_taken_out() {
    let now = Instant::now();
    let mut pool = three(PoolPolicy::new().panic(50), now);
    pool.verdict(id(1), Verdict::Down, now);
    pool.verdict(id(2), Verdict::Down, now);
    // One of three is live: the second dead one stays.
    assert_eq!(weights(&mut pool, now), [(1, 0), (2, 1), (3, 2)]);
    pool.verdict(id(1), Verdict::Up, now);
    assert_eq!(weights(&mut pool, now), [(1, 1), (2, 0), (3, 2)]);
}

#[test]
fn the_quorum_has_hysteresis() {
    let now = Instant::now();
    let mut pool = three(PoolPolicy::new().quorum(2).hysteresis(1), now);
    let mut available = |host, verdict| {
        pool.verdict(id(host), verdict, now);
        pool.is_available()
    };
    use Verdict::{Down, Up};
    let changes = [(1, Down), (2, Down), (3, Down), (3, Up), (2, Up), (1, Up), (1, Down)];
    let expected = [true, true, false, false, false, true, true];
    assert_eq!(changes.map(|(host, verdict)| available(host, verdict)), expected);
}

#[test]
fn dead_destinations_are_deleted_where_weight_0_does_not_keep_clients_away() {
    let now = Instant::now();
    let persistent =
        |service: &mut Service| service.persistence = Some(Persistence::new(60 * SECOND));
    let hashing = |service: &mut Service| service.scheduler = Scheduler::SOURCE_HASHING;
    let edits: [fn(&mut Service); 2] = [persistent, hashing];
    for edit in edits {
        let mut pool = three(PoolPolicy::new(), now);
        let mut desired = pool.desired().clone();
        desired.update(edit);
        pool.set_desired(desired, PoolPolicy::new(), now);
        pool.verdict(id(1), Verdict::Down, now);
        assert_eq!(weights(&mut pool, now), [(2, 1), (3, 2)]);
        assert!(pool.wish(now).unwrap().leaves_at_once(id(1)));
        let zero = PoolPolicy::new().when_dead(WhenDead::WeightZero);
        pool.set_desired(pool.desired().clone(), zero, now);
        // The destination is not there any more, and is not added for weight 0.
        assert_eq!(weights(&mut pool, now), [(2, 1), (3, 2)]);
    }
}

#[test]
fn a_share_of_0_takes_out_like_a_death() {
    let now = Instant::now();
    let mut pool = three(PoolPolicy::new(), now);
    (1..=2).for_each(|host| pool.share(id(host), Share::percent(0), now));
    assert_eq!(weights(&mut pool, now), [(1, 0), (2, 0), (3, 2)]);
    // The last one stays with its whole weight.
    pool.share(id(3), Share::percent(0), now);
    assert_eq!(weights(&mut pool, now), [(1, 0), (2, 0), (3, 2)]);
    assert!(!pool.is_available());
    pool.verdict(id(3), Verdict::Down, now);
    assert_eq!(weights(&mut pool, now), [(1, 0), (2, 0), (3, 2)]);
    pool.share(id(1), Share::percent(300), now);
    assert_eq!(weights(&mut pool, now), [(1, 3), (2, 0), (3, 0)]);
}

#[test]
fn the_last_one_leaves_if_the_policy_says_so() {
    let now = Instant::now();
    let mut pool = three(PoolPolicy::new().keep_last(false), now);
    (1..=3).for_each(|host| pool.verdict(id(host), Verdict::Down, now));
    assert_eq!(weights(&mut pool, now), [(1, 0), (2, 0), (3, 0)]);
    // A panic share keeps some, also without this one.
    let mut pool = three(PoolPolicy::new().keep_last(false).panic(40), now);
    (1..=3).for_each(|host| pool.verdict(id(host), Verdict::Down, now));
    assert_eq!(weights(&mut pool, now), [(1, 0), (2, 1), (3, 2)]);
}

#[test]
fn the_kind_of_service_decides_how_a_dead_destination_leaves() {
    use crate::model::{AddressFamily, ServiceFlags};
    let address = std::net::SocketAddr::from(([192, 0, 2, 10], 80));
    let server = Destination::masquerade(([10, 0, 0, 1], 8080).into());
    let other = Destination::masquerade(([10, 0, 0, 2], 8080).into());
    let sh = |flags| {
        let mut service = Service::tcp(address).scheduler(Scheduler::SOURCE_HASHING);
        service.flags = flags;
        service
    };
    let mut one_packet = Service::fwmark(1, AddressFamily::Ipv4);
    one_packet.flags = ServiceFlags::ONE_PACKET;
    let maglev = |flags| Service { scheduler: Scheduler::MAGLEV_HASHING, ..sh(flags) };
    let kinds = [
        (Service::tcp(address), Some(0)),
        (Service::sctp(address), Some(0)),
        (Service::fwmark(1, AddressFamily::Ipv4), Some(0)),
        (one_packet, None),
        (Service::udp(address), None),
        (Service::tcp(address).persistent(60 * SECOND), None),
        (Service::tcp(address).scheduler(Scheduler::DESTINATION_HASHING), None),
        (sh(ServiceFlags::empty()), None),
        (sh(ServiceFlags::SH_FALLBACK), Some(0)),
        (maglev(ServiceFlags::empty()), None),
        (maglev(ServiceFlags::MH_FALLBACK), Some(0)),
    ];
    let now = Instant::now();
    for (service, expected) in kinds {
        let desired = TableService::new(service).with(server.clone()).with(other.clone());
        for (when_dead, expected) in
            [(WhenDead::Auto, expected), (WhenDead::WeightZero, Some(0)), (WhenDead::Delete, None)]
        {
            let policy = PoolPolicy::new().when_dead(when_dead);
            let mut pool = Pool::new(desired.clone(), policy, Some(&held(&desired)));
            pool.verdict(server.id, Verdict::Down, now);
            let wish = pool.wish(now).unwrap();
            let there = wish.service().destination(server.id);
            let weight = there.map(|there| there.destination().weight);
            assert_eq!(weight, expected, "{} {when_dead:?}", desired.service());
            assert!(wish.leaves_at_once(server.id) && !wish.leaves_at_once(other.id));
        }
    }
}

#[test]
fn a_new_table_takes_out_the_last_live_destination_after_the_announcement() {
    let now = Instant::now();
    for new in [&[(1, 1), (2, 1), (3, 0)][..], &[(1, 1), (2, 1)]] {
        let policy = PoolPolicy::new().keep_last(false).hold(5 * SECOND);
        let mut pool = three(policy.clone(), now);
        (1..=2).for_each(|host| pool.verdict(id(host), Verdict::Down, now));
        pool.set_desired(web(new), policy, now);
        assert!(!pool.is_available());
        assert_eq!(weights(&mut pool, now), [(1, 0), (2, 0), (3, 2)]);
        assert_eq!(pool.next(now), Some(now + 5 * SECOND));
        let unavailable = PoolEvent::Unavailable { until: now + 5 * SECOND };
        assert!(pool.events().any(|event| event == unavailable));
        let last = weights(&mut pool, now + 5 * SECOND).into_iter().find(|(host, _)| *host == 3);
        assert_eq!(last, new.get(2).copied());
        assert_eq!(pool.next(now + 5 * SECOND), None);
    }
}

#[test]
fn a_destination_that_dies_before_the_announcement_leaves_at_once() {
    let now = Instant::now();
    let policy = PoolPolicy::new().keep_last(false).hold(5 * SECOND);
    let mut pool = three(policy.clone(), now);
    (1..=2).for_each(|host| pool.verdict(id(host), Verdict::Down, now));
    pool.set_desired(web(&[(1, 1), (2, 1), (3, 0)]), policy, now);
    pool.verdict(id(3), Verdict::Down, now + SECOND);
    assert_eq!(weights(&mut pool, now + SECOND), [(1, 0), (2, 0), (3, 0)]);
}

#[test]
fn a_destination_that_is_desired_again_before_the_announcement_stays() {
    let now = Instant::now();
    let policy = PoolPolicy::new().keep_last(false).hold(5 * SECOND);
    let mut pool = three(policy.clone(), now);
    (1..=2).for_each(|host| pool.verdict(id(host), Verdict::Down, now));
    pool.set_desired(web(&[(1, 1), (2, 1), (3, 0)]), policy.clone(), now);
    pool.set_desired(web(&[(1, 1), (2, 1), (3, 4)]), policy, now + SECOND);
    assert!(pool.is_available());
    for later in [1, 5] {
        assert_eq!(weights(&mut pool, now + later * SECOND), [(1, 0), (2, 0), (3, 4)]);
    }
}

#[test]
fn a_second_new_table_waits_for_the_same_announcement() {
    let now = Instant::now();
    let policy = PoolPolicy::new().quorum(3).keep_last(false).hold(5 * SECOND);
    let mut pool = three(policy.clone(), now);
    let tables: [&[_]; 3] = [&[(1, 1), (2, 1)], &[(1, 1)], &[(1, 0)]];
    for (seconds, table) in (0..).zip(tables) {
        pool.set_desired(web(table), policy.clone(), now + seconds * SECOND);
        let there = weights(&mut pool, now + seconds * SECOND);
        assert_eq!(there, [(1, 1), (2, 1), (3, 2)], "table {seconds}");
    }
    assert_eq!(pool.next(now + 4 * SECOND), Some(now + 5 * SECOND));
    assert_eq!(weights(&mut pool, now + 5 * SECOND), [(1, 0)]);
    let told = events(&mut pool);
    assert_eq!(told.iter().filter(|event| *event == "the pool is not available").count(), 1);
}

#[test]
fn a_new_table_long_after_the_announcement_does_not_wait() {
    let now = Instant::now();
    let policy = PoolPolicy::new().quorum(3).keep_last(false).hold(5 * SECOND);
    let mut pool = three(policy.clone(), now);
    pool.set_desired(web(&[(1, 1), (2, 1)]), policy.clone(), now);
    pool.set_desired(web(&[(1, 1)]), policy, now + 5 * SECOND);
    assert_eq!(weights(&mut pool, now + 5 * SECOND), [(1, 1)]);
}

#[test]
fn one_that_dies_or_is_desired_again_after_a_second_table_waits_no_more() {
    let now = Instant::now();
    let policy = PoolPolicy::new().quorum(3).keep_last(false).hold(5 * SECOND);
    let mut pool = three(policy.clone(), now);
    pool.set_desired(web(&[(1, 1), (2, 1), (3, 0)]), policy.clone(), now);
    pool.set_desired(web(&[(1, 1), (2, 0), (3, 0)]), policy.clone(), now + SECOND);
    pool.verdict(id(2), Verdict::Down, now + 2 * SECOND);
    assert_eq!(weights(&mut pool, now + 2 * SECOND), [(1, 1), (2, 0), (3, 2)]);
    pool.set_desired(web(&[(1, 1), (2, 0), (3, 7)]), policy, now + 3 * SECOND);
    for later in [3, 5] {
        assert_eq!(weights(&mut pool, now + later * SECOND), [(1, 1), (2, 0), (3, 7)]);
    }
}

#[test]
fn a_new_table_does_not_end_the_wait_of_a_maintenance() {
    let now = Instant::now();
    let policy = PoolPolicy::new().quorum(3).keep_last(false).hold(5 * SECOND);
    let mut pool = three(policy.clone(), now);
    let out = || Maintenance::new(MaintenanceKind::Out, "ann");
    pool.maintain(id(1), out(), now);
    pool.set_desired(web(&[(2, 1), (3, 2)]), policy.clone(), now + SECOND);
    pool.maintain(id(2), out(), now + SECOND);
    // What has another weight and waits, has it while it waits.
    pool.set_desired(web(&[(2, 6), (3, 2)]), policy.clone(), now + 2 * SECOND);
    pool.set_desired(web(&[(2, 6), (3, 0)]), policy, now + 3 * SECOND);
    assert_eq!(weights(&mut pool, now + 4 * SECOND), [(1, 1), (2, 6), (3, 2)]);
    assert_eq!(weights(&mut pool, now + 5 * SECOND), [(3, 0)]);
}

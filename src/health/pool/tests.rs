//! Pools decide by their policy, and never by accident.

use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::*;
use crate::model::{Destination, Persistence, Scheduler, Service, Snapshot};
use crate::table::{Table, TableDestination};

const SECOND: Duration = Duration::from_secs(1);

fn id(host: u8) -> DestinationId {
    DestinationId::from(std::net::SocketAddr::from(([10, 0, 0, host], 8080)))
}

fn web(hosts: &[(u8, u32)]) -> TableService {
    let service =
        Service::tcp(([192, 0, 2, 10], 80).into()).scheduler(Scheduler::WEIGHTED_ROUND_ROBIN);
    hosts.iter().fold(TableService::new(service), |service, (host, weight)| {
        service.with(Destination::masquerade(([10, 0, 0, *host], 8080).into()).weight(*weight))
    })
}

fn held(service: &TableService) -> ServiceSnapshot {
    let table: Table = [service.clone()].into_iter().collect();
    Snapshot::from(&table).into_iter().next().unwrap()
}

/// A pool of three servers that are up and in the table.
fn three(policy: PoolPolicy, now: Instant) -> Pool {
    let desired = web(&[(1, 1), (2, 1), (3, 2)]);
    let mut pool = Pool::new(desired.clone(), policy, Some(&held(&desired)));
    (1..=3).for_each(|host| pool.verdict(id(host), Verdict::Up, now));
    pool.wish(now);
    pool.events().count();
    pool
}

/// What the table is to hold: hosts and weights.
fn weights(pool: &mut Pool, now: Instant) -> Vec<(u8, u32)> {
    pool.decide(now);
    let wish = pool.combined(now);
    let host =
        |id: DestinationId| id.to_string().split(['.', ':']).nth(3).unwrap().parse().unwrap();
    let all = wish.service().destinations();
    all.map(|there| (host(there.id()), there.weight().unwrap())).collect()
}

fn events(pool: &mut Pool) -> Vec<String> {
    pool.events().map(|event| event.to_string()).collect()
}

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
    assert_eq!(told.last().unwrap(), "10.0.0.3:8080 is down and stays, because too few are live");
    assert!(told.contains(&"the pool is not available".to_owned()));
    // The first that comes back lets the dead one go.
    pool.verdict(id(1), Verdict::Up, now);
    assert_eq!(weights(&mut pool, now), [(1, 1), (2, 0), (3, 0)]);
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
    let mut cold = Pool::new(web(&[(1, 1)]), policy, None);
    assert_eq!(weights(&mut cold, now), []);
    cold.verdict(id(1), Verdict::Down, now);
    assert_eq!(weights(&mut cold, now), [(99, 1)]);
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

#[derive(Clone, Debug)]
enum Input {
    Verdict(u8, Verdict),
    Maintain(u8, MaintenanceKind),
    EndMaintenance(u8),
    Desire(Vec<(u8, u32)>),
    Pass(u64),
}

fn input() -> impl Strategy<Value = Input> {
    let host = 1..=4_u8;
    let verdict = prop_oneof![Just(Verdict::Up), Just(Verdict::Down)];
    let kind = prop_oneof![Just(MaintenanceKind::Drain), Just(MaintenanceKind::Out)];
    prop_oneof![
        8 => (host.clone(), verdict).prop_map(|(host, verdict)| Input::Verdict(host, verdict)),
        2 => (host.clone(), kind).prop_map(|(host, kind)| Input::Maintain(host, kind)),
        2 => host.clone().prop_map(Input::EndMaintenance),
        1 => prop::collection::vec((host, 0..4_u32), 0..4).prop_map(Input::Desire),
        2 => (0..20_u64).prop_map(Input::Pass),
    ]
}

proptest! {
    /// No sequence of verdicts, maintenances and wishes takes the last destination out against the
    /// policy, loses a desired weight, or leads to a state that a later success cannot leave.
    #[test]
    fn no_sequence_takes_the_last_one_out_or_loses_a_weight(
        inputs in prop::collection::vec(input(), 0..60),
        panic in 0..=100_u8,
        sorry in any::<bool>(),
        slow in any::<bool>(),
    ) {
        let begin = Instant::now();
        let mut now = begin;
        let sorry = sorry.then(|| Destination::masquerade(([10, 0, 0, 99], 8080).into()));
        let slow = slow.then(|| SlowStart::new(10 * SECOND).steps(4));
        let policy = PoolPolicy::new().panic(panic).sorry(sorry).slow_start(slow);
        let mut pool = three(policy.clone(), now);
        for input in inputs {
            let usable = |pool: &mut Pool| weights(pool, now).iter().any(|(_, weight)| *weight > 0);
            let before = usable(&mut pool);
            let by_verdict = matches!(input, Input::Verdict(..));
            match input {
                Input::Verdict(host, verdict) => pool.verdict(id(host), verdict, now),
                Input::Maintain(host, kind) => {
                    pool.maintain(id(host), Maintenance::new(kind, "ann"), now);
                }
                Input::EndMaintenance(host) => pool.end_maintenance(id(host), now),
                Input::Desire(hosts) => pool.set_desired(web(&hosts), policy.clone(), now),
                Input::Pass(seconds) => now += Duration::from_secs(seconds),
            }
            let wish = pool.wish(now);
            if by_verdict && before {
                let after = weights(&mut pool, now).iter().any(|(_, weight)| *weight > 0);
                prop_assert!(after, "a verdict took the last one out");
            }
            if let Some(wish) = wish {
                for there in wish.service().destinations() {
                    let desired = pool.desired().destination(there.id());
                    prop_assert!(desired.is_some() || there.id() == id(99));
                }
            }
        }
        let desired: Vec<_> = pool.desired().destinations().cloned().collect();
        for there in &desired {
            pool.end_maintenance(there.id(), now);
            pool.verdict(there.id(), Verdict::Up, now);
        }
        let later = now + 100 * SECOND;
        let factor = ramp::factor(slow, desired.iter().map(|there| there.destination().weight));
        let all = pool.combined(later);
        let is_whole = |there: &TableDestination| {
            let wished = all.service().destination(there.id()).and_then(TableDestination::weight);
            wished == Some(there.destination().weight * factor)
        };
        prop_assert!(desired.iter().all(is_whole), "{all:?}");
        prop_assert_eq!(pool.next(later), None);
    }
}

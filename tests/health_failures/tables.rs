//! What a new table, maintenance and several checks mean.

use std::cell::Cell;
use std::cmp::Ordering;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use ipvs_netlink::health::{
    Maintenance, MaintenanceKind, Monitor, Outcome, Pace, Share, Verdict, Watched,
};
use ipvs_netlink::table::{Table, TableService};
use ipvs_netlink::{DestinationId, ServiceSnapshot, Snapshot};
use rustix::time::{ClockId, clock_gettime};

use crate::service;

const SECOND: Duration = Duration::from_secs(1);

fn at(host: u32) -> SocketAddr {
    let [_, a, b, c] = host.to_be_bytes();
    ([10, a, b, c], 8080).into()
}

fn web(hosts: impl IntoIterator<Item = u32>) -> TableService {
    service(80, hosts.into_iter().map(at))
}

/// A monitor in a time of its own.
struct Time<C> {
    monitor: Monitor<C>,
    now: Instant,
}

impl<C: Ord> Time<C> {
    fn new() -> Self {
        Self { monitor: Monitor::new(1), now: Instant::now() }
    }

    fn watch(&mut self, watched: Watched<C>, held: Option<&ServiceSnapshot>) {
        self.monitor.watch(watched, held, self.now);
    }

    /// Does what is due for a while.
    fn pass(&mut self, time: Duration, mut outcome: impl FnMut(DestinationId, &C) -> Outcome) {
        let end = self.now + time;
        while let Some(next) = self.monitor.next(self.now).filter(|next| *next <= end) {
            self.now = next.max(self.now);
            while let Some(check) = self.monitor.due(self.now) {
                let outcome = outcome(check.destination, &check.check);
                self.monitor.finished(&check, outcome, self.now);
            }
            self.monitor.wishes(self.now);
        }
        self.now = end;
    }

    /// The weight that the table is to hold, if the destination is to be there.
    fn weight(&self, host: u32) -> Option<u32> {
        let pool = self.monitor.pool(web([]).id()).unwrap();
        pool.last_wish()?.service().destination(at(host).into())?.weight()
    }

    fn verdict(&self, host: u32) -> Verdict {
        self.monitor.status(at(host).into(), self.now).next().unwrap().1.verdict
    }
}

/// The outcome of checks while one host is dead.
fn dead<C>(host: u32) -> impl FnMut(DestinationId, &C) -> Outcome {
    move |id, _| match id == at(host).into() {
        true => Outcome::failed("refused"),
        false => Outcome::passed(),
    }
}

fn held(service: &TableService) -> Snapshot {
    Snapshot::from(&Table::from_iter([service.clone()]))
}

#[test]
fn what_has_failed_comes_back_whatever_tables_come_meanwhile() {
    let mut time = Time::new();
    let watched =
        |hosts: &[u32]| Watched::new(web(hosts.iter().copied())).check("tcp", Pace::new());
    time.watch(watched(&[1, 2]), None);
    time.pass(30 * SECOND, dead(2));
    assert_eq!((time.verdict(2), time.weight(2)), (Verdict::Down, None));
    // New tables come more often than checks.
    for n in 0..300 {
        time.watch(watched(&[1, 2, 3 + n % 2]), None);
        time.pass(SECOND / 10, dead(2));
        assert_eq!((time.verdict(2), time.weight(2)), (Verdict::Down, None));
    }
    let mut checks = 0;
    for n in 0..300 {
        time.watch(watched(&[1, 2, 3 + n % 2]), None);
        time.pass(SECOND / 10, |id, _| {
            checks += u32::from(id == at(2).into());
            Outcome::passed()
        });
    }
    assert!(checks >= 6, "{checks} in 30 s");
    assert_eq!((time.verdict(2), time.weight(2)), (Verdict::Up, Some(1)));
}

#[test]
fn an_agent_revives_no_server_whose_other_check_fails() {
    let mut time = Time::new();
    let pace = Pace::new();
    time.watch(Watched::new(web([1, 2])).check("tcp", pace).check("agent", pace), None);
    let by = |share| {
        move |id: DestinationId, check: &&str| match (*check, id == at(2).into()) {
            ("tcp", true) => Outcome::failed("refused"),
            ("agent", true) => Outcome::Passed(Share::percent(share)),
            _ => Outcome::passed(),
        }
    };
    time.pass(30 * SECOND, |_, _| Outcome::passed());
    assert_eq!(time.weight(2), Some(1));
    for share in [100, 0, 50, 300, 100] {
        time.pass(30 * SECOND, by(share));
        assert_eq!(time.weight(2), Some(0), "the agent says {share} %");
    }
    time.pass(30 * SECOND, |_, _| Outcome::passed());
    assert_eq!(time.weight(2), Some(1));
}

#[test]
fn failures_that_are_not_in_a_row_decide_nothing() {
    let mut time = Time::new();
    time.watch(Watched::new(web([1, 2])).check("tcp", Pace::new().fall(3)), None);
    time.pass(30 * SECOND, |_, _| Outcome::passed());
    let mut checks = 0_u32;
    time.pass(3600 * SECOND, |id, _| {
        let counts = id == at(2).into();
        checks += u32::from(counts);
        // Two of three fail.
        if counts && checks % 3 > 0 { Outcome::failed("refused") } else { Outcome::passed() }
    });
    assert!(checks > 1000);
    assert_eq!((time.verdict(2), time.weight(2)), (Verdict::Up, Some(1)));
    assert_eq!(time.monitor.events().len(), 5, "two verdicts, two servers in rotation, available");
}

#[test]
fn maintenance_ends_and_health_stays_over_a_restart() {
    let id = web([]).id();
    let watched = || Watched::new(web([1, 2, 3])).check("tcp", Pace::new());
    let drain = || Maintenance::new(MaintenanceKind::Drain, "ann");
    let mut time = Time::new();
    time.watch(watched(), None);
    time.pass(30 * SECOND, |_, _| Outcome::passed());
    // One is in maintenance, and another one dies.
    time.monitor.maintain(id, at(1).into(), drain(), time.now);
    time.pass(30 * SECOND, dead(2));
    let weights = |time: &Time<_>| [1, 2, 3].map(|host| time.weight(host).unwrap_or(0));
    assert_eq!(weights(&time), [0, 0, 1]);

    // The program starts again, and says the maintenance again.
    let left = time.monitor.pool(id).unwrap().last_wish().unwrap().service().clone();
    let mut time = Time::new();
    time.watch(watched(), held(&left).service(id));
    time.monitor.maintain(id, at(1).into(), drain(), time.now);
    time.pass(30 * SECOND, dead(2));
    assert_eq!(weights(&time), [0, 0, 1]);
    // Both end, and neither waits for the other.
    time.pass(30 * SECOND, |_, _| Outcome::passed());
    assert_eq!(weights(&time), [0, 1, 1]);
    time.monitor.end_maintenance(id, at(1).into(), time.now);
    time.pass(SECOND, |_, _| Outcome::passed());
    assert_eq!(weights(&time), [1, 1, 1]);
    // It dies in maintenance, and maintenance ends.
    time.monitor.maintain(id, at(1).into(), drain(), time.now);
    time.pass(30 * SECOND, dead(1));
    time.monitor.end_maintenance(id, at(1).into(), time.now);
    time.pass(SECOND, dead(1));
    assert_eq!(weights(&time), [0, 1, 1]);
    time.pass(30 * SECOND, |_, _| Outcome::passed());
    assert_eq!(weights(&time), [1, 1, 1]);
}

thread_local! {
    static COMPARISONS: Cell<u64> = const { Cell::new(0) };
}

/// A check that counts how often it is compared.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Counted(u32);

impl PartialOrd for Counted {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Counted {
    fn cmp(&self, other: &Self) -> Ordering {
        COMPARISONS.set(COMPARISONS.get() + 1);
        self.0.cmp(&other.0)
    }
}

/// The time that this thread has computed.
fn computed() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::try_from(time).unwrap()
}

/// Loads a table of services with so many servers each, lets checks pass for a while, and loads
/// another one, in which one server of each service is another one. Returns the comparisons of
/// checks, and the time, that the second loading took.
fn reload(services: u16, servers: u32, checked: Duration) -> (u64, Duration) {
    let tables = |other: u32| {
        (0..services).map(move |n| {
            let first = u32::from(n) * servers;
            let hosts = (first + 1..first + servers).chain([other]);
            Watched::new(service(80 + n, hosts.map(at))).check(Counted(7), Pace::new())
        })
    };
    let mut time = Time::new();
    for watched in tables(0xff_0000) {
        let snapshot = held(&watched.service);
        time.watch(watched.clone(), snapshot.service(watched.id()));
    }
    time.pass(checked, dead(1));
    let next: Vec<_> = tables(0xff_0001).collect();
    let (comparisons, begin) = (COMPARISONS.get(), computed());
    for watched in next {
        time.watch(watched, None);
    }
    time.monitor.wishes(time.now);
    (COMPARISONS.get() - comparisons, computed() - begin)
}

#[test]
fn a_new_table_costs_what_its_length_costs() {
    let once = |large: (u16, u32), small: (u16, u32), checked| {
        let (few, short) = reload(small.0, small.1, checked);
        let (many, long) = reload(large.0, large.1, checked);
        println!("{small:?} {few} comparisons, {short:?}; {large:?} {many} comparisons, {long:?}");
        assert!(many <= 40 * u64::from(large.0), "{many} comparisons of checks");
        // Ten times the length. With a search for each server it were a hundred times.
        assert!(long < 35 * short.max(Duration::from_millis(1)), "{long:?} after {short:?}");
    };
    once((3720, 10), (372, 10), 6 * SECOND);
    once((1, 37_205), (1, 3720), Duration::ZERO);
}

/// Returns how long the first verdicts on all servers of one service take, which come within a
/// second, and a hundredth of them at a time.
fn first_verdicts(servers: u32) -> Duration {
    let mut time = Time::new();
    let pace = Pace::new().interval(SECOND);
    let watched = Watched::new(web(0..servers)).check(Counted(7), pace);
    time.watch(watched, None);
    let begin = computed();
    for _ in 0..110 {
        time.now += SECOND / 100;
        while let Some(check) = time.monitor.due(time.now) {
            time.monitor.finished(&check, Outcome::passed(), time.now);
        }
        time.monitor.wishes(time.now);
    }
    assert_eq!(time.weight(servers - 1), Some(1));
    computed() - begin
}

#[test]
fn the_first_verdicts_on_a_long_service_cost_what_its_length_costs() {
    let (short, long) = (first_verdicts(300), first_verdicts(3000));
    println!("300: {short:?}, 3000: {long:?}");
    assert!(long < 35 * short, "{long:?} after {short:?}");
}

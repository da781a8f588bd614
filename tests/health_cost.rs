//! What health checks of many targets cost: memory, and the work of a reload. `benches/README.md`
//! has the instructions.
#![allow(clippy::panic, clippy::unwrap_used, reason = "a test that fails panics")]

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use allocation_counter::measure;
use ipvs_netlink::health::probe::Probe;
use ipvs_netlink::health::{Monitor, Outcome, Pace, Verdict, Watched};
use ipvs_netlink::table::TableService;
use ipvs_netlink::{Destination, Service};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::{TimeVal, TimeValLike as _};

/// The most bytes for a target, with its place in a service of ten and the last wish for it.
const EACH: i64 = 2400;

fn destination(index: u32) -> Destination {
    Destination::masquerade((Ipv4Addr::from_bits(0xac10_0001 + index), 8080).into())
}

/// A service with so many destinations, counted through all services.
fn watched(index: u32, each: u32) -> Watched<Probe> {
    let service = Service::tcp((Ipv4Addr::from_bits(0x0a00_0001 + index), 80).into());
    let destinations = (index * each..(index + 1) * each).map(destination);
    let table = destinations.fold(TableService::new(service), TableService::with);
    Watched::new(table).check(Probe::tcp(), Pace::new())
}

fn watch(monitor: &mut Monitor<Probe>, services: u32, each: u32, now: Instant) {
    (0..services).for_each(|index| monitor.watch(watched(index, each), None, now));
}

/// Does the checks that are due at the time. Each passes.
fn check(monitor: &mut Monitor<Probe>, now: Instant) -> usize {
    let mut checks = 0;
    while let Some(check) = monitor.due(now) {
        checks += 1;
        monitor.finished(&check, Outcome::passed(), now);
    }
    monitor.wishes(now);
    monitor.events();
    checks
}

#[test]
fn ten_thousand_targets_are_small() {
    let begin = Instant::now();
    let after = |seconds| begin + Duration::from_secs(seconds);
    let mut monitor = Monitor::new(0);
    let used = measure(|| {
        watch(&mut monitor, 1000, 10, begin);
        assert_eq!(check(&mut monitor, after(6)), 10_000);
    });
    let status = monitor.status(destination(9_999).id, after(6)).next().unwrap().1;
    assert_eq!(status.verdict, Verdict::Up);
    let each = used.bytes_current / 10_000;
    println!("{each} bytes for each of 10,000 targets");
    assert!(each < EACH, "{each}: {used:?}");

    // Checks leave nothing behind, and nor does a reload.
    let later = measure(|| {
        (2..4).for_each(|round| assert_eq!(check(&mut monitor, after(6 * round)), 10_000));
        watch(&mut monitor, 1000, 10, after(24));
        assert_eq!(check(&mut monitor, after(30)), 10_000);
    });
    assert!(later.bytes_current < 1_000_000, "{later:?}");
}

/// The time of a processor that work takes on this thread.
fn processor_time(work: impl FnOnce()) -> Duration {
    let used = || {
        let usage = getrusage(UsageWho::RUSAGE_THREAD).unwrap();
        let micros = |time: TimeVal| u64::try_from(time.num_microseconds()).unwrap();
        Duration::from_micros(micros(usage.user_time()) + micros(usage.system_time()))
    };
    let before = used();
    work();
    used() - before
}

/// The time of a first watch, of a reload that changes nothing, and of one that moves all destinations
/// to other services. All destinations are up.
fn times(services: u32, each: u32) -> [Duration; 3] {
    let now = Instant::now();
    let mut monitor = Monitor::new(0);
    let first = processor_time(|| watch(&mut monitor, services, each, now));
    let now = now + Duration::from_secs(6);
    assert_eq!(check(&mut monitor, now), (services * each) as usize);
    let same = processor_time(|| {
        watch(&mut monitor, services, each, now);
        assert!(monitor.wishes(now).is_empty());
    });
    let moved = processor_time(|| {
        (0..services).for_each(|index| {
            let mut moved = watched(index, each);
            monitor.forget(moved.id(), now);
            let other = Service::tcp(([192, 0, 2, 1], 1 + u16::try_from(index).unwrap()).into());
            let destinations = moved.service.destinations().cloned();
            moved.service = destinations.fold(TableService::new(other), TableService::with);
            monitor.watch(moved, None, now);
        });
        let wishes = monitor.wishes(now);
        let wished: usize = wishes.iter().map(|wish| wish.service().destinations().len()).sum();
        assert_eq!(wished, (services * each) as usize, "all are up still");
    });
    [first, same, moved]
}

/// A reload of 37,205 destinations is known to have taken 132 s elsewhere.
#[test]
fn a_reload_does_not_search() {
    for (few, many) in [((200, 10), (1600, 10)), ((1, 2000), (1, 16_000))] {
        let [few, many] = [few, many].map(|(services, each)| times(services, each));
        println!("{few:?} {many:?}");
        for (few, many) in few.into_iter().zip(many) {
            // Eight times the destinations: searching would take 64 times as long.
            assert!(many < few.max(Duration::from_millis(1)) * 30, "{few:?} {many:?}");
        }
    }
}

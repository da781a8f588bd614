//! The runner, with real servers.

use std::iter;
use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::servers::{nobody, server};
use crate::health::probe::*;
use crate::health::{Outcome, Pace, PoolEvent, PoolPolicy, Watched};
use crate::model::{Destination, Service, ServiceId};
use crate::table::TableService;

struct Panics;

impl Check for Panics {
    fn check(&self, _: SocketAddr) -> CheckFuture<'_> {
        Box::pin(async { panic!("a fault of the program") })
    }
}

#[test]
fn a_runner_tells_what_the_table_is_to_hold() {
    let (first, second) = (server(b"x"), TcpListener::bind("127.0.0.1:0").unwrap());
    let addresses = [first, second.local_addr().unwrap()];
    let service = Service::tcp(([192, 0, 2, 10], 80).into());
    let table = addresses.iter().fold(TableService::new(service.clone()), |table, address| {
        table.with(Destination::masquerade(*address))
    });
    let fast = Duration::from_millis(20);
    let pace = Pace::new().interval(fast).changing(fast).down(fast).rise(2).fall(2);
    let runner = Runner::start(RunnerOptions::new().concurrency(1)).unwrap();
    let updates = runner.updates();
    runner
        .watch(Watched::new(table).check(Probe::tcp(), pace).policy(PoolPolicy::new()), None)
        .unwrap();
    let mut last = None;
    let mut wait_for = |weights: [Option<u32>; 2]| {
        let end = Instant::now() + Duration::from_secs(30);
        while Instant::now() < end {
            let update = updates.next_within(Duration::from_secs(1));
            if let Some(Update::Wish(wish)) = update {
                let there = |address: &SocketAddr| {
                    wish.service().destination((*address).into()).and_then(|there| there.weight())
                };
                last = Some([there(&addresses[0]), there(&addresses[1])]);
            }
            if last == Some(weights) {
                return;
            }
        }
        panic!("{last:?} is not {weights:?}");
    };
    wait_for([Some(1), Some(1)]);
    drop(second);
    wait_for([Some(1), Some(0)]);
    let second = TcpListener::bind(addresses[1]).unwrap();
    wait_for([Some(1), Some(1)]);
    drop(second);
    assert!(!updates.has_ended());
    runner.forget(service.id);
    drop(runner);
    // What is left is handed out, without a wait.
    let left = iter::from_fn(|| updates.next_within(Duration::MAX));
    assert_eq!(left.last(), Some(Update::Forget(service.id)));
    assert!(updates.has_ended());
}

#[test]
fn updates_are_one_line_each() {
    let service = Service::tcp(([192, 0, 2, 10], 80).into());
    let empty = TableService::new(service.clone());
    let one = |host| Destination::masquerade(([10, 0, 0, host], 8080).into()).weight(host.into());
    let updates = [
        Update::Wish(empty.clone().into()),
        Update::Wish(empty.with(one(2)).with(one(3)).into()),
        Update::Event(service.id, PoolEvent::TakenOut(one(2).id)),
    ];
    assert_eq!(
        updates.map(|update| update.to_string()),
        [
            "TCP 192.0.2.10:80: the table is to hold no destination",
            "TCP 192.0.2.10:80: the table is to hold 10.0.0.2:8080 weight 2, 10.0.0.3:8080 weight 3",
            "TCP 192.0.2.10:80: 10.0.0.2:8080 is out of rotation",
        ]
    );
}

/// Cannot check, for one reason and then for another.
struct CannotCheck(AtomicU32);

impl Check for CannotCheck {
    fn check(&self, _: SocketAddr) -> CheckFuture<'_> {
        let reason = if self.0.fetch_add(1, Ordering::Relaxed) < 3 { "no key" } else { "no door" };
        Box::pin(async move { Outcome::not_done(reason) })
    }
}

#[test]
fn a_check_that_cannot_be_done_is_told_once_for_each_reason() {
    let address = nobody();
    let service = TableService::new(Service::tcp(([192, 0, 2, 10], 80).into()))
        .with(Destination::masquerade(address));
    let pace = Pace::new().changing(Duration::from_millis(5)).fall(1);
    let runner = Runner::start(RunnerOptions::new()).unwrap();
    let probe = Probe::custom("cannot", CannotCheck(AtomicU32::new(0)));
    runner.watch(Watched::new(service).check(probe, pace), None).unwrap();
    let begin = Instant::now();
    while runner.stats().not_done < 6 && begin.elapsed() < Duration::from_secs(30) {
        thread::sleep(Duration::from_millis(5));
    }
    let updates = runner.updates();
    drop(runner);
    let updates =
        iter::from_fn(|| updates.try_next()).filter(|update| !matches!(update, Update::Wish(_)));
    let updates: Vec<_> = updates.map(|update| update.to_string()).collect();
    let told = |reason: &str| format!("{address} cannot be checked: {reason}");
    assert_eq!(updates, [told("no key"), told("no door")]);
}

#[test]
fn a_check_that_panics_says_nothing_of_the_server_and_stops_nothing() {
    let address = nobody();
    let service = TableService::new(Service::tcp(([192, 0, 2, 10], 80).into()))
        .with(Destination::masquerade(address));
    let fast = Duration::from_millis(10);
    let pace = Pace::new().changing(fast).fall(2);
    let runner = Runner::start(RunnerOptions::new()).unwrap();
    runner.watch(Watched::new(service).check(Probe::custom("panics", Panics), pace), None).unwrap();
    let (sender, ended) = std::sync::mpsc::channel();
    runner.observe(move |check| {
        let what = (check.services.to_vec(), check.destination, check.probe.kind.name().to_owned());
        let _ = sender.send((what, check.outcome.clone()));
    });
    let expected =
        (vec![ServiceId::tcp(([192, 0, 2, 10], 80).into())], address.into(), "panics".to_owned());
    for _ in 0..4 {
        let (what, outcome) = ended.recv_timeout(Duration::from_secs(30)).unwrap();
        assert_eq!(what, expected);
        assert!(
            matches!(outcome, Outcome::NotDone(reason) if reason.starts_with("the check panicked"))
        );
    }
    assert_eq!(runner.stats().failed, 0);
    let updates = runner.updates();
    let told: Vec<_> = iter::from_fn(|| updates.try_next()).collect();
    assert_eq!(
        told.iter().filter(|it| matches!(it, Update::NotDone { .. })).count(),
        1,
        "{told:?}"
    );
    assert!(
        !told.iter().any(|it| matches!(it, Update::Event(_, PoolEvent::Verdict { .. }))),
        "{told:?}"
    );
}

/// A service whose destinations are these servers.
pub(super) fn table(port: u16, addresses: impl IntoIterator<Item = SocketAddr>) -> TableService {
    let table = TableService::new(Service::tcp(([192, 0, 2, 10], port).into()));
    addresses.into_iter().fold(table, |table, address| table.with(Destination::masquerade(address)))
}

pub(super) fn wait_until(mut done: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(60);
    while !done() {
        assert!(Instant::now() < end, "it took too long");
        thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn programs_that_wait_delay_no_other_check_and_their_time_does_not_run() {
    let runner = Runner::start(RunnerOptions::new().concurrency(2).commands(1)).unwrap();
    let fast = Pace::new().interval(Duration::from_millis(5)).changing(Duration::from_millis(5));
    // One after the other they take longer than the timeout.
    let program = Probe::command(CommandCheck::new("sleep", ["0.05"]));
    let slow = fast.interval(Duration::from_secs(60));
    let programs = (1..=30).map(|host| SocketAddr::from(([127, 0, 0, host], 1)));
    let programs =
        Watched::new(table(80, programs)).check(program.timeout(Duration::from_secs(1)), slow);
    runner.watch(programs, None).unwrap();
    wait_until(|| runner.stats().waiting > 20);
    runner.watch(Watched::new(table(81, [server(b"x")])).check(Probe::tcp(), fast), None).unwrap();
    wait_until(|| runner.stats().passed > 30);
    assert!(runner.stats().waiting > 0, "checks over TCP went on meanwhile");
    wait_until(|| runner.stats().waiting == 0);
    assert_eq!(runner.stats().failed, 0, "{:?}", runner.stats());
}

/// Blocks the thread until something is sent.
pub(super) struct Blocks(pub(super) std::sync::Mutex<std::sync::mpsc::Receiver<()>>);

impl Check for Blocks {
    fn check(&self, _: SocketAddr) -> CheckFuture<'_> {
        Box::pin(async {
            let _ = self.0.lock().unwrap().recv();
            Outcome::passed()
        })
    }
}

#[test]
fn a_program_sees_that_the_thread_stands_still() {
    let runner = Runner::start(RunnerOptions::new()).unwrap();
    let (sender, receiver) = std::sync::mpsc::channel();
    let blocks = Probe::custom("blocks", Blocks(receiver.into()));
    let pace = Pace::new().changing(Duration::from_millis(1));
    runner.watch(Watched::new(table(80, [nobody()])).check(blocks, pace), None).unwrap();
    wait_until(|| runner.stats().silent > Duration::from_millis(1500));
    drop(sender);
    wait_until(|| runner.stats().silent < Duration::from_millis(1100) && runner.stats().passed > 0);
}

/// Never ends by itself.
struct Hangs;

impl Check for Hangs {
    fn check(&self, _: SocketAddr) -> CheckFuture<'_> {
        Box::pin(std::future::pending())
    }
}

#[test]
fn checks_that_hang_delay_no_other_while_slots_are_free_and_are_seen_if_they_do() {
    let hosts = (1..=200).map(|host| SocketAddr::from(([127, 0, 0, host], 1)));
    let hang = Probe::custom("hangs", Hangs).timeout(Duration::from_secs(30));
    let fast = Pace::new().interval(Duration::from_millis(5)).changing(Duration::from_millis(5));
    let hanging = Watched::new(table(80, hosts)).check(hang, fast);
    let web = Watched::new(table(81, [server(b"x")])).check(Probe::tcp(), fast);

    let runner = Runner::start(RunnerOptions::new()).unwrap();
    runner.watch(hanging.clone(), None).unwrap();
    wait_until(|| runner.stats().running == 200);
    runner.watch(web.clone(), None).unwrap();
    wait_until(|| runner.stats().passed > 30);

    let runner = Runner::start(RunnerOptions::new().concurrency(100)).unwrap();
    runner.watch(hanging, None).unwrap();
    wait_until(|| runner.stats().running == 100);
    runner.watch(web, None).unwrap();
    wait_until(|| runner.stats().behind > Duration::from_millis(300));
    assert_eq!(runner.stats().passed, 0);
}

/// Waits for something that blocks, on another thread.
struct Reads;

impl Check for Reads {
    fn check(&self, _: SocketAddr) -> CheckFuture<'_> {
        Box::pin(async {
            let read = tokio::task::spawn_blocking(|| ()).await;
            read.map_or_else(|error| Outcome::failed(error.to_string()), |()| Outcome::passed())
        })
    }
}

#[test]
fn programs_that_hang_delay_no_check_that_reads_files() {
    let runner = Runner::start(RunnerOptions::new().commands(1)).unwrap();
    let slow = Pace::new().interval(Duration::from_secs(600));
    let hangs = Probe::command(CommandCheck::new("sleep", ["600"]));
    let hangs = hangs.timeout(Duration::from_secs(600));
    runner.watch(Watched::new(table(80, [nobody()])).check(hangs, slow), None).unwrap();
    wait_until(|| runner.stats().running == 1);
    let reads = Probe::custom("reads", Reads).timeout(Duration::from_secs(20));
    runner.watch(Watched::new(table(81, [nobody()])).check(reads, slow), None).unwrap();
    wait_until(|| runner.stats().passed + runner.stats().failed > 0);
    assert_eq!(runner.stats().failed, 0);
}

#[test]
fn a_runner_refuses_settings_out_of_range() {
    let runner = Runner::start(RunnerOptions::new()).unwrap();
    let service = || TableService::new(Service::tcp(([192, 0, 2, 10], 80).into()));
    let watch = |probe, pace| runner.watch(Watched::new(service()).check(probe, pace), None);
    assert_eq!(watch(Probe::tcp(), Pace::new()), Ok(()));
    let message = |refused: Result<(), WatchError>| refused.unwrap_err().to_string();
    assert_eq!(
        message(watch(Probe::tcp().port(0), Pace::new())),
        "TCP 192.0.2.10:80: port 0: must be 1 to 65535"
    );
    assert_eq!(
        message(watch(Probe::tcp(), Pace::new().fall(0))),
        "TCP 192.0.2.10:80: fall 0: must be at least 1"
    );
}

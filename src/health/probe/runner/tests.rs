use std::net::SocketAddr;
use std::sync::mpsc::{Receiver, channel};

use super::*;
use crate::health::probe::{CheckFuture, RunnerOptions};
use crate::health::through::ThroughError;
use crate::health::through::{MarkRange, Marks};
use crate::health::{Checks, Combination, Pace};
use crate::model::{Destination, Forwarding, Service};
use crate::table::TableService;

fn table(port: u16) -> TableService {
    TableService::new(Service::tcp(([192, 0, 2, 10], 80).into()))
        .with(Destination::masquerade(([127, 0, 0, 1], port).into()))
}

fn watched(port: u16, probe: Probe) -> Watched<Probe> {
    Watched::new(table(port)).check(probe, Pace::new())
}

#[test]
fn a_check_of_port_0_is_refused() {
    let runner = Runner::start(RunnerOptions::new()).unwrap();
    let refused = runner.watch(watched(0, Probe::tcp()), None).unwrap_err();
    let expected =
        "TCP 192.0.2.10:80: 127.0.0.1:0 has port 0, so the check needs a port of its own";
    assert_eq!(refused.to_string(), expected);
    #[cfg(feature = "health-dns")]
    {
        use crate::health::probe::{DnsCheck, DnsType};
        let query = DnsCheck::new(".", DnsType::NS).unwrap();
        runner.watch(watched(0, Probe::dns(query)), None).unwrap_err();
    }
    for probe in [Probe::tcp().port(80), Probe::icmp()] {
        runner.watch(watched(0, probe), None).unwrap();
    }
}

#[test]
fn the_checks_of_a_single_destination_are_looked_at_too() {
    let marks = Marks::new(MarkRange::new(1..=9).unwrap(), &std::iter::empty().collect()).unwrap();
    let runner = Runner::start(RunnerOptions::new().marks(marks)).unwrap();
    let (port, none) = (SocketAddr::from(([127, 0, 0, 1], 80)), ([127, 0, 0, 1], 0).into());
    let two = || {
        let table = table(80).with(Destination::masquerade(none));
        Watched::new(table).check(Probe::tcp(), Pace::new())
    };
    let watch = |watched| runner.watch(watched, None).map_err(|error| error.to_string());
    let only = |probe| Checks::new().check(probe, Pace::new());
    assert!(watch(two()).unwrap_err().contains("127.0.0.1:0 has port 0"));
    watch(two().checks_of(none, only(Probe::icmp()))).unwrap();
    watch(two().checks_of(none, Checks::new())).unwrap();
    let refused = |checks| watch(two().checks_of(none, Checks::new()).checks_of(port, checks));
    let fast = Checks::new().check(Probe::tcp(), Pace::new().fall(0));
    assert!(refused(fast).unwrap_err().contains("fall 0: must be at least 1"));
    assert!(refused(only(Probe::tcp().port(0))).unwrap_err().contains("port 0: must be"));
    let nobody = Checks::new().combination(Combination::AtLeast(0));
    assert!(refused(nobody).unwrap_err().contains("combination 0: must be at least 1"));

    // The way through the virtual address is asked for those that are checked so.
    let local = |checks| {
        let mut local = Destination::masquerade(port);
        local.forwarding = Forwarding::LocalNode;
        let through = Probe::tcp().through();
        let table = table(81).with(local);
        watch(Watched::new(table).check(through, Pace::new()).checks_of(port, checks))
    };
    local(only(Probe::tcp())).unwrap();
    let refused = local(only(Probe::tcp().through())).unwrap_err();
    assert!(refused.contains("cannot be forwarded by Local"), "{refused}");
}

#[test]
fn services_are_examined_together_and_nothing_changes() {
    let marks = Marks::new(MarkRange::new(1..=3).unwrap(), &std::iter::empty().collect()).unwrap();
    let runner = Runner::start(RunnerOptions::new().marks(marks)).unwrap();
    let of = |port: u16, hosts: &[u8]| {
        let service = TableService::new(Service::tcp(([192, 0, 2, 10], port).into()));
        let table = hosts.iter().fold(service, |table, host| {
            table.with(Destination::masquerade(([10, 0, 0, *host], 80).into()))
        });
        Watched::new(table).check(Probe::tcp().through(), Pace::new())
    };
    let (one, two) = (of(80, &[1, 2]), of(81, &[1, 2]));
    assert_eq!(runner.examine([&one]), Ok(()));
    let error = ThroughError::NotEnoughMarks { needed: 4, free: 3 };
    let service = two.id();
    assert_eq!(runner.examine([&one, &two]), Err(WatchError::Through { service, error }));
    // Nothing was taken, and what a service has counts.
    runner.watch(one.clone(), None).unwrap();
    assert_eq!(runner.examine([&one, &of(81, &[1])]), Ok(()));
    let error = ThroughError::NotEnoughMarks { needed: 2, free: 1 };
    assert_eq!(runner.examine([&two]), Err(WatchError::Through { service, error: error.clone() }));
    assert_eq!(runner.watch(two, None), Err(WatchError::Through { service, error }));
    // The marks of those that are forgotten are not free before they have left the table.
    runner.forget(one.id());
    assert!(runner.examine([&of(81, &[1, 2])]).is_err());
    let without = Runner::start(RunnerOptions::new()).unwrap();
    let error = ThroughError::NoMarks;
    let service = one.id();
    assert_eq!(without.examine([&one]), Err(WatchError::Through { service, error }));
}

#[test]
fn nothing_is_watched_after_the_thread_has_ended() {
    let runner = Runner::start(RunnerOptions::new()).unwrap();
    runner.sender.send(Message::Stop).ok().unwrap();
    assert!(runner.updates.wait_for_end(Duration::from_secs(20)));
    let service = table(80).id();
    let refused = runner.watch(watched(80, Probe::tcp()), None);
    assert_eq!(refused, Err(WatchError::Ended { service }));
}

struct Blocks(Mutex<Receiver<()>>);

impl crate::health::probe::Check for Blocks {
    fn check(&self, _: SocketAddr) -> CheckFuture<'_> {
        let _ = self.0.lock().unwrap().recv();
        Box::pin(async { Outcome::passed() })
    }
}

#[test]
fn a_check_that_blocks_does_not_hold_up_the_end() {
    let (go, blocked) = channel();
    let runner = Runner::start(RunnerOptions::new()).unwrap();
    let blocks = Probe::custom("blocks", Blocks(Mutex::new(blocked)));
    let soon = Pace::new().changing(Duration::from_millis(1));
    runner.watch(Watched::new(table(80)).check(blocks, soon), None).unwrap();
    while runner.stats().silent < Duration::from_millis(1500) {
        thread::sleep(Duration::from_millis(10));
    }
    let updates = runner.updates();
    let begin = Instant::now();
    drop(runner);
    assert!(begin.elapsed() >= LONGEST_END);
    assert!(!updates.wait_for_end(Duration::ZERO));
    drop(go);
    assert!(updates.wait_for_end(Duration::from_secs(20)));
}

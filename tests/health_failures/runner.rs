//! The thread that checks.

use std::fs;
use std::io::Read as _;
use std::net::SocketAddr;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use ipvs_netlink::fake::{Kernel, Version};
use ipvs_netlink::health::probe::{Check, CheckFuture, Probe, Runner, RunnerOptions, Update};
use ipvs_netlink::health::through::{MarkRange, Marks};
use ipvs_netlink::health::{Outcome, Pace, Verdict, Watched};
use ipvs_netlink::table::TableService;
use ipvs_netlink::table::controller::{Controller, ControllerOptions};
use ipvs_netlink::{Client, Destination, Service, Snapshot};

use crate::{Checks, PATIENCE, answer_ok, expect_ok, ms, server};

/// Returns the states of the connections to a port of this host, as the kernel prints them.
fn connections_to(port: u16) -> Vec<String> {
    let all = fs::read_to_string("/proc/net/tcp").unwrap();
    let to = format!(":{port:04X}");
    let lines = all.lines().skip(1).map(|line| line.split_whitespace().collect::<Vec<_>>());
    let theirs = lines.filter(|fields| fields[2].ends_with(&to));
    theirs.map(|fields| fields[3].to_owned()).collect()
}

#[test]
fn a_check_leaves_no_connection_behind() {
    let (good, checked) = server(answer_ok);
    // They answer, and close neither their side nor at the end of the check.
    let endless: Vec<SocketAddr> =
        (0..10).map(|_| server(|stream| drop(stream.read(&mut [0; 512]))).0).collect();
    let hanging = endless.iter().map(|address| (*address, expect_ok().timeout(ms(10_000))));
    let connects = endless.iter().map(|address| (*address, Probe::tcp()));
    let all: Vec<_> = [(good, expect_ok())].into_iter().chain(hanging).chain(connects).collect();
    let mut verdicts = Checks::start(all);
    assert_eq!(verdicts.verdict(good), Verdict::Up);
    // Meanwhile the good one is checked all the time.
    let begin = Instant::now();
    for _ in 0..20 {
        checked.recv_timeout(PATIENCE).unwrap();
    }
    assert!(begin.elapsed() < ms(8000), "20 checks took {:?}", begin.elapsed());
    drop(verdicts);
    thread::sleep(ms(20));
    for server in endless.iter().chain([&good]) {
        assert_eq!(connections_to(server.port()), [""; 0], "{server}");
    }
}

/// A check that blocks the thread until it is told to go on.
struct Blocks(Arc<Mutex<Receiver<()>>>);

impl Check for Blocks {
    fn check(&self, _: SocketAddr) -> CheckFuture<'_> {
        Box::pin(async {
            let _ = self.0.lock().unwrap().recv_timeout(PATIENCE);
            Outcome::passed()
        })
    }
}

#[test]
fn a_thread_that_stands_still_is_seen() {
    let (good, _) = server(answer_ok);
    let mut checks = Checks::start([(good, expect_ok())]);
    assert_eq!(checks.verdict(good), Verdict::Up);
    let is_silent = |checks: &Checks| checks.runner.stats().silent > Duration::from_secs(2);
    thread::sleep(ms(1500));
    assert!(!is_silent(&checks), "{:?}", checks.runner.stats());

    let (go, gone) = channel();
    let blocks = Probe::custom("blocks", Blocks(Arc::new(Mutex::new(gone))));
    checks.watch(9, SocketAddr::from(([127, 0, 0, 9], 9)), blocks.timeout(PATIENCE));
    let begin = Instant::now();
    while !is_silent(&checks) {
        assert!(begin.elapsed() < PATIENCE, "{:?}", checks.runner.stats());
        thread::sleep(ms(50));
    }
    // It goes on, and no verdict has come of it.
    drop(go);
    while is_silent(&checks) {
        assert!(begin.elapsed() < PATIENCE, "{:?}", checks.runner.stats());
        thread::sleep(ms(50));
    }
    assert_eq!(checks.verdict(good), Verdict::Up);
    assert!(!checks.updates.has_ended());
    let updates = checks.updates.clone();
    drop(checks);
    while updates.try_next().is_some() {}
    assert!(updates.has_ended());
}

#[test]
fn the_services_of_marks_leave_at_the_end_of_the_program() {
    let kernel = Kernel::in_real_time(Version::default());
    let mut ipvs = Client::fake(&kernel).unwrap();
    let marks = MarkRange::new(0x4000..=0x40ff).unwrap();
    let marks = Marks::new(marks, &Snapshot::default()).unwrap();
    let runner = Runner::start(RunnerOptions::new().marks(marks)).unwrap();
    let servers = TableService::new(Service::tcp(([192, 0, 2, 10], 80).into()));
    let id = servers.id();
    let servers = (1..5).fold(servers, |table, host| {
        table.with(Destination::masquerade(([127, 0, 0, host], 80).into()))
    });
    let pace = Pace::new();
    let through = Watched::new(servers).check(Probe::tcp().through(), pace);
    runner.watch(through, None).unwrap();

    let updates = runner.updates();
    let mut runner = Some(runner);
    let mut controller = Controller::new(ControllerOptions::new());
    while !updates.has_ended() {
        let stepped = ipvs.step(&mut controller);
        controller.events().for_each(drop);
        if ipvs.services().unwrap().len() == 5 {
            runner = None;
        }
        let pause = stepped.pause(ipvs.now()).min(Duration::from_millis(10));
        if let Some(request) = updates.next_within(pause).and_then(Update::into_request) {
            controller.accept(request);
        }
    }
    assert!(runner.is_none());
    assert!(ipvs.settle(&mut controller, Duration::from_secs(20), drop));
    let left: Vec<_> = ipvs.services().unwrap().iter().map(|entry| entry.service.id).collect();
    assert_eq!(left, [id]);
}

//! The thread that checks.

use std::fs;
use std::io::Read as _;
use std::net::SocketAddr;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use ipvs_netlink::health::probe::{Check, CheckFuture, Probe};
use ipvs_netlink::health::{Outcome, Verdict};

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

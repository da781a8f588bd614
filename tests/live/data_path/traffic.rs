//! Clients that open connections in the background.

use std::io::{self, Write};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use ipvs_netlink::Client;
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socket};

use super::greeting::Connection;
use super::network::Namespace;
use super::{Lab, WEB, localhost};
use crate::suite::meanwhile::Ends;

/// How long clients wait in tests that count failures. TCP tries again after a second, which would
/// hide a refusal: Linux 6.12 does not report it to local clients at once.
pub(super) const IMPATIENCE: Duration = Duration::from_millis(800);

/// The time without a connection after which the test fails: there is no traffic.
const STANDSTILL: Duration = Duration::from_secs(60);

/// How many connections were opened, and how some of them failed.
#[derive(Debug)]
pub(super) struct Tally {
    pub(super) opened: usize,
    pub(super) failed: Vec<String>,
}

impl Tally {
    pub(super) fn report(&self, what: &str) {
        let (opened, failed) = (self.opened, self.failed.len());
        say(&format!("{what}: {failed} of {opened} new connections failed"));
    }
}

/// Past the test harness, which shows nothing of a test that passes.
pub(super) fn say(text: &str) {
    let mut stderr = io::stderr();
    writeln!(stderr, "{text}").unwrap();
}

/// Clients that open connections, one after the other, as long as it lasts.
pub(super) struct Traffic<'n> {
    namespace: &'n Namespace,
    patience: Duration,
    finished: AtomicBool,
    opened: AtomicUsize,
    failed: Mutex<Vec<String>>,
}

impl<'n> Traffic<'n> {
    pub(super) const CLIENTS: usize = 3;

    const fn new(namespace: &'n Namespace, patience: Duration) -> Self {
        Self {
            namespace,
            patience,
            finished: AtomicBool::new(false),
            opened: AtomicUsize::new(0),
            failed: Mutex::new(Vec::new()),
        }
    }

    fn open(&self) -> io::Result<()> {
        while !self.finished.load(Ordering::Relaxed) {
            let flags = SockFlag::SOCK_CLOEXEC;
            let socket = socket(AddressFamily::Inet, SockType::Stream, flags, None)?;
            let failure = match Connection::over(socket, WEB, self.patience) {
                Err(error) => Some(format!("opening: {error}")),
                Ok(mut open) => {
                    let server = open.server.clone();
                    open.close().err().map(|error| format!("closing, at {server}: {error}"))
                }
            };
            self.opened.fetch_add(1, Ordering::Relaxed);
            self.failed.lock().unwrap().extend(failure);
        }
        Ok(())
    }

    /// Opens connections that stay open.
    pub(super) fn hold(&self, count: usize) -> Vec<Connection> {
        let open = |_| Connection::open(self.namespace, localhost(WEB), WEB, self.patience);
        (0..count).map(open).collect::<Result<_, _>>().unwrap()
    }

    /// Waits until this many more connections were opened.
    pub(super) fn pass(&self, count: usize) {
        let until = self.opened.load(Ordering::Relaxed) + count;
        let deadline = Instant::now() + STANDSTILL;
        while self.opened.load(Ordering::Relaxed) < until {
            assert!(Instant::now() < deadline, "{count} connections: not within {STANDSTILL:?}");
            thread::sleep(Duration::from_millis(1));
        }
    }
}

/// Does `work` while connections are opened, each of which waits so long for anything.
pub(super) fn under_traffic(
    lab: &mut Lab,
    patience: Duration,
    work: impl FnOnce(&mut Client, &Traffic<'_>),
) -> Tally {
    let Lab { namespace, ipvs, .. } = lab;
    let traffic = Traffic::new(namespace, patience);
    thread::scope(|scope| {
        for _ in 0..Traffic::CLIENTS {
            scope.spawn(|| namespace.run(|| traffic.open()).unwrap());
        }
        let _ends = Ends(&traffic.finished);
        traffic.pass(5);
        work(ipvs, &traffic);
        traffic.pass(5);
    });
    let failed = traffic.failed.into_inner().unwrap();
    Tally { opened: traffic.opened.into_inner(), failed }
}

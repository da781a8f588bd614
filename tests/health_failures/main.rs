//! What went wrong with other health checkers does not go wrong with this one.
//!
//! | | the failure | the test |
//! | --- | --- | --- |
//! | 1 | A reload lost the list of checks that had failed, and the server never came back (keepalived, pull request 381). | `tables::what_has_failed_comes_back_whatever_tables_come_meanwhile` |
//! | 2 | The checker stood still without dying (keepalived 2523). | `runner::a_thread_that_stands_still_is_seen` |
//! | 3 | A server's answer overflowed a buffer (keepalived 2.4.0). | `answers::answers_of_any_length_fail_the_check_and_nothing_else` |
//! | 4 | A reload with 37,205 real servers took 132 s (keepalived 2.3.0). | `tables::a_new_table_costs_what_its_length_costs`, `tables::the_first_verdicts_on_a_long_service_cost_what_its_length_costs` |
//! | 5 | Sockets that were being closed blocked the loop for 5 s (keepalived 2.3.2). | `runner::a_check_leaves_no_connection_behind` |
//! | 6 | A 404 with more than 16 kB stopped the check, and the process span (haproxy 991). | `answers::a_refusal_with_a_long_body_stops_nothing` |
//! | 7 | An agent's "up" revived a server whose other check had failed (haproxy 1176). | `tables::an_agent_revives_no_server_whose_other_check_fails` |
//! | 8 | Acknowledgements that came late added 200 ms to every check (haproxy 1839). | `answers::an_answer_in_parts_takes_no_longer` |
//! | 9 | Failures were counted over all time, not in a row (loxilb 1087). | `tables::failures_that_are_not_in_a_row_decide_nothing` |
//! | 10 | Maintenance and health were one state, which stuck after a restart (cilium 48763). | `tables::maintenance_ends_and_health_stays_over_a_restart` |
//!
//! `tests/live_health` has the first and the last with a kernel and clients, too.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that fails panics"
)]

mod answers;
mod runner;
mod tables;

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use ipvs_netlink::health::probe::{Exchange, Probe, Runner, RunnerOptions, Update, Updates};
use ipvs_netlink::health::{Pace, PoolEvent, Verdict, Watched};
use ipvs_netlink::table::TableService;
use ipvs_netlink::{Destination, Service};

/// The time to wait for what must come, long enough for a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// A service with these servers.
fn service(port: u16, servers: impl IntoIterator<Item = SocketAddr>) -> TableService {
    let service = TableService::new(Service::tcp(([192, 0, 2, 10], port).into()));
    servers
        .into_iter()
        .fold(service, |service, server| service.with(Destination::masquerade(server)))
}

/// A pace for servers of this host.
fn quick() -> Pace {
    Pace::new().interval(ms(20)).changing(ms(10)).down(ms(20)).fall(2).rise(2).damping(None)
}

/// A runner that checks servers of this host, and its verdicts.
struct Checks {
    runner: Runner,
    updates: Updates,
    verdicts: BTreeMap<SocketAddr, Verdict>,
    _alone: MutexGuard<'static, ()>,
}

/// One test at a time has a runner, because some measure what its thread computes.
static ALONE: Mutex<()> = Mutex::new(());

impl Checks {
    fn start(checks: impl IntoIterator<Item = (SocketAddr, Probe)>) -> Self {
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        let runner = Runner::start(RunnerOptions::new()).unwrap();
        let updates = runner.updates();
        let all = Self { runner, updates, verdicts: BTreeMap::new(), _alone: alone };
        for (port, (server, probe)) in (1..).zip(checks) {
            all.watch(port, server, probe);
        }
        all
    }

    fn watch(&self, port: u16, server: SocketAddr, probe: Probe) {
        let watched = Watched::new(service(port, [server])).check(probe, quick());
        self.runner.watch(watched, None).unwrap();
    }

    /// Waits until there is a verdict on a server, and returns the newest.
    #[track_caller]
    fn verdict(&mut self, server: SocketAddr) -> Verdict {
        let begin = Instant::now();
        loop {
            while let Some(update) = self.updates.try_next() {
                if let Update::Event(_, PoolEvent::Verdict { destination, verdict, .. }) = update {
                    self.verdicts.insert(destination.address, verdict);
                }
            }
            if let Some(verdict) = self.verdicts.get(&server) {
                return *verdict;
            }
            assert!(begin.elapsed() < PATIENCE, "no verdict on {server}");
            thread::sleep(ms(5));
        }
    }

    /// Waits for a verdict.
    #[track_caller]
    fn becomes(&mut self, server: SocketAddr, wanted: Verdict) {
        let begin = Instant::now();
        while self.verdict(server) != wanted {
            assert!(begin.elapsed() < PATIENCE, "{server} is not {wanted}");
            thread::sleep(ms(5));
        }
    }
}

/// Starts a server that does `answer` with each connection, one after the other, and tells how
/// long the other side kept each.
fn server(answer: impl Fn(&mut TcpStream) + Send + 'static) -> (SocketAddr, Receiver<Duration>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (tell, told) = channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, begin) = (stream.unwrap(), Instant::now());
            answer(&mut stream);
            let _ = stream.read_to_end(&mut Vec::new());
            // Nobody may want to know.
            let _ = tell.send(begin.elapsed());
        }
    });
    (address, told)
}

/// A request that must be answered with 200.
fn expect_ok() -> Probe {
    Probe::tcp_exchange(Exchange::new("GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 200 "))
}

/// The answer of a server that works.
fn answer_ok(stream: &mut TcpStream) {
    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
}

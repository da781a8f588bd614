//! Clients that connect at a steady rate, each with a request.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpSocket;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::network::Namespace;

/// How long a client waits for its answer.
const PATIENCE: Duration = Duration::from_secs(4);

/// A connection that failed.
#[derive(Clone, Debug)]
pub(crate) struct Visit {
    pub(crate) begin: Instant,
    pub(crate) end: Instant,
    pub(crate) why: String,
    /// How long before another connection from the same port failed. The kernel may know that one
    /// still, and send this one to the same server.
    pub(crate) port_failed_before: Option<Duration>,
}

/// What came of the connections to one address.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) count: usize,
    /// How many each server answered, by its name.
    pub(crate) answered: BTreeMap<String, usize>,
    pub(crate) failed: Vec<Visit>,
    /// When the last connection from each port failed.
    ports: BTreeMap<u16, Instant>,
}

impl Tally {
    /// How many connections failed that went on at some time between two times.
    pub(crate) fn failed_between(&self, from: Instant, to: Instant) -> usize {
        self.failed.iter().filter(|visit| visit.begin <= to && visit.end >= from).count()
    }
}

type Tallies = Arc<Mutex<BTreeMap<SocketAddr, Tally>>>;

/// Clients that go on until they are called back.
#[derive(Debug)]
pub(crate) struct Crowd {
    ends: Arc<AtomicBool>,
    tallies: Tallies,
    thread: JoinHandle<()>,
}

impl Crowd {
    pub(crate) fn start(namespace: &Namespace, to: &[SocketAddr], rate: u32) -> Self {
        let ends = Arc::new(AtomicBool::new(false));
        let tallies = Tallies::default();
        let (end, done, to) = (Arc::clone(&ends), Arc::clone(&tallies), to.to_vec());
        let work = move || {
            let mut runtime = tokio::runtime::Builder::new_current_thread();
            runtime.enable_all().build().unwrap().block_on(async {
                let mut visitors = JoinSet::new();
                let mut ticks = interval(Duration::from_secs(1) / rate);
                ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
                while !end.load(Ordering::SeqCst) {
                    ticks.tick().await;
                    for to in to.iter().copied() {
                        visitors.spawn(visit(to, Arc::clone(&done)));
                    }
                    while visitors.try_join_next().is_some() {}
                }
                visitors.join_all().await;
            });
        };
        let thread = namespace.run(|| thread::Builder::new().spawn(work)).unwrap();
        Self { ends, tallies, thread }
    }

    /// What came of the connections to an address so far.
    pub(crate) fn so_far(&self, to: SocketAddr) -> Tally {
        self.tallies.lock().unwrap().get(&to).cloned().unwrap_or_default()
    }

    /// Calls the clients back, and waits for their last answers.
    pub(crate) fn stop(self) -> BTreeMap<SocketAddr, Tally> {
        self.ends.store(true, Ordering::SeqCst);
        self.thread.join().unwrap();
        std::mem::take(&mut self.tallies.lock().unwrap())
    }
}

async fn visit(to: SocketAddr, tallies: Tallies) {
    let (begin, mut port) = (Instant::now(), 0);
    let answer = match timeout(PATIENCE, exchange(to, &mut port)).await {
        Ok(Ok(answer)) => match answer.split_once("\r\n\r\n") {
            Some((head, name)) if head.starts_with("HTTP/1.1 200 ") => Ok(name.to_owned()),
            _ => Err(format!("{answer:?}")),
        },
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("no answer".to_owned()),
    };
    let end = Instant::now();
    let mut tallies = tallies.lock().unwrap();
    let tally = tallies.entry(to).or_default();
    tally.count += 1;
    match answer {
        Ok(name) => *tally.answered.entry(name).or_default() += 1,
        Err(why) => {
            let before = tally.ports.insert(port, end);
            let port_failed_before = before.map(|before| begin.saturating_duration_since(before));
            tally.failed.push(Visit { begin, end, why, port_failed_before });
        }
    }
}

async fn exchange(to: SocketAddr, port: &mut u16) -> io::Result<String> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::from(([0; 4], 0)))?;
    *port = socket.local_addr()?.port();
    let mut stream = socket.connect(to).await?;
    stream.write_all(b"GET / HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n").await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}

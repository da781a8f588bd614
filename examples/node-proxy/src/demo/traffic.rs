//! Clients of a service: short connections at a steady rate, and long ones that ask again and again.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::runtime::Builder;
use tokio::task::JoinSet;
use tokio::time::{self, MissedTickBehavior};

use super::network::Namespace;
use super::pods::GOODBYE;

/// The time between two questions on a long connection.
const PAUSE: Duration = Duration::from_millis(50);

/// The longest wait for a server, long enough for a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// How many reasons of failures are kept.
const MOST_REASONS: usize = 10;

/// How much traffic there is.
#[derive(Clone, Debug)]
pub(crate) struct Load {
    /// The addresses that clients connect to, in turn.
    pub(crate) to: Vec<SocketAddr>,
    /// How many short connections begin in a second.
    pub(crate) rate: u32,
    /// How many long connections there are at each address.
    pub(crate) long: usize,
    /// How long a long connection lasts, if the server does not say goodbye before.
    pub(crate) lifetime: Duration,
}

/// How many connections ended, and how many of them failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) short: usize,
    pub(crate) short_failed: usize,
    pub(crate) long: usize,
    pub(crate) long_failed: usize,
}

impl Tally {
    /// Returns how many connections ended.
    pub(crate) const fn all(&self) -> usize {
        self.short + self.long
    }

    /// Returns how many connections failed.
    pub(crate) const fn failed(&self) -> usize {
        self.short_failed + self.long_failed
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (failed, all) = (self.failed(), self.all());
        let Self { short, short_failed, long, long_failed } = self;
        write!(
            f,
            "{failed} of {all} connections failed: {short_failed} of {short} short, {long_failed} of {long} long"
        )
    }
}

#[derive(Debug, Default)]
struct Shared {
    ends: AtomicBool,
    short: AtomicUsize,
    short_failed: AtomicUsize,
    long: AtomicUsize,
    long_failed: AtomicUsize,
    reasons: Mutex<Vec<String>>,
}

impl Shared {
    fn ends(&self) -> bool {
        self.ends.load(Ordering::Relaxed)
    }

    fn reasons(&self) -> MutexGuard<'_, Vec<String>> {
        self.reasons.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, [all, failed]: [&AtomicUsize; 2], what: &str, result: io::Result<()>) {
        if let Err(error) = result {
            failed.fetch_add(1, Ordering::Relaxed);
            let mut reasons = self.reasons();
            if reasons.len() < MOST_REASONS {
                reasons.push(format!("{what}: {error}"));
            }
        }
        all.fetch_add(1, Ordering::Relaxed);
    }
}

/// Clients that go on until they are stopped.
#[derive(Debug)]
pub(crate) struct Traffic {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Traffic {
    /// Starts the clients in a network namespace.
    ///
    /// # Errors
    ///
    /// The system has no thread.
    pub(crate) fn start(namespace: &Namespace, load: Load) -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let runtime = Builder::new_current_thread().enable_io().enable_time().build()?;
        let clients = Arc::clone(&shared);
        let work = move || runtime.block_on(run(load, clients));
        // The thread belongs to the network namespace of the one that starts it.
        let thread = namespace.run(|| thread::Builder::new().name("traffic".into()).spawn(work))?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// Returns what became of the connections that have ended.
    pub(crate) fn so_far(&self) -> Tally {
        let load = |counter: &AtomicUsize| counter.load(Ordering::Relaxed);
        Tally {
            short: load(&self.shared.short),
            short_failed: load(&self.shared.short_failed),
            long: load(&self.shared.long),
            long_failed: load(&self.shared.long_failed),
        }
    }

    /// Ends the clients when their connections have been answered. Returns what became of all
    /// connections, and why the first of the failed ones failed.
    pub(crate) fn stop(mut self) -> (Tally, Vec<String>) {
        self.end();
        (self.so_far(), std::mem::take(&mut *self.shared.reasons()))
    }

    fn end(&mut self) {
        self.shared.ends.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // A thread that has panicked has said so.
            let _ = thread.join();
        }
    }
}

impl Drop for Traffic {
    fn drop(&mut self) {
        self.end();
    }
}

async fn run(load: Load, shared: Arc<Shared>) {
    let mut clients = JoinSet::new();
    for to in &load.to {
        for _ in 0..load.long {
            clients.spawn(keep_asking(*to, load.lifetime, Arc::clone(&shared)));
        }
    }
    let mut ticks = time::interval(Duration::from_secs(1) / load.rate.max(1));
    // A machine that was busy does not get all missed connections at once.
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for to in load.to.iter().cycle() {
        ticks.tick().await;
        if shared.ends() {
            break;
        }
        clients.spawn(visit(*to, Arc::clone(&shared)));
        while clients.try_join_next().is_some() {}
    }
    clients.join_all().await;
}

/// Makes one short connection.
async fn visit(to: SocketAddr, shared: Arc<Shared>) {
    let result = async {
        let mut connection = Connection::open(to).await?;
        connection.ask().await?;
        connection.close().await
    };
    shared.note([&shared.short, &shared.short_failed], "short", result.await);
}

/// Makes one long connection after the other. A server that says goodbye ends one well.
async fn keep_asking(to: SocketAddr, lifetime: Duration, shared: Arc<Shared>) {
    while !shared.ends() {
        let result = async {
            let (mut connection, begin) = (Connection::open(to).await?, Instant::now());
            while connection.ask().await? != GOODBYE {
                if shared.ends() || begin.elapsed() >= lifetime {
                    break;
                }
                time::sleep(PAUSE).await;
            }
            connection.close().await
        };
        let result = result.await;
        let failed = result.is_err();
        shared.note([&shared.long, &shared.long_failed], "long", result);
        if failed {
            time::sleep(PAUSE).await;
        }
    }
}

struct Connection(BufReader<TcpStream>);

impl Connection {
    async fn open(to: SocketAddr) -> io::Result<Self> {
        Ok(Self(BufReader::new(in_time(TcpStream::connect(to)).await?)))
    }

    /// Returns the server's answer.
    async fn ask(&mut self) -> io::Result<String> {
        let mut answer = String::new();
        in_time(async {
            self.0.write_all(b"who is there?\n").await?;
            self.0.read_line(&mut answer).await
        })
        .await?;
        match answer.trim_end() {
            "" => Err(io::ErrorKind::UnexpectedEof.into()),
            answer => Ok(answer.to_owned()),
        }
    }

    /// Closes the connection, and waits until the server has closed it too.
    async fn close(mut self) -> io::Result<()> {
        in_time(async {
            self.0.shutdown().await?;
            self.0.read_to_end(&mut Vec::new()).await
        })
        .await
        .map(drop)
    }
}

async fn in_time<T>(work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    time::timeout(PATIENCE, work).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

//! Clients in an endless loop, which connect while the router has a learnt route.

use std::io;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::lab::{Lab, VIP};
use crate::watchers::Watcher;

/// How long a client waits for its answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// What came of a connection.
#[derive(Clone, Debug)]
pub(crate) struct Visit {
    pub(crate) end: Instant,
    pub(crate) failure: Option<String>,
}

pub(crate) struct Clients {
    visits: Arc<Mutex<Vec<Visit>>>,
    ends: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Clients {
    pub(crate) fn start(lab: &Lab, routes: &Arc<Watcher<bool>>) -> Self {
        let visits = Arc::new(Mutex::new(Vec::new()));
        let ends = Arc::new(AtomicBool::new(false));
        let (all, end, routes) = (Arc::clone(&visits), Arc::clone(&ends), Arc::clone(routes));
        let work = move || {
            while !end.load(Ordering::SeqCst) {
                thread::sleep(Duration::from_millis(5));
                if routes.now() != Some(true) {
                    continue;
                }
                let failure = visit().err().map(|error| error.to_string());
                all.lock().unwrap().push(Visit { end: Instant::now(), failure });
            }
        };
        let thread = lab.network.client.run(|| thread::Builder::new().spawn(work)).unwrap();
        Self { visits, ends, thread: Some(thread) }
    }

    /// Returns the connections that went on at some time since a time, how many and which of them
    /// failed.
    pub(crate) fn since(&self, time: Instant) -> (usize, Vec<Visit>) {
        let visits = self.visits.lock().unwrap();
        let since: Vec<_> = visits.iter().filter(|visit| visit.end >= time).cloned().collect();
        let failed = since.iter().filter(|visit| visit.failure.is_some()).cloned().collect();
        (since.len(), failed)
    }
}

impl Drop for Clients {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn visit() -> io::Result<()> {
    let to = SocketAddr::new(VIP.parse().map_err(io::Error::other)?, 80);
    let mut stream = TcpStream::connect_timeout(&to, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(b"?")?;
    stream.read_exact(&mut [0])
}

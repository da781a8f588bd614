//! Clients that follow the events: one that reads, and one that does not.

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use director::control::protocol::Order;
use director::control::request;

use crate::stage::ms;

/// How long a client stays that reads nothing.
const LAZY: Duration = Duration::from_secs(5);

/// Two clients that come again whenever the daemon has ended.
#[derive(Debug)]
pub(crate) struct Followers {
    ends: Arc<AtomicBool>,
    events: Arc<AtomicUsize>,
    threads: [JoinHandle<()>; 2],
}

impl Followers {
    pub(crate) fn begin(socket: PathBuf) -> Self {
        let (ends, events) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let reads = {
            let (end, events, socket) = (Arc::clone(&ends), Arc::clone(&events), socket.clone());
            thread::spawn(move || {
                while !end.load(Ordering::SeqCst) {
                    let Some(stream) = connect(&socket) else { continue };
                    for _ in BufReader::new(stream).lines().map_while(Result::ok) {
                        events.fetch_add(1, Ordering::SeqCst);
                        if end.load(Ordering::SeqCst) {
                            break;
                        }
                    }
                }
            })
        };
        let end = Arc::clone(&ends);
        let lazy = thread::spawn(move || {
            while !end.load(Ordering::SeqCst) {
                let (stream, begin) = (connect(&socket), Instant::now());
                while begin.elapsed() < LAZY && !end.load(Ordering::SeqCst) {
                    thread::sleep(ms(100));
                }
                drop(stream);
            }
        });
        Self { ends, events, threads: [reads, lazy] }
    }

    /// Ends, and returns how many lines were read.
    pub(crate) fn end(self) -> usize {
        self.ends.store(true, Ordering::SeqCst);
        for thread in self.threads {
            thread.join().unwrap();
        }
        self.events.load(Ordering::SeqCst)
    }
}

fn connect(socket: &Path) -> Option<UnixStream> {
    let order = request::write(&Order::Events { states: true });
    let stream = UnixStream::connect(socket).and_then(|mut stream| {
        stream.set_read_timeout(Some(ms(1000)))?;
        stream.write_all(order.as_bytes())?;
        Ok(stream)
    });
    if stream.is_err() {
        thread::sleep(ms(50));
    }
    stream.ok()
}

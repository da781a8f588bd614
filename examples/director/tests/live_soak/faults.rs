//! Servers that die and come back, one at a time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle, sleep};
use std::time::{Duration, Instant};

use crate::chance::Chance;
use crate::soak::{FAULTY_HOSTS, PORT, faulty};
use crate::stage::{Manner, Server, Stage, Watcher, id, ms, there, wait_for};

/// A fault, from its begin to the time when the server was out of the rotation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fault {
    pub(crate) begin: Instant,
    pub(crate) out: Instant,
    pub(crate) recovery: Instant,
    pub(crate) back: Instant,
}

/// What befalls a server.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Killed,
    Silent,
    Error,
    BlackHoled,
}

/// Lets servers fail until it is stopped.
#[derive(Debug)]
pub(crate) struct Faults {
    ends: Arc<AtomicBool>,
    thread: JoinHandle<Vec<Fault>>,
}

impl Faults {
    pub(crate) fn begin(stage: &Arc<Stage>, watcher: &Arc<Watcher>, mut chance: Chance) -> Self {
        let ends = Arc::new(AtomicBool::new(false));
        let (stage, watcher, end) = (Arc::clone(stage), Arc::clone(watcher), Arc::clone(&ends));
        let mut servers = FAULTY_HOSTS.map(|host| (host, stage.serve(host, PORT)));
        let thread = thread::spawn(move || {
            let mut faults = Vec::new();
            // A short soak has more than one, too.
            while faults.len() < 2 || !end.load(Ordering::SeqCst) {
                let n = usize::try_from(chance.below(servers.len() as u64)).unwrap();
                let (host, server) = &mut servers[n];
                let kind = chance.one(&[Kind::Killed, Kind::Silent, Kind::Error, Kind::BlackHoled]);
                sleep(ms(500 + chance.below(1500)));
                // On a busy machine checks of a live server fail now and then.
                wait_for("a live server", || {
                    let before = Instant::now() - ms(1000);
                    watcher.gets_clients_since(id(faulty()), there(*host, PORT), before)
                });
                let begin = Instant::now();
                fail(&stage, *host, server, kind, true);
                let destination = there(*host, PORT);
                let out = watcher.out(id(faulty()), destination, begin);
                sleep(ms(200 + chance.below(2000)));
                fail(&stage, *host, server, kind, false);
                let recovery = Instant::now();
                let back = watcher.back(id(faulty()), destination, recovery);
                faults.push(Fault { begin, out, recovery, back });
            }
            // They live on until the end of the soak.
            std::mem::forget(servers);
            faults
        });
        Self { ends, thread }
    }

    /// Ends with the fault that goes on.
    pub(crate) fn end(self) -> Vec<Fault> {
        self.ends.store(true, Ordering::SeqCst);
        self.thread.join().unwrap()
    }
}

fn fail(stage: &Stage, host: u8, server: &mut Server, kind: Kind, fails: bool) {
    match (kind, fails) {
        (Kind::Killed, true) => server.kill(),
        (Kind::Killed, false) => server.revive(),
        (Kind::Silent, true) => server.set(Manner::Silent),
        (Kind::Error, true) => server.set(Manner::Error),
        (Kind::Silent | Kind::Error, false) => server.set(Manner::Well),
        (Kind::BlackHoled, _) => stage.silence(host, fails),
    }
}

/// The longest of some times, and their middle.
pub(crate) fn spread(times: impl Iterator<Item = Duration>) -> (Duration, Duration) {
    let mut all: Vec<_> = times.collect();
    all.sort();
    let middle = all.get(all.len() / 2).copied().unwrap_or_default();
    (middle, all.last().copied().unwrap_or_default())
}

//! Clients that connect all the time, each one connection after the other.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::greeting::Connection;
use super::network::{Network, client_addresses};
use super::stage::NAMES;

/// The time between two connections of a client.
const PAUSE: Duration = Duration::from_millis(25);
/// The time to wait for a server, long enough for a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// The visits of all clients.
#[derive(Debug)]
pub(crate) struct Clients {
    web: SocketAddr,
    visits: Mutex<Vec<Visit>>,
    at_home: AtomicBool,
}

/// One connection, from connecting to closing.
#[derive(Clone, Debug)]
struct Visit {
    began: Instant,
    /// `None` while it lasts.
    ended: Option<Answer>,
}

/// The name of the server, or `None` if the connection failed.
type Answer = Option<String>;

/// What became of the connections of some time.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// How many each server answered.
    pub(crate) answered: [usize; NAMES.len()],
    pub(crate) failed: usize,
    pub(crate) attempted: usize,
}

impl Clients {
    pub(crate) const fn of(web: SocketAddr) -> Self {
        Self { web, visits: Mutex::new(Vec::new()), at_home: AtomicBool::new(false) }
    }

    /// Is one of the clients, until all go home.
    pub(crate) fn visit(&self, network: &Network, number: u8) {
        let from = client_addresses(number).v4;
        while !self.at_home.load(Ordering::Relaxed) {
            let at = self.begin();
            let visit = || {
                let mut connection = Connection::open(&network.client, from, self.web, PATIENCE)?;
                connection.close()?;
                std::io::Result::Ok(connection.server)
            };
            let answer = visit().ok();
            if let Some(visit) = self.visits().get_mut(at) {
                visit.ended = Some(answer);
            }
            sleep(PAUSE);
        }
    }

    pub(crate) fn go_home(&self) {
        self.at_home.store(true, Ordering::Relaxed);
    }

    /// Counts the connections that began in a time. Waits for their ends.
    pub(crate) fn tally(&self, from: Instant, to: Instant) -> Tally {
        let during = |visit: &&Visit| from <= visit.began && visit.began < to;
        while self.visits().iter().filter(during).any(|visit| visit.ended.is_none()) {
            sleep(Duration::from_millis(1));
        }
        let mut tally = Tally::default();
        for answer in self.visits().iter().filter(during).flat_map(|visit| &visit.ended) {
            tally.attempted += 1;
            let server = answer.as_ref().and_then(|name| NAMES.iter().position(|it| it == name));
            match server.and_then(|server| tally.answered.get_mut(server)) {
                Some(count) => *count += 1,
                None => tally.failed += 1,
            }
        }
        tally
    }

    /// Notes that a visit begins. Returns its number.
    fn begin(&self) -> usize {
        let mut visits = self.visits();
        visits.push(Visit { began: Instant::now(), ended: None });
        visits.len() - 1
    }

    fn visits(&self) -> MutexGuard<'_, Vec<Visit>> {
        self.visits.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

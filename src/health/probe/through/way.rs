use std::cmp::Ordering;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use socket2::Socket;

use crate::health::probe::through::{Through, since_start};
use crate::health::through::ThroughError;

/// The most source ports that are tried in a row because other sockets have them.
const MOST_ATTEMPTS: u32 = 64;

/// What the sockets of one check through a virtual address share.
#[derive(Clone, Debug)]
pub(in crate::health::probe) struct Way(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    through: Arc<Through>,
    answers_from: SocketAddr,
    used: Mutex<Used>,
}

#[derive(Debug, Default)]
struct Used {
    ports: Vec<(IpAddr, SocketAddr, u16)>,
    failure: Option<ThroughError>,
}

impl Way {
    pub(super) fn new(through: Arc<Through>, answers_from: SocketAddr) -> Self {
        Self(Arc::new(Inner { through, answers_from, used: Mutex::default() }))
    }

    fn used(&self) -> MutexGuard<'_, Used> {
        // Nothing panics while the lock is held.
        self.0.used.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the address that answers datagrams.
    pub(in crate::health::probe) fn answers_from(&self) -> SocketAddr {
        self.0.answers_from
    }

    /// Gives a TCP socket the source address, and a port whose last connection to the target the
    /// kernel has forgotten.
    pub(in crate::health::probe) fn bind(
        &self,
        socket: &Socket,
        source: IpAddr,
        target: SocketAddr,
    ) -> io::Result<()> {
        for _ in 0..MOST_ATTEMPTS {
            let chosen = self.0.through.state().ports.choose(source, target, since_start());
            let Some(port) = chosen else { break };
            match socket.bind(&SocketAddr::new(source, port).into()) {
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
                Err(error) => return Err(error),
                Ok(()) => {
                    self.used().ports.push((source, target, port));
                    return Ok(());
                }
            }
        }
        self.used().failure = Some(ThroughError::NoSourcePort);
        Err(io::Error::new(io::ErrorKind::AddrInUse, ThroughError::NoSourcePort))
    }

    /// Notes that this host could not give the check a socket: the check says nothing then.
    pub(in crate::health::probe) fn failed(&self, error: &io::Error) {
        self.used().failure.get_or_insert_with(|| ThroughError::System(error.to_string()));
    }

    /// Returns why the check could not be done.
    pub(super) fn take_failure(&self) -> Option<ThroughError> {
        self.used().failure.take()
    }

    /// Returns the source ports that the check has used.
    pub(super) fn take_ports(&self) -> Vec<(IpAddr, SocketAddr, u16)> {
        std::mem::take(&mut self.used().ports)
    }
}

/// `Origin` is compared. Two ways are equal if they are the same one.
impl PartialEq for Way {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Way {}

impl PartialOrd for Way {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Way {
    fn cmp(&self, other: &Self) -> Ordering {
        Arc::as_ptr(&self.0).cmp(&Arc::as_ptr(&other.0))
    }
}

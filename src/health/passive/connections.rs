use std::collections::BTreeMap;
use std::net::SocketAddr;

use crate::model::{DestinationId, Protocol, ServiceId, Snapshot};
use crate::procfs::{Connection, ConnectionState, Owners};

/// How many TCP connections there are by state, for each virtual address and destination.
///
/// Collect one from the rows of a [`ConnectionReader`](crate::procfs::ConnectionReader). Templates of
/// persistence and other protocols are left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConnectionCounts {
    /// By virtual address and destination.
    counts: BTreeMap<(SocketAddr, SocketAddr), States>,
}

/// How many connections have been answered, and how many not yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct States {
    /// In the state `SYN_RECV`.
    pub(super) half_open: u64,
    /// In a state that shows an answer, a refusal too.
    pub(super) answered: u64,
}

impl ConnectionCounts {
    /// Creates counts of 0.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Counts a connection.
    pub fn count(&mut self, connection: &Connection) {
        if connection.protocol != Protocol::TCP || connection.is_template() {
            return;
        }
        let states = match connection.state {
            // The last is that of connections which the destination opened.
            ConnectionState::NONE | ConnectionState::SYN_SENT => return,
            ConnectionState::SYN_RECV => States { half_open: 1, answered: 0 },
            _ => States { half_open: 0, answered: 1 },
        };
        let place = (connection.virtual_address, connection.destination);
        self.counts.entry(place).or_default().add(states);
    }

    /// Adds up the counts for each destination of a table. A row does not name its service, so each counts
    /// for the most likely of its [owners](Owners). What none of them has is left out.
    pub(super) fn by_destination(
        &self,
        table: &Snapshot,
    ) -> BTreeMap<(ServiceId, DestinationId), States> {
        let owners = Owners::in_table(table);
        let mut all = BTreeMap::<_, States>::new();
        for (&(virtual_address, destination), states) in &self.counts {
            let mut owners = owners.of_address(Protocol::TCP, virtual_address, destination);
            let place = owners.find_map(|owner| Some((owner.service, owner.destination?)));
            if let Some(place) = place {
                all.entry(place).or_default().add(*states);
            }
        }
        all
    }
}

impl States {
    const fn add(&mut self, other: Self) {
        self.half_open = self.half_open.saturating_add(other.half_open);
        self.answered = self.answered.saturating_add(other.answered);
    }
}

impl<'c> Extend<&'c Connection> for ConnectionCounts {
    fn extend<I: IntoIterator<Item = &'c Connection>>(&mut self, connections: I) {
        connections.into_iter().for_each(|connection| self.count(connection));
    }
}

impl Extend<Connection> for ConnectionCounts {
    fn extend<I: IntoIterator<Item = Connection>>(&mut self, connections: I) {
        connections.into_iter().for_each(|connection| self.count(&connection));
    }
}

impl FromIterator<Connection> for ConnectionCounts {
    fn from_iter<I: IntoIterator<Item = Connection>>(connections: I) -> Self {
        let mut counts = Self::new();
        counts.extend(connections);
        counts
    }
}

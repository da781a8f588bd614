use std::collections::BTreeMap;
use std::net::SocketAddr;

use crate::model::{AddressFamily, DestinationId, Protocol, ServiceId, ServiceSnapshot, Snapshot};
use crate::procfs::{Connection, ConnectionState};

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

    /// Adds up the counts for each destination of a table. A row does not name its service, so this follows
    /// the kernel: first the service of the address and port, then that of port 0, then those of firewall
    /// marks that have the destination. What none of them has is left out.
    pub(super) fn by_destination(
        &self,
        table: &Snapshot,
    ) -> BTreeMap<(ServiceId, DestinationId), States> {
        let marks: Vec<_> = table.services().filter(|service| is_mark(service.id())).collect();
        let mut all = BTreeMap::<_, States>::new();
        for (&(virtual_address, destination), states) in &self.counts {
            let any_port = SocketAddr::new(virtual_address.ip(), 0);
            let family = AddressFamily::of(&virtual_address.ip());
            let by_address =
                [virtual_address, any_port].map(|it| table.service(ServiceId::tcp(it)));
            let by_mark = marks.iter().copied().filter(|service| service.id().family() == family);
            let mut services = by_address.into_iter().flatten().chain(by_mark);
            let place =
                services.find_map(|service| Some((service.id(), at(service, destination)?)));
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

const fn is_mark(service: ServiceId) -> bool {
    matches!(service, ServiceId::Fwmark { .. })
}

/// Returns the destination of a service to which a connection goes. One of port 0 takes all ports.
fn at(service: &ServiceSnapshot, destination: SocketAddr) -> Option<DestinationId> {
    let any_port = SocketAddr::new(destination.ip(), 0);
    let ids = [destination, any_port].map(DestinationId::from);
    ids.into_iter().find(|id| service.destination(*id).is_some())
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

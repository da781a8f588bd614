use std::net::SocketAddr;

use crate::model::{
    AddressFamily, DestinationId, FTP, Protocol, ServiceId, ServiceSnapshot, Snapshot,
};
use crate::procfs::Connection;

/// Says to which services and destinations of a table connections may belong.
///
/// A row of the kernel names neither. It has the protocol, the virtual address and the destination's
/// address, so this follows the kernel: a connection to a virtual address belongs to the service of that
/// address and port, or else to that of FTP if it may carry its data, or else to that of port 0; or it had
/// a firewall mark, of which the row says nothing.
///
/// ```
/// use ipvs_netlink::Snapshot;
/// use ipvs_netlink::procfs::{Connection, Owners};
///
/// let table = Snapshot::default();
/// let row = "TCP C6336407 0FA0 C000020A 0050 0A000003 1F90 ESTABLISHED     899";
/// let connection: Connection = row.parse()?;
/// assert_eq!(Owners::in_table(&table).of(&connection).count(), 0);
/// # Ok::<(), ipvs_netlink::procfs::ProcfsError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Owners<'t> {
    table: &'t Snapshot,
    marks: Vec<&'t ServiceSnapshot>,
}

/// A service to which a connection may belong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Owner {
    /// The service.
    pub service: ServiceId,
    /// The destination. `None`: it is not in the service any more, or one of several at the same address.
    pub destination: Option<DestinationId>,
}

impl<'t> Owners<'t> {
    /// Creates the owners of a table.
    #[must_use]
    pub fn in_table(table: &'t Snapshot) -> Self {
        let is_mark = |service: &&ServiceSnapshot| matches!(service.id(), ServiceId::Fwmark { .. });
        Self { table, marks: table.services().filter(is_mark).collect() }
    }

    /// Returns the services to which a connection or a template may belong, the most likely first. Where
    /// there are several, the kernel does not show which of them it is. A template belongs to one at most.
    ///
    /// At most one is a service of an address. It comes first, unless it lacks the destination. The others
    /// are services of firewall marks that have the destination.
    pub fn of(&self, connection: &Connection) -> impl Iterator<Item = Owner> + use<'_, 't> {
        let Connection { protocol, virtual_address, destination, .. } = *connection;
        let of_template = connection.is_template().then(|| self.of_template(connection));
        let of_address = match of_template {
            Some(_) => None,
            None => Some(self.of_address(protocol, virtual_address, destination)),
        };
        of_template.into_iter().flatten().chain(of_address.into_iter().flatten())
    }

    /// Returns the services to which connections between these addresses may belong.
    pub(crate) fn of_address(
        &self,
        protocol: Protocol,
        virtual_address: SocketAddr,
        destination: SocketAddr,
    ) -> impl Iterator<Item = Owner> + use<'_, 't> {
        let ids = ServiceId::looked_for(protocol, virtual_address);
        let by_address = self.first(ids, virtual_address, destination);
        let family = AddressFamily::of(&virtual_address.ip());
        let marks = self.marks.iter().filter(move |it| it.id().family() == family);
        let by_mark = marks.map(move |it| owner(it, virtual_address, destination));
        let by_mark = by_mark.filter(has_destination);
        let (first, last) = match by_address {
            Some(it) if has_destination(&it) => (Some(it), None),
            other => (None, other),
        };
        first.into_iter().chain(by_mark).chain(last)
    }

    fn of_template(&self, template: &Connection) -> Option<Owner> {
        let Connection { protocol, virtual_address, destination, .. } = *template;
        if template.fwmark().is_some() {
            let service = self.table.service(template.service())?;
            return Some(owner(service, virtual_address, destination));
        }
        let at = |port| ServiceId::Address {
            protocol,
            address: SocketAddr::new(virtual_address.ip(), port),
        };
        // Those of FTP have port 0, too.
        let port = virtual_address.port();
        let ids = [Some(at(port)), (port == 0).then(|| at(FTP))];
        self.first(ids.into_iter().flatten(), virtual_address, destination)
    }

    /// Returns the first of these services that has the destination, or else the first service.
    fn first(
        &self,
        ids: impl Iterator<Item = ServiceId> + Clone,
        virtual_address: SocketAddr,
        destination: SocketAddr,
    ) -> Option<Owner> {
        let services = ids.filter_map(|id| self.table.service(id));
        let mut owners = services.map(|service| owner(service, virtual_address, destination));
        owners.clone().find(has_destination).or_else(|| owners.next())
    }
}

const fn has_destination(owner: &Owner) -> bool {
    owner.destination.is_some()
}

fn owner(service: &ServiceSnapshot, to: SocketAddr, destination: SocketAddr) -> Owner {
    Owner { service: service.id(), destination: destination_at(service, to, destination) }
}

/// Returns the destination of a service to which a connection goes.
fn destination_at(
    service: &ServiceSnapshot,
    virtual_address: SocketAddr,
    address: SocketAddr,
) -> Option<DestinationId> {
    if keeps_port(service, virtual_address) {
        // The port is that of the packets, so it tells nothing.
        let ids = service.destinations.iter().map(|it| it.id());
        let mut at_host = ids.filter(|id| id.address.ip() == address.ip());
        return at_host.next().filter(|_| at_host.next().is_none());
    }
    // One of port 0 takes all ports.
    let ids = [address, SocketAddr::new(address.ip(), 0)].map(DestinationId::from);
    ids.into_iter().find(|id| service.destination(*id).is_some())
}

/// Whether a connection keeps the port of its packets, whatever that of the destination is. Its template has
/// port 0. Source: `ip_vs_core.c:ip_vs_sched_persist`.
fn keeps_port(service: &ServiceSnapshot, virtual_address: SocketAddr) -> bool {
    let is_at_port = match service.id() {
        ServiceId::Fwmark { .. } => false,
        ServiceId::Address { address, .. } => {
            address.port() != 0 && address.port() == virtual_address.port()
        }
    };
    service.entry.service.persistence.is_some() && !is_at_port
}

use std::net::SocketAddr;

use crate::model::{
    AddressFamily, DestinationId, Protocol, ServiceEntry, ServiceId, ServiceSnapshot, Snapshot,
};
use crate::procfs::Connection;
use crate::procfs::filter::FTP;

/// Says to which services and destinations of a table connections may belong.
///
/// A row of the kernel names neither. It has the protocol, the virtual address and the destination's
/// address, so this follows the kernel: a connection to a virtual address belongs to the service of that
/// address and port, or else to that of port 0; or it had a firewall mark, of which the row says nothing.
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
        let ports = [virtual_address.port(), 0];
        let by_address = self.first(protocol, virtual_address, ports, destination);
        let family = AddressFamily::of(&virtual_address.ip());
        let marks = self.marks.iter().filter(move |it| it.id().family() == family);
        let by_mark = marks.map(move |it| owner(it, destination)).filter(has_destination);
        let (first, last) = match by_address {
            Some(it) if has_destination(&it) => (Some(it), None),
            other => (None, other),
        };
        first.into_iter().chain(by_mark).chain(last)
    }

    fn of_template(&self, template: &Connection) -> Option<Owner> {
        let Connection { protocol, virtual_address, destination, .. } = *template;
        if template.fwmark().is_some() {
            return Some(owner(self.table.service(template.service())?, destination));
        }
        let port = virtual_address.port();
        let ports = [port, if port == 0 { FTP } else { port }];
        self.first(protocol, virtual_address, ports, destination)
    }

    /// Returns the first service at these ports that has the destination, or else the first service.
    fn first(
        &self,
        protocol: Protocol,
        virtual_address: SocketAddr,
        ports: [u16; 2],
        destination: SocketAddr,
    ) -> Option<Owner> {
        let owners = ports.map(|port| {
            let address = SocketAddr::new(virtual_address.ip(), port);
            let service = self.table.service(ServiceId::Address { protocol, address })?;
            Some(owner(service, destination))
        });
        let mut present = owners.into_iter().flatten();
        present.clone().find(has_destination).or_else(|| present.next())
    }
}

const fn has_destination(owner: &Owner) -> bool {
    owner.destination.is_some()
}

fn owner(service: &ServiceSnapshot, destination: SocketAddr) -> Owner {
    Owner { service: service.id(), destination: destination_at(service, destination) }
}

/// Returns the destination of a service to which a connection goes. One of port 0 takes all ports.
fn destination_at(service: &ServiceSnapshot, address: SocketAddr) -> Option<DestinationId> {
    let any_port = SocketAddr::new(address.ip(), 0);
    let ids = [address, any_port].map(DestinationId::from);
    let named = ids.into_iter().find(|id| service.destination(*id).is_some());
    named.or_else(|| {
        let ids = service.destinations.iter().map(|it| it.id());
        let mut at_host = ids.filter(|id| id.address.ip() == address.ip());
        let only = at_host.next().filter(|_| keeps_ports(&service.entry))?;
        at_host.next().is_none().then_some(only)
    })
}

/// Whether connections keep the port of their packets, whatever that of the destination is. Their templates
/// have port 0. Source: `ip_vs_core.c:ip_vs_sched_persist`.
fn keeps_ports(ServiceEntry { service, .. }: &ServiceEntry) -> bool {
    let has_port = match service.id {
        ServiceId::Fwmark { .. } => false,
        ServiceId::Address { address, .. } => ![0, FTP].contains(&address.port()),
    };
    service.persistence.is_some() && !has_port
}

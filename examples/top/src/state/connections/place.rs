use ipvs_netlink::procfs::{Connection, ConnectionFilter, Owners};
use ipvs_netlink::{DestinationId, ServiceId, Snapshot};

/// The port of FTP.
const FTP: u16 = 21;

/// Whose connections are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The service.
    pub service: ServiceId,
    /// The destination, or `None` for all of the service.
    pub destination: Option<DestinationId>,
}

impl Place {
    /// The filter for the reader: it leaves out what cannot belong to the place.
    #[must_use]
    pub fn filter(&self) -> ConnectionFilter {
        match self.service {
            // Its connections have the addresses of their packets.
            ServiceId::Fwmark { .. } => ConnectionFilter::new(),
            // Those with data have other ports.
            ServiceId::Address { address, .. } if address.port() == FTP => ConnectionFilter::new(),
            ServiceId::Address { .. } => ConnectionFilter::new().service(self.service),
        }
    }

    /// Whether the kernel's rows cannot be told to be of this place, because it is not in the table and they
    /// have other addresses: those of their packets.
    #[must_use]
    pub fn is_hidden(&self, table: &Snapshot) -> bool {
        let has_port = match self.service {
            ServiceId::Fwmark { .. } => false,
            ServiceId::Address { address, .. } => address.port() != 0,
        };
        let Some(service) = table.service(self.service) else { return !has_port };
        self.destination.is_some_and(|it| {
            service.destination(it).is_none() && !(has_port && it.address.port() != 0)
        })
    }
}

/// Finds the connections of a place.
#[derive(Clone, Debug)]
pub struct Finder<'t> {
    place: Place,
    owners: Owners<'t>,
    /// Whether the service is not in the table.
    is_gone: bool,
}

/// How a connection belongs to a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Belonging {
    /// The destination. One that the service has not has the address of the row.
    pub destination: DestinationId,
    /// Whether the connection may as well belong to another service.
    pub is_shared: bool,
}

impl<'t> Finder<'t> {
    /// Begins to find the connections of a place in a table.
    #[must_use]
    pub fn new(place: Place, table: &'t Snapshot) -> Self {
        let is_gone = table.service(place.service).is_none();
        Self { place, owners: Owners::in_table(table), is_gone }
    }

    /// Returns how a connection belongs to the place, if it does or may.
    #[must_use]
    pub fn find(&self, connection: &Connection) -> Option<Belonging> {
        let Place { service, destination: wanted } = self.place;
        let (mut own, mut is_shared) = (None, false);
        for owner in self.owners.of(connection) {
            if owner.service == service {
                own = Some(owner.destination);
            } else {
                is_shared = true;
            }
            if own.is_some() && is_shared {
                break;
            }
        }
        if self.is_gone && connection.service() == service {
            own = Some(None);
        }
        let destination = own?.unwrap_or_else(|| connection.destination.into());
        let is_wanted = wanted.is_none_or(|wanted| wanted == destination);
        is_wanted.then_some(Belonging { destination, is_shared })
    }
}

//! Other services, through which a connection can have been made.

use crate::explain::Attempt;
use crate::model::{Destination, FTP, ServiceId, ServiceSnapshot};
use crate::procfs::Connection;

/// Another service of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Other {
    service: ServiceId,
    pub(super) is_persistent: bool,
    pub(super) destinations: Vec<Destination>,
}

impl Other {
    pub(super) fn new(snapshot: &ServiceSnapshot) -> Self {
        let destinations = snapshot.destinations.iter().map(|entry| entry.destination.clone());
        Self {
            service: snapshot.id(),
            is_persistent: snapshot.entry.service.persistence.is_some(),
            destinations: destinations.collect(),
        }
    }

    /// Whether the service can have made `row`, the connection of the attempt.
    pub(super) fn can_have_made(&self, attempt: &Attempt, row: &Connection) -> bool {
        match self.service {
            ServiceId::Fwmark { family, .. } => family == attempt.family(),
            ServiceId::Address { protocol, address } => {
                let to = row.virtual_address;
                protocol == row.protocol
                    && address.ip() == to.ip()
                    && [to.port(), FTP, 0].contains(&address.port())
            }
        }
    }
}

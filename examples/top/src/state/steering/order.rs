//! Orders, and who carries them out.

use std::time::SystemTime;

use ipvs_netlink::{DestinationId, ServiceId};
use serde::{Serialize, Serializer};

use crate::state::director::{self, Kind, Maintenance};

/// An order, and who carries it out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// Write this weight into the kernel's table, if the destination has the weight `from` still.
    Weight {
        /// The service.
        service: ServiceId,
        /// The destination.
        destination: DestinationId,
        /// The weight that the user saw.
        from: u32,
        /// The weight that the user wants.
        to: u32,
    },
    /// Set the counters of a service to 0.
    Zero(ServiceId),
    /// Give the director an order.
    Director {
        /// The order.
        order: DirectorOrder,
        /// What the user saw. If the director says something else, the order is not given.
        seen: Seen,
        /// When the maintenance that is ordered ends by itself.
        until: Option<SystemTime>,
    },
}

/// What is ordered for a destination of the director.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The maintenance. Without a name, whoever has ordered it.
    pub maintenance: Option<Maintenance>,
    /// The weight, if one is ordered.
    pub weight: Option<u32>,
}

impl Seen {
    pub(super) fn of(known: &director::Destination) -> Self {
        let weight = known.weight_ordered.then_some(known.weight);
        Self { maintenance: known.maintenance.clone(), weight }
    }

    /// Whether that is so still.
    #[must_use]
    pub fn is(&self, known: &director::Destination) -> bool {
        let same_maintenance = match (&self.maintenance, &known.maintenance) {
            (None, None) => true,
            (Some(seen), Some(known)) => {
                let same_name = seen.by.is_empty() || seen.by == known.by;
                same_name && seen.kind == known.kind && seen.until == known.until
            }
            _ => false,
        };
        same_maintenance && self.weight == Self::of(known).weight
    }
}

/// An order for the director, in the form of its protocol.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "order", rename_all = "kebab-case")]
pub enum DirectorOrder {
    /// Begin a maintenance.
    Maintain {
        /// The service.
        service: ServiceId,
        /// The destination.
        destination: DestinationId,
        /// What becomes of it.
        kind: Kind,
        /// Who orders it. `None`: the user at the other end of the socket.
        #[serde(skip_serializing_if = "Option::is_none")]
        by: Option<String>,
        /// After how many seconds it ends by itself.
        #[serde(skip_serializing_if = "Option::is_none")]
        seconds: Option<u64>,
    },
    /// End a maintenance.
    EndMaintenance {
        /// The service.
        service: ServiceId,
        /// The destination.
        destination: DestinationId,
    },
    /// Give a destination a weight.
    Weight {
        /// The service.
        service: ServiceId,
        /// The destination.
        destination: DestinationId,
        /// The weight.
        weight: OrderedWeight,
    },
}

impl DirectorOrder {
    /// The service and the destination.
    #[must_use]
    pub const fn place(&self) -> (ServiceId, DestinationId) {
        match self {
            Self::Maintain { service, destination, .. }
            | Self::EndMaintenance { service, destination }
            | Self::Weight { service, destination, .. } => (*service, *destination),
        }
    }
}

/// A weight, or that of the director's file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderedWeight {
    /// A number.
    Number(u32),
    /// That of the file.
    File,
}

impl Serialize for OrderedWeight {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Number(weight) => serializer.serialize_u32(*weight),
            Self::File => serializer.serialize_str("file"),
        }
    }
}

//! What survives a restart and no table can hold: maintenances, ordered weights, and which services
//! are the daemon's.

mod document;
mod file;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::time::SystemTime;

use ipvs_netlink::health::MaintenanceKind;
use ipvs_netlink::{DestinationId, ServiceId};

pub use document::Broken;
pub(crate) use document::GREATEST_WEIGHT;
pub use file::{LoadError, Lock, StateFile};

/// A destination of a service.
pub type Place = (ServiceId, DestinationId);

/// What the state file says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Saved {
    /// The services that the daemon has, or had, in the table.
    pub owned: BTreeSet<ServiceId>,
    /// The maintenances that operators have begun.
    pub maintenances: BTreeMap<Place, SavedMaintenance>,
    /// The weights that operators have given.
    pub weights: BTreeMap<Place, u32>,
}

/// A maintenance that an operator has begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedMaintenance {
    /// What becomes of the destination.
    pub kind: MaintenanceKind,
    /// Who has begun it.
    pub by: String,
    /// When it ends by itself; `None` if somebody must end it.
    pub until: Option<SystemTime>,
}

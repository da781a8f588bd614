//! What survives a restart and no table can hold: maintenances, ordered weights, and which services
//! are the daemon's.

mod document;
mod file;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime};

use ipvs_netlink::health::MaintenanceKind;
use ipvs_netlink::{DestinationId, ServiceId};

use crate::configuration::{Commands, SharedAddress};

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
    /// The commands that withdraw services of the daemon: a service may leave the configuration while
    /// the daemon does not run.
    pub withdrawals: BTreeMap<ServiceId, Withdrawal>,
}

/// A command that withdraws a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Withdrawal {
    /// The program and its arguments.
    pub command: Vec<String>,
    /// The longest time that the command may take.
    pub timeout: Duration,
    /// The time after which it is tried again if it failed.
    pub retry: Duration,
    /// What counts if other services have the address, too.
    pub shared_address: SharedAddress,
}

impl Withdrawal {
    /// Returns the command that withdraws a service, if it has one.
    #[must_use]
    pub fn of(commands: &Commands) -> Option<Self> {
        let Commands { unavailable, timeout, retry, shared_address, .. } = commands.clone();
        let has_one = !unavailable.is_empty();
        has_one.then_some(Self { command: unavailable, timeout, retry, shared_address })
    }

    /// Returns the commands of a service that has left the configuration.
    #[must_use]
    pub fn commands(self) -> Commands {
        let Self { command: unavailable, timeout, retry, shared_address } = self;
        Commands { available: Vec::new(), unavailable, timeout, retry, shared_address }
    }
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

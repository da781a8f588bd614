//! What the desk wants done.

use ipvs_netlink::health::probe::Probe;
use ipvs_netlink::health::{Maintenance, Watched};
use ipvs_netlink::{DestinationId, ServiceId};

use crate::configuration::Commands;
use crate::event::Event;

/// Something that the desk wants done, in the order of its effects.
#[derive(Clone, Debug)]
pub enum Effect {
    /// Watch a service, or replace what is watched of it.
    Watch(Box<Watched<Probe>>),
    /// Watch a service no more; it leaves the table.
    Forget(ServiceId),
    /// Begin a maintenance.
    Maintain(ServiceId, DestinationId, Maintenance),
    /// End a maintenance.
    EndMaintenance(ServiceId, DestinationId),
    /// Make the next checks of a destination due now.
    Hasten(DestinationId),
    /// Apply the timeouts and the synchronization daemons of the configuration.
    Settings,
    /// Announce or withdraw a service.
    Announce(Standing),
    /// Tell an event.
    Tell(Event),
}

/// What is to be announced of a service. Comes whenever it changes; the newest counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The service.
    pub service: ServiceId,
    /// Its commands. `None` if the service has none any more, or has left the table: what was
    /// announced by former ones is to be withdrawn by these.
    pub commands: Option<Commands>,
    /// Whether clients are to come.
    pub availability: Availability,
    /// The reason, in one line.
    pub reason: String,
}

/// Whether clients are to come to a service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Availability {
    /// Nothing is known yet: what an earlier run has announced stays as it is.
    #[default]
    Unknown,
    /// The pool is available, and the kernel's table has the service with a usable destination.
    Available,
    /// The service is not available, or is about to leave.
    Unavailable,
}

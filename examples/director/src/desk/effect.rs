//! What the desk wants done.

use std::time::Duration;

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
    /// Announce the service from now on by these commands; by none with `None`.
    Announce {
        /// The service.
        service: ServiceId,
        /// The commands.
        commands: Option<Commands>,
        /// How long its checks may need to find a live destination.
        settles: Duration,
    },
    /// Tell an event.
    Tell(Event),
}

//! What the desk wants done.

use std::time::Duration;

use ipvs_netlink::health::probe::Probe;
use ipvs_netlink::health::{Maintenance, Watched};
use ipvs_netlink::table::DrainPolicy;
use ipvs_netlink::{DestinationId, ServiceId};

use crate::announcement;
use crate::configuration::{Commands, Configuration};
use crate::event::Event;

/// Something that the desk wants done, in the order of its effects.
#[derive(Clone, Debug)]
pub enum Effect {
    /// Watch a service, or replace what is watched of it.
    Watch(Box<Watched<Probe>>),
    /// Watch a service no more: it is withdrawn, and leaves the table.
    Forget(ServiceId),
    /// Begin a maintenance.
    Maintain(ServiceId, DestinationId, Maintenance),
    /// End a maintenance.
    EndMaintenance(ServiceId, DestinationId),
    /// Make the next checks of a destination due now.
    Hasten(DestinationId),
    /// Keep the table this way from now on.
    Keep(Keeping),
    /// Apply the timeouts, settings and synchronization daemons of the configuration.
    ApplySettings,
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

/// How the controller keeps the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keeping {
    /// How destinations leave.
    pub drain: Option<DrainPolicy>,
    /// The time from one reading of the whole table to the next.
    pub resync: Duration,
    /// How long a service that leaves stays untouched, so that its commands can withdraw it before.
    pub hold: Duration,
}

/// The time from one reading of the whole table to the next where the file gives none.
const RESYNC: Duration = Duration::from_secs(60);

impl Keeping {
    /// Returns how a configuration wants the table kept.
    #[must_use]
    pub fn of(configuration: &Configuration) -> Self {
        let services = configuration.services.values();
        let holds = services.map(|service| announcement::hold(service.commands.as_ref()));
        Self {
            drain: configuration.drain,
            resync: configuration.resync.unwrap_or(RESYNC),
            hold: holds.max().unwrap_or_default(),
        }
    }
}

//! What the daemon knows, as a value: for the table for people, for JSON, and for events.

use std::time::SystemTime;

use ipvs_netlink::health::MaintenanceKind;
use ipvs_netlink::{DestinationId, ServiceId};

/// The state of the daemon.
#[derive(Clone, Debug, PartialEq)]
pub struct Status {
    /// When the daemon took this state.
    pub taken: SystemTime,
    /// When the daemon began.
    pub since: SystemTime,
    /// When the file was taken over last.
    pub loaded: SystemTime,
    /// What is wrong with all of it, such as a kernel without IPVS or a reload that was refused; one
    /// line each.
    pub troubles: Vec<String>,
    /// The services, in the order of their ids.
    pub services: Vec<ServiceStatus>,
}

impl Status {
    /// Keeps only what concerns this service and this destination. `None` means all.
    pub fn keep_only(&mut self, service: Option<ServiceId>, destination: Option<DestinationId>) {
        if let Some(service) = service {
            self.services.retain(|status| status.id == service);
        }
        if let Some(destination) = destination {
            for service in &mut self.services {
                service.destinations.retain(|status| status.id == destination);
            }
            self.services.retain(|service| !service.destinations.is_empty());
        }
    }
}

/// The state of a service.
#[derive(Clone, Debug, PartialEq)]
pub struct ServiceStatus {
    /// The service.
    pub id: ServiceId,
    /// Its scheduler.
    pub scheduler: String,
    /// Whether enough destinations are live.
    pub is_available: bool,
    /// Whether the kernel's table has it with a usable destination.
    pub is_serving: bool,
    /// Whether the sorry server serves.
    pub has_sorry_server: bool,
    /// The reason for the state, in one line: `2 of 3 live, quorum 1`.
    pub reason: String,
    /// What is announced: the state and the last failure of a command; empty without commands.
    pub announcement: String,
    /// The destinations, in the order of their ids.
    pub destinations: Vec<DestinationStatus>,
}

/// The state of a destination.
#[derive(Clone, Debug, PartialEq)]
pub struct DestinationStatus {
    /// The destination.
    pub id: DestinationId,
    /// Its state.
    pub state: DestinationState,
    /// Since when.
    pub since: Option<SystemTime>,
    /// What the checks say, in one line and without times: `3 of 3 failed, connection refused`.
    /// Empty if there is nothing to say.
    pub reason: String,
    /// The maintenance that an operator has ordered, whatever the checks say.
    pub maintenance: Option<MaintenanceStatus>,
    /// The weight that the file or an order gives.
    pub weight: u32,
    /// Whether an order gives the weight.
    pub is_weight_ordered: bool,
    /// The weight in the kernel's table; `None` if the destination is not there.
    pub in_table: Option<u32>,
    /// The active connections (those that carry data), and the inactive ones, at the last reading.
    pub connections: Option<(u32, u32)>,
}

/// The maintenance of a destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MaintenanceStatus {
    /// What becomes of the destination.
    pub kind: MaintenanceKind,
    /// Who has ordered it.
    pub by: String,
    /// When it ends by itself; `None` if somebody must end it.
    pub until: Option<SystemTime>,
}

/// The state of a destination, in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DestinationState {
    /// It is dead.
    Down,
    /// It is dead, and stays in rotation because too few are live.
    Kept,
    /// An operator has taken it out.
    Out,
    /// An operator drains it.
    Drained,
    /// It is not in the file any more, and its connections end.
    Leaving,
    /// No check has decided yet.
    Unknown,
    /// It is live.
    Up,
}

impl DestinationState {
    /// All states, the worst first.
    pub const ALL: [Self; 7] =
        [Self::Down, Self::Kept, Self::Out, Self::Drained, Self::Leaving, Self::Unknown, Self::Up];

    /// Returns the name for programs and people, such as `down`. It never changes.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Down => "down",
            Self::Kept => "kept",
            Self::Out => "out",
            Self::Drained => "drained",
            Self::Leaving => "leaving",
            Self::Unknown => "unknown",
            Self::Up => "up",
        }
    }
}

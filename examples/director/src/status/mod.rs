//! What the daemon knows, as a value: for the table for people, for JSON, and for events.

#[cfg(test)]
pub(crate) mod example;
pub(crate) mod json;
pub mod text;

use std::time::SystemTime;

use ipvs_netlink::health::MaintenanceKind;
use ipvs_netlink::{DestinationId, ServiceId};
use serde::{Deserialize, Serialize};

use crate::moment;

/// The state of the daemon.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// When the daemon took this state.
    #[serde(with = "moment::serde_text")]
    pub taken: SystemTime,
    /// When the daemon began.
    #[serde(with = "moment::serde_text")]
    pub since: SystemTime,
    /// When the file was taken over last.
    #[serde(with = "moment::serde_text")]
    pub loaded: SystemTime,
    /// What is wrong with all of it, such as a kernel without IPVS or a reload that was refused; one
    /// line each.
    pub troubles: Vec<String>,
    /// Whether the kernel's table could be read. If not, weights in the table and connections are not
    /// known.
    #[serde(rename = "table_read")]
    pub is_table_read: bool,
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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ServiceStatus {
    /// The service.
    #[serde(rename = "service")]
    pub id: ServiceId,
    /// Its scheduler.
    pub scheduler: String,
    /// Whether enough destinations are live.
    #[serde(rename = "available")]
    pub is_available: bool,
    /// Whether the kernel's table has it with a usable destination.
    #[serde(rename = "serving")]
    pub is_serving: bool,
    /// Whether the sorry server serves.
    #[serde(rename = "sorry_server")]
    pub has_sorry_server: bool,
    /// The reason for the state, in one line: `2 of 3 live, quorum 1`.
    pub reason: String,
    /// What is announced: the state and the last failure of a command; empty without commands.
    pub announcement: String,
    /// The destinations, in the order of their ids.
    pub destinations: Vec<DestinationStatus>,
}

/// The state of a destination.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DestinationStatus {
    /// The destination.
    #[serde(rename = "destination")]
    pub id: DestinationId,
    /// Its state.
    pub state: DestinationState,
    /// Since when.
    #[serde(with = "json::time")]
    pub since: Option<SystemTime>,
    /// What the checks say, in one line and without times: `3 of 3 failed, connection refused`.
    /// Empty if there is nothing to say.
    pub reason: String,
    /// Signs in the traffic that the destination does not work, one line each: `340 packets without an
    /// answer`.
    #[serde(default)]
    pub signs: Vec<String>,
    /// The maintenance that an operator has ordered, whatever the checks say.
    pub maintenance: Option<MaintenanceStatus>,
    /// The weight that the file or an order gives.
    pub weight: u32,
    /// Whether an order gives the weight.
    #[serde(rename = "weight_ordered")]
    pub is_weight_ordered: bool,
    /// The weight in the kernel's table; `None` if the destination is not there.
    #[serde(rename = "table_weight")]
    pub in_table: Option<u32>,
    /// The connections at the last reading.
    pub connections: Option<Connections>,
}

/// The connections of a destination.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connections {
    /// The number of those that carry data.
    pub active: u32,
    /// The number of the others, which are about to end or have just begun.
    pub inactive: u32,
}

/// The maintenance of a destination.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MaintenanceStatus {
    /// What becomes of the destination.
    #[serde(with = "json::kind")]
    pub kind: MaintenanceKind,
    /// Who has ordered it.
    pub by: String,
    /// When it ends by itself; `None` if somebody must end it.
    #[serde(with = "json::time")]
    pub until: Option<SystemTime>,
}

/// The state of a destination, in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
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
    /// It is live.
    Up,
    /// No check has decided yet. A reader takes a state that it does not know for this one.
    #[serde(other)]
    Unknown,
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

//! What the daemon knows, as a value: for the table for people, for JSON, and for events.

use std::time::SystemTime;

use ipvs_netlink::{DestinationId, ServiceId};

/// The state of the daemon.
#[derive(Clone, Debug, PartialEq)]
pub struct Status {
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
    /// The reason for the state, in one line.
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
    /// The reason, in one line: `3 of 3 failed, connection refused`.
    pub reason: String,
    /// The weight that the file or an order gives.
    pub weight: u32,
    /// Whether an order gives the weight.
    pub is_weight_ordered: bool,
    /// The weight in the kernel's table; `None` if the destination is not there.
    pub in_table: Option<u32>,
    /// The connections that carry data, and the others.
    pub connections: Option<(u32, u32)>,
}

/// The state of a destination, in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DestinationState {
    /// No check has decided yet.
    Unknown,
    /// It is live.
    Up,
    /// It is dead.
    Down,
    /// It is dead, and stays in rotation because too few are live.
    Kept,
    /// An operator drains it.
    Drained,
    /// An operator has taken it out.
    Out,
    /// It is not in the file any more, and its connections end.
    Leaving,
}

//! The orders and answers on the control socket, as values.

use std::time::Duration;

use ipvs_netlink::health::MaintenanceKind;
use ipvs_netlink::{DestinationId, ServiceId};

use crate::status::Status;

/// The version of the protocol that this program speaks.
pub const VERSION: u32 = 1;

/// What a client wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// Tell the state.
    Status {
        /// The service. `None` for all.
        service: Option<ServiceId>,
        /// The destination. `None` for all.
        destination: Option<DestinationId>,
    },
    /// Tell each event, until the client closes the connection.
    Events {
        /// Whether the current state of each service and destination comes before the events.
        states: bool,
    },
    /// Read the file again.
    Reload,
    /// Begin a maintenance of a destination, in one service or in all that have it.
    Maintain {
        /// The service. `None` for all.
        service: Option<ServiceId>,
        /// The destination.
        destination: DestinationId,
        /// Whether connections continue (`drain`) or the destination leaves the table (`out`).
        kind: MaintenanceKind,
        /// Who orders it, for people. Never empty: the socket's server fills in the peer's user.
        by: String,
        /// How long it lasts. `None`: until it is ended.
        lasts: Option<Duration>,
    },
    /// End a maintenance.
    EndMaintenance {
        /// The service. `None` for all.
        service: Option<ServiceId>,
        /// The destination.
        destination: DestinationId,
    },
    /// Give a destination another weight than the file does, or with `None` that of the file.
    Weight {
        /// The service. `None` for all.
        service: Option<ServiceId>,
        /// The destination.
        destination: DestinationId,
        /// The weight.
        weight: Option<u32>,
    },
    /// Make the next checks of a destination due now.
    CheckNow(DestinationId),
}

impl Order {
    /// Returns `true` if the state file is to have what the order changes.
    #[must_use]
    pub const fn is_saved(&self) -> bool {
        self.changes() && !matches!(self, Self::CheckNow(_))
    }

    /// Returns `true` if the order changes what the daemon does.
    #[must_use]
    pub const fn changes(&self) -> bool {
        !matches!(self, Self::Status { .. } | Self::Events { .. })
    }
}

impl Answer {
    /// Says that an order is carried out, and needs no place in the state file or has it.
    #[must_use]
    pub const fn done(lines: Vec<String>) -> Self {
        Self::Done { lines, not_saved: None }
    }
}

/// What the daemon answers.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// The state.
    Status(Box<Status>),
    /// The order is carried out.
    Done {
        /// What was done, one line each.
        lines: Vec<String>,
        /// Why the state file does not have it, so that a restart forgets it. `None` if it has.
        not_saved: Option<String>,
    },
    /// The order is refused, and nothing has changed. The texts say why, one line each.
    Refused(Vec<String>),
}

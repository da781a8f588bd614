use std::fmt;
use std::time::Instant;

use crate::model::{Connections, DestinationId, ServiceId};

/// A destination that drains. See [`Controller::drains`](crate::table::controller::Controller::drains).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DrainStatus {
    /// The service.
    pub service: ServiceId,
    /// The destination.
    pub destination: DestinationId,
    /// The time at which the drain began.
    pub begun: Instant,
    /// The time at which the destination is deleted in any case, if there is one.
    pub deadline: Option<Instant>,
    /// The connections at the last reading.
    pub connections: Connections,
}

impl fmt::Display for DrainStatus {
    /// Prints the destination and its connections, such as
    /// `TCP 192.0.2.10:80 -> 10.0.0.2:8080 active 3 inactive 1 persistent 0`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} -> {} {}", self.service, self.destination, self.connections)
    }
}

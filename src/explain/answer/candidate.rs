//! What a scheduler considers: destinations, and slots that belong to them.

use std::fmt;

use crate::explain::Availability;
use crate::model::{Connections, DestinationId};

/// A slot of the table of `sh`, `dh` or `mh`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Slot {
    /// The number of the slot, from 0.
    pub number: usize,
    /// The number of slots of the table.
    pub of: usize,
    /// The destination that owns the slot, or `None` if the slot is empty.
    pub owner: Option<DestinationId>,
    /// Whether the owner takes new connections. If not, a fallback has decided, or the connection
    /// is refused.
    pub availability: Availability,
}

impl fmt::Display for Slot {
    /// `slot 17 of 256, which belongs to 10.0.0.2:80 (weight 0)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "slot {} of {}", self.number, self.of)?;
        match (self.owner, self.availability) {
            (None, _) => f.write_str(", which is empty"),
            (Some(owner), Availability::Available) => write!(f, ", which belongs to {owner}"),
            (Some(owner), other) => write!(f, ", which belongs to {owner} ({other})"),
        }
    }
}

/// A destination that a scheduler considers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Candidate {
    /// The destination.
    pub id: DestinationId,
    /// The weight.
    pub weight: u32,
    /// The connections.
    pub connections: Connections,
    /// Whether the scheduler takes the destination.
    pub availability: Availability,
    /// How many slots of the table the destination owns. `None` if the scheduler has no table, or
    /// if the table is unknown.
    pub slots: Option<usize>,
}

impl fmt::Display for Candidate {
    /// `10.0.0.2:80 weight 1, active 2 inactive 0 persistent 0, 86 slots`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} weight {}, {}", self.id, self.weight, self.connections)?;
        if let Some(slots) = self.slots {
            write!(f, ", {slots} slots")?;
        }
        match self.availability {
            Availability::Available | Availability::Quiesced => Ok(()),
            other => write!(f, ", {other}"),
        }
    }
}

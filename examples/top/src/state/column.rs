use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use crate::state::Row;

/// A column of the overview, by which its rows are sorted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Column {
    /// The identity of the service.
    Service,
    /// The scheduler.
    Scheduler,
    /// Destinations that take connections.
    Up,
    /// Destinations of weight 0.
    Drained,
    /// Destinations that have reached their upper threshold.
    Overloaded,
    /// Destinations that the director's checks call dead.
    Dead,
    /// Active connections.
    Active,
    /// Inactive connections.
    Inactive,
    /// New connections per second.
    #[default]
    Connections,
    /// Packets from clients per second.
    IncomingPackets,
    /// Packets to clients per second.
    OutgoingPackets,
    /// Bytes from clients per second.
    IncomingBytes,
    /// Bytes to clients per second.
    OutgoingBytes,
    /// All connections that were counted.
    Counted,
}

impl Column {
    /// All columns, in the order of the screen.
    pub const ALL: [Self; 14] = [
        Self::Service,
        Self::Scheduler,
        Self::Up,
        Self::Drained,
        Self::Overloaded,
        Self::Dead,
        Self::Active,
        Self::Inactive,
        Self::Connections,
        Self::IncomingPackets,
        Self::OutgoingPackets,
        Self::IncomingBytes,
        Self::OutgoingBytes,
        Self::Counted,
    ];

    /// The name on the command line and in the remembered file.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Service => "service",
            Self::Scheduler => "scheduler",
            Self::Up => "up",
            Self::Drained => "drained",
            Self::Overloaded => "overloaded",
            Self::Dead => "dead",
            Self::Active => "active",
            Self::Inactive => "inactive",
            Self::Connections => "connections",
            Self::IncomingPackets => "incoming-packets",
            Self::OutgoingPackets => "outgoing-packets",
            Self::IncomingBytes => "incoming-bytes",
            Self::OutgoingBytes => "outgoing-bytes",
            Self::Counted => "counted",
        }
    }

    /// The column to the right or to the left, around the ends.
    #[must_use]
    pub fn beside(self, right: bool) -> Self {
        let count = Self::ALL.len();
        let at = Self::ALL.iter().position(|it| *it == self).unwrap_or_default();
        let at = if right { at + 1 } else { at + count - 1 } % count;
        Self::ALL.get(at).copied().unwrap_or_default()
    }

    /// Whether large values come first when the column is chosen.
    #[must_use]
    pub const fn descends(self) -> bool {
        !matches!(self, Self::Service | Self::Scheduler)
    }

    /// Compares two rows, the smaller value first. Rows without a rate are the smallest.
    #[must_use]
    pub fn compare(self, one: &Row, other: &Row) -> Ordering {
        let rate = |row: &Row| {
            let speed = row.speed?;
            Some(match self {
                Self::IncomingPackets => speed.incoming_packets,
                Self::OutgoingPackets => speed.outgoing_packets,
                Self::IncomingBytes => speed.incoming_bytes,
                Self::OutgoingBytes => speed.outgoing_bytes,
                _ => speed.connections,
            })
        };
        match self {
            Self::Service => one.id.cmp(&other.id),
            Self::Scheduler => one.scheduler.cmp(&other.scheduler),
            Self::Up => one.count.up.cmp(&other.count.up),
            Self::Drained => one.count.drained.cmp(&other.count.drained),
            Self::Overloaded => one.count.overloaded.cmp(&other.count.overloaded),
            Self::Dead => one.count.dead.cmp(&other.count.dead),
            Self::Active => one.active.cmp(&other.active),
            Self::Inactive => one.inactive.cmp(&other.inactive),
            Self::Counted => one.stats.connections.cmp(&other.stats.connections),
            Self::Connections
            | Self::IncomingPackets
            | Self::OutgoingPackets
            | Self::IncomingBytes
            | Self::OutgoingBytes => match (rate(one), rate(other)) {
                (Some(one), Some(other)) => one.total_cmp(&other),
                (one, other) => one.is_some().cmp(&other.is_some()),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_go_around() {
        let mut column = Column::Service;
        for _ in Column::ALL {
            assert_eq!(column.beside(true).beside(false), column);
            column = column.beside(true);
        }
        assert_eq!(column, Column::Service);
        assert_eq!(column.beside(false), Column::Counted);
        for column in Column::ALL {
            assert_eq!(serde_json::to_value(column).unwrap(), column.name());
        }
    }
}

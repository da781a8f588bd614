use std::iter::Sum;

use crate::model::Stats;

/// What was counted between two readings. See [`Grown`](crate::growth::Grown).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Counted {
    /// Scheduled connections.
    pub connections: u64,
    /// Packets from clients.
    pub incoming_packets: u64,
    /// Packets to clients. With direct routing and tunnels the answers do not pass through this host.
    pub outgoing_packets: u64,
    /// Bytes from clients.
    pub incoming_bytes: u64,
    /// Bytes to clients.
    pub outgoing_bytes: u64,
}

impl Counted {
    pub(super) const fn of(stats: &Stats) -> Self {
        Self {
            connections: stats.connections,
            incoming_packets: stats.incoming_packets,
            outgoing_packets: stats.outgoing_packets,
            incoming_bytes: stats.incoming_bytes,
            outgoing_bytes: stats.outgoing_bytes,
        }
    }
}

impl Sum for Counted {
    /// Adds each number. A sum over 2^64 - 1 stays there.
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), |sum, it| Self {
            connections: sum.connections.saturating_add(it.connections),
            incoming_packets: sum.incoming_packets.saturating_add(it.incoming_packets),
            outgoing_packets: sum.outgoing_packets.saturating_add(it.outgoing_packets),
            incoming_bytes: sum.incoming_bytes.saturating_add(it.incoming_bytes),
            outgoing_bytes: sum.outgoing_bytes.saturating_add(it.outgoing_bytes),
        })
    }
}

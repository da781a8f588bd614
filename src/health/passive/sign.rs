use std::fmt;

use crate::model::{DestinationId, ServiceId};

/// A sign in the traffic that a destination does not work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Sign {
    /// Clients open TCP connections, and none is established.
    #[non_exhaustive]
    HalfOpen {
        /// The number of connections in the state `SYN_RECV`.
        connections: u64,
    },
    /// Packets go to the destination, and none comes back.
    #[non_exhaustive]
    NoAnswers {
        /// The number of packets since the last answer, as far as readings show it.
        packets: u64,
    },
}

impl Sign {
    /// Returns the name for programs: `half_open` or `no_answers`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::HalfOpen { .. } => "half_open",
            Self::NoAnswers { .. } => "no_answers",
        }
    }
}

impl fmt::Display for Sign {
    /// `12 connections half open, none established`, or `340 packets without an answer`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::HalfOpen { connections } => {
                write!(f, "{connections} connections half open, none established")
            }
            Self::NoAnswers { packets } => write!(f, "{packets} packets without an answer"),
        }
    }
}

/// The beginning or the end of a sign. See [`PassiveSigns::observe`](super::PassiveSigns::observe).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct SignChange {
    /// The service.
    pub service: ServiceId,
    /// The destination.
    pub destination: DestinationId,
    /// The sign; at its end as it was last.
    pub sign: Sign,
    /// `true` if the sign has begun, `false` if it is over.
    pub begins: bool,
}

impl fmt::Display for SignChange {
    /// `TCP 192.0.2.10:80 -> 10.0.0.2:8080: 12 connections half open, none established`, with `no longer: `
    /// before the sign if it is over.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { service, destination, sign, begins } = self;
        let over = if *begins { "" } else { "no longer: " };
        write!(f, "{service} -> {destination}: {over}{sign}")
    }
}

//! What the socket's server refuses by itself, before the daemon learns of it.

use thiserror::Error;

use crate::control::protocol::VERSION;
use crate::control::request::ORDERS;

/// Why a request came to nothing.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Problem {
    /// The line is no request.
    #[error("the request is malformed: {0}")]
    Malformed(String),
    /// The line is longer than a request may be.
    #[error("the request is longer than {0} bytes")]
    TooLong(usize),
    /// No whole request came in time.
    #[error("no whole request came within {0} s")]
    TooSlow(u64),
    /// The client speaks another version of the protocol.
    #[error("version {0} of the protocol is not spoken here, only version {VERSION}")]
    UnknownVersion(u32),
    /// This version of the protocol has no such order.
    #[error("there is no order {0}; the orders are {list}", list = ORDERS.join(", "))]
    UnknownOrder(String),
    /// The socket is for reading only.
    #[error("this socket takes no order that changes something; use the control socket")]
    NotAllowed,
    /// As many clients as may be are connected.
    #[error("too many clients are connected: {0}")]
    Busy(&'static str),
    /// The daemon ends, so it is not known whether the order was carried out.
    #[error("the daemon ends, and did not say whether the order was carried out")]
    Stopping,
    /// The daemon did not answer in time, so it is not known whether the order was carried out.
    #[error("the daemon did not say within {0} s whether the order was carried out")]
    NoAnswer(u64),
    /// The answer is too large.
    #[error("the answer is longer than {0} bytes: ask for one service")]
    TooLarge(usize),
}

impl Problem {
    pub(crate) fn missing(key: &str) -> Self {
        Self::Malformed(format!("the key {key} is missing"))
    }

    pub(crate) fn wrong(key: &str, expected: &str) -> Self {
        Self::Malformed(format!("the key {key} must be {expected}"))
    }

    /// Returns the name on the wire. It never changes.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "malformed",
            Self::TooLong(_) => "too-long",
            Self::TooSlow(_) => "too-slow",
            Self::UnknownVersion(_) => "unknown-version",
            Self::UnknownOrder(_) => "unknown-order",
            Self::NotAllowed => "not-allowed",
            Self::Busy(_) => "busy",
            Self::Stopping => "stopping",
            Self::NoAnswer(_) => "no-answer",
            Self::TooLarge(_) => "too-large",
        }
    }

    /// Returns `true` if the server closes the connection, because it cannot tell where the next
    /// request begins, or does not want to wait for one.
    #[must_use]
    pub const fn ends_connection(&self) -> bool {
        matches!(self, Self::TooLong(_) | Self::TooSlow(_) | Self::Busy(_) | Self::Stopping)
    }
}

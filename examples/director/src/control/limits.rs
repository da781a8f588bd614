//! What clients of the control socket may use. `PROTOCOL.md` tells them.

use std::time::Duration;

/// What clients of the control socket may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The most bytes of a request, without its end.
    pub request: usize,
    /// The most bytes of an answer.
    pub answer: usize,
    /// The time for a whole request, from the connection or from the last answer.
    pub request_time: Duration,
    /// The time in which the daemon must answer.
    pub answer_time: Duration,
    /// The time in which a client must read an answer, or make room for the next event.
    pub stall: Duration,
    /// The connections that are kept for root and the user of the daemon.
    pub own: usize,
    /// The connections of all other users.
    pub others: usize,
    /// The connections of one other user.
    pub each: usize,
    /// How many of the connections of a user may follow events. For root and the user of the daemon
    /// together.
    pub followers: usize,
    /// How many answers to `status` one user may have at a time. For root and the user of the daemon
    /// together.
    pub states: usize,
    /// The least time between two orders of another user.
    pub pause: Duration,
}

impl Limits {
    /// The limits of the daemon.
    pub const DAEMON: Self = Self {
        request: 4096,
        answer: 64 << 20,
        request_time: Duration::from_secs(10),
        answer_time: Duration::from_secs(60),
        stall: Duration::from_secs(60),
        own: 16,
        others: 48,
        each: 16,
        followers: 8,
        states: 2,
        pause: Duration::from_millis(20),
    };
}

impl Default for Limits {
    fn default() -> Self {
        Self::DAEMON
    }
}

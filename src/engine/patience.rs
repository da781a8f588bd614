use std::time::{Duration, Instant};

use crate::engine::Transport;
use crate::error::Failure;

/// The deadline for one answer, and whether datagrams were lost while waiting for it.
///
/// The time starts with the first wait. Most answers are there at once, so most operations never
/// read the clock.
#[derive(Debug)]
pub(crate) struct Patience {
    limit: Option<Duration>,
    until: Option<Instant>,
    overflowed: bool,
}

impl Patience {
    pub(crate) const fn new(limit: Option<Duration>) -> Self {
        Self { limit, until: None, overflowed: false }
    }

    /// Notes that the receive buffer overflowed.
    pub(super) const fn note_overflow(&mut self) {
        self.overflowed = true;
    }

    /// Returns [`Failure::Overflow`], once, if the receive buffer overflowed.
    pub(crate) const fn take_overflow(&mut self) -> Result<(), Failure> {
        match std::mem::replace(&mut self.overflowed, false) {
            true => Err(Failure::Overflow),
            false => Ok(()),
        }
    }

    /// Returns the time of the deadline. `None` waits without end.
    pub(super) fn until(&mut self, transport: &impl Transport) -> Option<Instant> {
        if self.until.is_none() {
            self.until = self.limit.and_then(|limit| transport.now().checked_add(limit));
        }
        self.until
    }
}

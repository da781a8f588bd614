//! Faults, and what runs between two requests.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use crate::fake::{Errno, Kernel, Request};

/// Something that goes wrong with one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The kernel refuses the request with this error and does nothing. A real kernel could
    /// refuse any request with `ENOMEM`, and without privilege with `EPERM`.
    Refused(Errno),
    /// The kernel executes the request, and the answer never comes. The rest of a dump does not
    /// come either.
    AnswerLost,
    /// The kernel executes the request, but the receive buffer has no room for the answer. The
    /// next receive fails with `ENOBUFS`, and until the socket is empty all answers are dropped.
    Overflow,
    /// The kernel executes the request, and half of each datagram of the answer is received.
    Truncated,
    /// The request takes so long: the clock moves on before the kernel executes the request. In
    /// real time, the sending thread sleeps.
    Latency(Duration),
    /// The datagram cannot be sent: `send` fails with this error, and the kernel executes neither
    /// this request nor those after it in the datagram. Requests before it were executed, so this
    /// is best for the first request of a datagram.
    NotSent(Errno),
}

pub(super) type Hook = Box<dyn FnOnce(&Kernel) + Send>;
pub(super) type Interceptor = Box<dyn FnMut(&Kernel, &Request) -> Option<Fault> + Send>;

/// What happens before one request.
pub(super) enum Event {
    Fault(Fault),
    Hook(Hook),
}

/// What happens at requests that are still to come.
#[derive(Default)]
pub(super) struct Faults {
    /// How many requests have come.
    pub(super) requests: u64,
    due: BTreeMap<u64, Vec<Event>>,
    pub(super) interceptor: Option<Interceptor>,
    /// How many interceptors there have been.
    pub(super) interceptors: u64,
}

impl Faults {
    /// Plans an event for the `nth` request from now, of which 1 is the next.
    pub(super) fn plan(&mut self, nth: u64, event: Event) {
        let number = self.requests.saturating_add(nth.max(1));
        self.due.entry(number).or_default().push(event);
    }

    /// Whether nothing can happen to the next request.
    pub(super) fn are_none(&self) -> bool {
        self.due.is_empty() && self.interceptor.is_none()
    }

    /// Counts a request.
    pub(super) const fn count(&mut self) {
        self.requests += 1;
    }

    /// What was planned for the request that was counted last.
    pub(super) fn take_due(&mut self) -> Vec<Event> {
        self.due.remove(&self.requests).unwrap_or_default()
    }
}

impl fmt::Debug for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut faults = f.debug_struct("Faults");
        faults.field("requests", &self.requests).field("planned", &self.due.len());
        faults.field("intercepted", &self.interceptor.is_some()).finish_non_exhaustive()
    }
}

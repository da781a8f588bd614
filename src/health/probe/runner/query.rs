//! What a program asks the thread.

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use crate::health::probe::Probe;
use crate::health::{Monitor, ServiceStatus};
use crate::model::ServiceId;

/// About so many destinations are described at once. Checks begin and end in between.
const PORTION: usize = 100;

type Statuses = Vec<ServiceStatus<Probe>>;

/// The answer to [`Runner::status`](crate::health::probe::Runner::status): what is known of the
/// services, in the order of their ids.
///
/// Await it in any runtime, or wait for it [on a thread](Self::within).
#[must_use = "a status is asked for to be read"]
pub struct StatusAnswer(oneshot::Receiver<Statuses>);

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StatusError {
    /// The thread of the runner has ended.
    #[error("the thread of the checks has ended")]
    Ended,
    /// The thread has not answered in time: a check of the program's own may block it. See
    /// [`RunnerStats::silent`](crate::health::probe::RunnerStats::silent).
    #[error("the thread of the checks has not answered in time")]
    TimedOut,
}

impl StatusAnswer {
    pub(super) fn new(service: Option<ServiceId>, order: impl FnOnce(Query)) -> Self {
        let (reply, answer) = oneshot::channel();
        order(Query { service, reply });
        Self(answer)
    }

    /// Waits for the answer on this thread, at most so long.
    ///
    /// # Errors
    ///
    /// The thread of the runner has ended, or does not answer in time.
    pub fn within(mut self, timeout: Duration) -> Result<Vec<ServiceStatus<Probe>>, StatusError> {
        let begin = Instant::now();
        let waker = Waker::from(Arc::new(Unpark(thread::current())));
        let mut context = Context::from_waker(&waker);
        loop {
            if let Poll::Ready(answer) = Pin::new(&mut self).poll(&mut context) {
                return answer;
            }
            match timeout.saturating_sub(begin.elapsed()) {
                Duration::ZERO => return Err(StatusError::TimedOut),
                left => thread::park_timeout(left),
            }
        }
    }
}

impl Future for StatusAnswer {
    type Output = Result<Vec<ServiceStatus<Probe>>, StatusError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context).map(|answer| answer.map_err(|_| StatusError::Ended))
    }
}

impl fmt::Debug for StatusAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StatusAnswer").finish_non_exhaustive()
    }
}

/// Wakes the thread that waits.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// What a program asks for.
pub(super) struct Query {
    /// `None` for all services.
    service: Option<ServiceId>,
    reply: oneshot::Sender<Statuses>,
}

/// The questions that are not answered yet, in their order.
#[derive(Default)]
pub(super) struct Queries {
    open: VecDeque<Query>,
    /// What the first one has got so far.
    statuses: Statuses,
}

impl Queries {
    pub(super) fn add(&mut self, query: Query) {
        self.open.push_back(query);
    }

    pub(super) fn are_open(&self) -> bool {
        !self.open.is_empty()
    }

    /// Describes some services.
    pub(super) fn answer(&mut self, monitor: &Monitor<Probe>, now: Instant) {
        let mut described = 0;
        while described < PORTION {
            let Some(query) = self.open.front() else { return };
            let last = self.statuses.last().map(|status| status.pool.service);
            let next = match query.service {
                // The program does not wait any more.
                _ if query.reply.is_closed() => None,
                Some(service) => Some(service).filter(|_| last.is_none()),
                None => monitor.service_after(last),
            };
            let status = next.and_then(|service| monitor.service_status(service, now));
            let Some(status) = status else {
                let statuses = std::mem::take(&mut self.statuses);
                if let Some(query) = self.open.pop_front() {
                    let _ = query.reply.send(statuses);
                }
                continue;
            };
            described += 1 + status.pool.members.len();
            self.statuses.push(status);
        }
    }
}

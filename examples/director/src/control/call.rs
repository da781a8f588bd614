//! An order on its way to the daemon, with the place for the answer.

use tokio::sync::{broadcast, mpsc, oneshot};

use crate::control::protocol::{Answer, Order};
use crate::event::Event;

/// An order on its way to the daemon.
#[derive(Debug)]
pub struct Call {
    /// The order. [`Order::Events`] never comes here: the server answers it by the events that the
    /// daemon sends to all, after those of a [`Order::Status`].
    pub order: Order,
    /// Who is at the other end of the socket, such as `root (process 4711)`.
    pub by: String,
    /// Where the answer goes.
    pub reply: Reply,
}

/// The most calls that wait for the daemon. A server that cannot send waits.
pub const MOST_WAITING: usize = 64;

/// The sender of calls, for the server.
pub type Calls = mpsc::Sender<Call>;

/// Takes the answer to a [`Call`]. Dropping it tells the client that the daemon stops.
#[derive(Debug)]
pub struct Reply {
    sender: oneshot::Sender<Replied>,
    /// For a client that follows the events.
    events: Option<broadcast::Sender<Event>>,
}

/// An answer, and the events after it for a client that follows them.
pub type Replied = (Answer, Option<broadcast::Receiver<Event>>);

impl Reply {
    /// Creates the place for an answer. With `events`, the events after the answer come with it.
    #[must_use]
    pub fn new(events: Option<broadcast::Sender<Event>>) -> (Self, oneshot::Receiver<Replied>) {
        let (sender, receiver) = oneshot::channel();
        (Self { sender, events }, receiver)
    }

    /// Answers. The daemon does not mind if nobody waits any more.
    ///
    /// A client that follows the events gets those that are sent after this call. The states in the
    /// answer and the events have no gap and no overlap, because one task answers and sends the
    /// events.
    pub fn send(self, answer: Answer) {
        let events = self.events.map(|events| events.subscribe());
        self.sender.send((answer, events)).ok();
    }
}

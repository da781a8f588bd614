//! An order on its way to the daemon, with the place for the answer.

use tokio::sync::{mpsc, oneshot};

use crate::control::protocol::{Answer, Order};

/// An order on its way to the daemon.
#[derive(Debug)]
pub struct Call {
    /// The order. [`Order::Events`] never comes here: the server answers it by the events that the
    /// daemon sends to all.
    pub order: Order,
    /// Who is at the other end of the socket, such as `root (process 4711)`.
    pub by: String,
    /// Where the answer goes. The daemon does not mind if nobody waits any more.
    pub reply: oneshot::Sender<Answer>,
}

/// The most calls that wait for the daemon. A server that cannot send waits.
pub const MOST_WAITING: usize = 64;

/// The sender of calls, for the server.
pub type Calls = mpsc::Sender<Call>;

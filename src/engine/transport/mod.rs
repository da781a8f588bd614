//! How the engine sends and receives: one socket type for each kind of client.

mod blocking;
#[cfg(feature = "smol")]
mod smol;
#[cfg(feature = "tokio")]
mod tokio;

use std::future::{Future, poll_fn};
use std::task::Poll;
use std::time::{Duration, Instant};

pub(crate) use blocking::{BlockingSocket, ready};
#[cfg(feature = "smol")]
pub(crate) use smol::SmolSocket;
#[cfg(feature = "tokio")]
pub(crate) use tokio::TokioSocket;

use crate::engine::channel::Channel;
use crate::error::Failure;

/// A netlink socket, a way to wait for it, and a clock. Over a fake kernel with a virtual clock,
/// waiting moves that clock.
///
/// The kernel executes a request inside `send`, so the answer is normally there when `send`
/// returns. The engine therefore tries to receive first and rarely waits.
///
/// The futures are `Send` and `Sync`, because the streams of the clients contain them.
pub(crate) trait Transport: Sized {
    /// Whether other tasks run on the thread of this transport. If so, the engine yields now and
    /// then, even if there is nothing to wait for.
    const SHARES_THREAD: bool = false;

    /// Takes over a connected socket.
    fn new(channel: Channel) -> Result<Self, Failure>;

    /// Sends a datagram to the kernel. The kernel executes the datagram before this returns.
    fn send(&self, datagram: &[u8]) -> Result<(), Failure>;

    /// Receives a datagram into the spare capacity of `buffer` if one is there, otherwise fails
    /// with [`Failure::Empty`]. Returns the length of the datagram, which exceeds that of
    /// `buffer` if the datagram did not fit.
    fn try_receive(&self, buffer: &mut Vec<u8>) -> Result<usize, Failure>;

    /// Waits until a datagram is there. Fails with [`Failure::DeadlineExceeded`] at the time
    /// `until`.
    fn readable(
        &self,
        until: Option<Instant>,
    ) -> impl Future<Output = Result<(), Failure>> + Send + Sync;

    /// Reads the clock that [`readable`](Self::readable) and [`sleep`](Self::sleep) use. The
    /// engine and the layers above it read no other clock.
    fn now(&self) -> Instant {
        Instant::now()
    }

    /// Waits for `time`.
    fn sleep(&self, time: Duration) -> impl Future<Output = Result<(), Failure>> + Send + Sync;
}

/// Yields to other tasks once.
pub(super) async fn yield_now() {
    let mut yielded = false;
    poll_fn(|context| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

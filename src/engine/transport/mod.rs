//! How an engine sends and receives: one socket type for each kind of client.

mod blocking;
#[cfg(feature = "smol")]
mod smol;
#[cfg(feature = "tokio")]
mod tokio;

use std::future::Future;
use std::io;
use std::time::{Duration, Instant};

use netlink_sys::Socket;

pub(crate) use blocking::{BlockingSocket, ready};
#[cfg(feature = "smol")]
pub(crate) use smol::SmolSocket;
#[cfg(feature = "tokio")]
pub(crate) use tokio::TokioSocket;

/// A netlink socket as the engine needs it.
///
/// The kernel executes requests inside `send`, so the answer is normally there
/// when it returns: receiving is tried first, and waiting is the exception.
pub(crate) trait Transport: Sized {
    /// Whether other tasks want to run on this thread: then the engine lets them, now
    /// and then, though it need not wait for anything.
    const SHARES_THREAD: bool = false;

    /// Takes a connected socket.
    fn new(socket: Socket) -> io::Result<Self>;

    /// Sends a datagram to the kernel, which executes it before this returns.
    fn send(&self, datagram: &[u8]) -> io::Result<()>;

    /// Takes a datagram into the spare capacity of `buffer`, if there is one
    /// (`WouldBlock` if not). Returns its true length, which is more than what is
    /// in `buffer` when it did not fit.
    fn try_receive(&self, buffer: &mut Vec<u8>) -> io::Result<usize>;

    /// Waits until there is a datagram, or until the time has come (`TimedOut`).
    fn readable(
        &self,
        until: Option<Instant>,
    ) -> impl Future<Output = io::Result<()>> + Send + Sync;

    /// Reads the clock that [`readable`](Self::readable) and [`sleep`](Self::sleep) go by. The
    /// engine and what is built on it read no other clock.
    fn now(&self) -> Instant {
        Instant::now()
    }

    /// Waits for `time`.
    fn sleep(&self, time: Duration) -> impl Future<Output = io::Result<()>> + Send + Sync;
}

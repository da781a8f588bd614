//! What is beneath a transport: a netlink socket, or a socket of a fake kernel.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::time::{Duration, Instant};

use netlink_sys::Socket;
use rustix::buffer::spare_capacity;
#[cfg(feature = "fake")]
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, recv, send};

use crate::error::Failure;
#[cfg(feature = "fake")]
use crate::fake;

/// Receives a datagram into the spare capacity of `buffer` if one is there. Returns its length,
/// also if it did not fit.
#[inline]
pub(super) fn receive(socket: &Socket, buffer: &mut Vec<u8>) -> Result<usize, Failure> {
    let flags = RecvFlags::DONTWAIT | RecvFlags::TRUNC;
    let received = recv(socket, spare_capacity(buffer), flags);
    let (_, length) = received.map_err(Failure::to_receive)?;
    Ok(length)
}

/// A connected socket.
#[derive(Debug)]
pub(crate) enum Channel {
    /// To the kernel.
    Kernel(Socket),
    /// To a fake kernel.
    #[cfg(feature = "fake")]
    Fake(fake::Socket),
}

impl From<Socket> for Channel {
    fn from(socket: Socket) -> Self {
        Self::Kernel(socket)
    }
}

impl Channel {
    /// Sends a datagram to the kernel. `clock` is that of the transport.
    #[inline]
    pub(super) fn send(
        &self,
        datagram: &[u8],
        clock: impl FnOnce() -> Instant,
    ) -> Result<(), Failure> {
        match self {
            Self::Kernel(socket) => {
                drop(clock);
                send(socket, datagram, SendFlags::empty())?;
                Ok(())
            }
            #[cfg(feature = "fake")]
            Self::Fake(socket) => {
                socket.send_at(datagram, clock).map_err(|errno| errno_of(errno).into())
            }
        }
    }

    /// Receives a datagram like [`receive`]. `clock` is that of the transport.
    #[inline]
    pub(super) fn receive(
        &self,
        buffer: &mut Vec<u8>,
        clock: impl FnOnce() -> Instant,
    ) -> Result<usize, Failure> {
        match self {
            Self::Kernel(socket) => {
                drop(clock);
                receive(socket, buffer)
            }
            #[cfg(feature = "fake")]
            Self::Fake(socket) => {
                let received = socket.receive_into(buffer, clock);
                received.map_err(|errno| Failure::to_receive(errno_of(errno)))
            }
        }
    }
}

/// Time on the virtual clock of a fake kernel.
#[cfg(feature = "fake")]
impl Channel {
    fn with_virtual_clock(&self) -> Option<&fake::Socket> {
        match self {
            Self::Fake(socket) if socket.kernel().is_virtual() => Some(socket),
            _ => None,
        }
    }

    /// Returns the time of a virtual clock, or `None` if time is the transport's.
    pub(super) fn virtual_now(&self) -> Option<Instant> {
        self.with_virtual_clock().map(|socket| socket.kernel().now())
    }

    /// Waits for `time` on a virtual clock. Returns `false` if time is the transport's.
    pub(super) fn virtual_sleep(&self, time: Duration) -> bool {
        let Some(socket) = self.with_virtual_clock() else { return false };
        if let Some(until) = socket.kernel().now().checked_add(time) {
            socket.kernel().wait_until(until);
        }
        true
    }

    /// Waits on a virtual clock for a datagram: one is there, or none comes. Returns `None` if
    /// waiting is the transport's, because time is, or because the wait has no end.
    pub(super) fn virtual_wait(&self, until: Option<Instant>) -> Option<Result<(), Failure>> {
        let Self::Fake(socket) = self else { return None };
        match until {
            Some(until) if socket.kernel().is_virtual() => {
                if socket.is_readable() {
                    return Some(Ok(()));
                }
                socket.kernel().wait_until(until);
                Some(Err(Failure::DeadlineExceeded))
            }
            _ => {
                socket.watch();
                None
            }
        }
    }
}

/// Time is the transport's.
#[cfg(not(feature = "fake"))]
#[allow(clippy::unused_self, reason = "with the feature `fake` the channel may have a clock")]
impl Channel {
    pub(super) const fn virtual_now(&self) -> Option<Instant> {
        None
    }

    pub(super) const fn virtual_sleep(&self, _: Duration) -> bool {
        false
    }

    pub(super) const fn virtual_wait(&self, _: Option<Instant>) -> Option<Result<(), Failure>> {
        None
    }
}

#[cfg(feature = "fake")]
fn errno_of(errno: fake::Errno) -> Errno {
    Errno::from_raw_os_error(errno.number())
}

impl AsFd for Channel {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Kernel(socket) => socket.as_fd(),
            #[cfg(feature = "fake")]
            Self::Fake(socket) => socket.event(),
        }
    }
}

impl AsRawFd for Channel {
    fn as_raw_fd(&self) -> RawFd {
        self.as_fd().as_raw_fd()
    }
}

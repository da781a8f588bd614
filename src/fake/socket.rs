use std::fmt;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::sync::Arc;
use std::time::Instant;

use crate::fake::Errno;
use crate::fake::kernel::Shared;
use crate::fake::netlink::message::Message;
use crate::fake::socket_state::{BUFFER, SocketState};
use crate::fake::table::slab::Slot;

/// A generic netlink socket of a [`Kernel`](crate::fake::Kernel), for programs that have a
/// netlink stack of their own, and for tests that compare bytes.
///
/// The kernel executes requests inside [`send`](Self::send). A socket belongs to its network
/// namespace for life.
///
/// The descriptor of the socket is readable while something can be received, so `poll` and the
/// reactors of async runtimes can wait for it. Nothing can be read from it.
pub struct Socket {
    shared: Arc<Shared>,
    slot: Slot,
    port: u32,
    event: Arc<OwnedFd>,
}

impl Socket {
    pub(super) fn open(shared: &Arc<Shared>, space: usize) -> io::Result<Self> {
        let mut state = shared.lock();
        let slot = state.open_socket(space)?;
        let socket = state.sockets.get(slot).ok_or(io::ErrorKind::NotFound)?;
        let (port, event) = (socket.port, socket.event());
        drop(state);
        Ok(Self { shared: Arc::clone(shared), slot, port, event })
    }

    /// Returns the port, which is the socket's address.
    #[must_use]
    pub const fn port(&self) -> u32 {
        self.port
    }

    /// Sends a datagram of any number of requests. The kernel executes them in order before this
    /// returns.
    ///
    /// # Errors
    ///
    /// Nothing was executed:
    ///
    /// - [`Errno::NODATA`]: the datagram is empty.
    /// - [`Errno::MSGSIZE`]: the datagram is longer than the send buffer less 32 bytes.
    /// - The error of a [`Fault::NotSent`](crate::fake::Fault::NotSent).
    pub fn send(&self, datagram: &[u8]) -> Result<(), Errno> {
        self.send_at(datagram, Instant::now)
    }

    /// Sends a datagram at the time of the sender's clock.
    pub(crate) fn send_at(
        &self,
        datagram: &[u8],
        clock: impl FnOnce() -> Instant,
    ) -> Result<(), Errno> {
        const OVERHEAD: usize = 32;
        let mut state = self.shared.lock();
        state.follow(clock);
        let limit = state.sockets.get(self.slot).map_or(0, |socket| socket.send_limit);
        if datagram.len() > limit.saturating_sub(OVERHEAD) {
            return Err(Errno::MSGSIZE);
        }
        if datagram.is_empty() {
            return Err(Errno::NODATA);
        }
        let mut rest = datagram;
        let mut begun = false;
        let mut sent = Ok(());
        while let Some((message, after)) = Message::split(rest) {
            rest = after;
            let received;
            (state, received) = self.shared.receive(state, self.slot, &message);
            if received.is_err() {
                sent = received;
                break;
            }
            if !std::mem::replace(&mut begun, true) {
                state.begin_datagram();
            }
        }
        if begun {
            state.end_datagram();
        }
        if let Some(socket) = state.sockets.get_mut(self.slot) {
            socket.update_signal();
        }
        sent
    }

    /// Receives the next datagram into `buffer`. Returns the length of the datagram. If it is
    /// longer than `buffer`, the rest is lost.
    ///
    /// # Errors
    ///
    /// - [`Errno::AGAIN`]: no datagram is there.
    /// - [`Errno::NOBUFS`]: the receive buffer was full, and answers were lost. Datagrams that
    ///   are there can still be received.
    pub fn receive(&self, buffer: &mut [u8]) -> Result<usize, Errno> {
        let offered = buffer.len();
        self.receive_at(Instant::now, offered, |datagram| {
            for (to, from) in buffer.iter_mut().zip(datagram) {
                *to = *from;
            }
        })
    }

    /// Receives the next datagram behind the content of `buffer`, at most up to its capacity.
    /// Returns the length of the datagram.
    pub(crate) fn receive_into(
        &self,
        buffer: &mut Vec<u8>,
        clock: impl FnOnce() -> Instant,
    ) -> Result<usize, Errno> {
        let offered = buffer.capacity() - buffer.len();
        self.receive_at(clock, offered, |datagram| {
            buffer.extend_from_slice(datagram.get(..offered).unwrap_or(datagram));
        })
    }

    fn receive_at(
        &self,
        clock: impl FnOnce() -> Instant,
        offered: usize,
        copy: impl FnOnce(&[u8]),
    ) -> Result<usize, Errno> {
        let mut state = self.shared.lock();
        state.follow(clock);
        state.deliver(self.slot, offered, copy)
    }

    /// Sets `NETLINK_EXT_ACK`: errors say more.
    pub fn set_extended_acknowledgements(&self, on: bool) {
        self.with_state(|socket| socket.shape.extended = on);
    }

    /// Sets `NETLINK_CAP_ACK`: errors do not repeat the request.
    pub fn set_capped_acknowledgements(&self, on: bool) {
        self.with_state(|socket| socket.shape.capped = on);
    }

    /// Sets `NETLINK_NO_ENOBUFS`: lost answers are not reported.
    pub fn set_silent_overflow(&self, on: bool) {
        self.with_state(|socket| socket.inbox.silent = on);
    }

    /// Sets `SO_RCVBUF`, in bytes. As in Linux, the buffer gets twice as much, at least 2304
    /// bytes and at most 425984.
    pub fn set_receive_buffer(&self, bytes: usize) {
        const LEAST: usize = 2304;
        self.with_state(|socket| socket.inbox.limit = (bytes.min(BUFFER) * 2).max(LEAST));
    }

    /// Sets `SO_SNDBUF`, in bytes. As in Linux, the buffer gets twice as much, at least 4608
    /// bytes and at most 425984.
    pub fn set_send_buffer(&self, bytes: usize) {
        const LEAST: usize = 4608;
        self.with_state(|socket| socket.send_limit = (bytes.min(BUFFER) * 2).max(LEAST));
    }

    /// Returns the sizes of the send buffer and of the receive buffer: 212992 bytes each, unless
    /// they were set.
    #[must_use]
    pub fn buffers(&self) -> (usize, usize) {
        self.with_state(|socket| (socket.send_limit, socket.inbox.limit)).unwrap_or_default()
    }

    /// Whether a receive would not fail with [`Errno::AGAIN`].
    #[must_use]
    pub fn is_readable(&self) -> bool {
        self.with_state(|socket| socket.inbox.is_ready()).unwrap_or_default()
    }

    /// Keeps the descriptor right from now on.
    pub(crate) fn watch(&self) {
        self.with_state(SocketState::watch);
    }

    /// The descriptor, which is right once the socket is watched.
    pub(crate) fn event(&self) -> BorrowedFd<'_> {
        self.event.as_fd()
    }

    pub(crate) fn kernel(&self) -> &Shared {
        &self.shared
    }

    fn with_state<T>(&self, with: impl FnOnce(&mut SocketState) -> T) -> Option<T> {
        self.shared.lock().sockets.get_mut(self.slot).map(with)
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.shared.lock().sockets.remove(self.slot);
    }
}

impl fmt::Debug for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Socket").field("port", &self.port).finish_non_exhaustive()
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.watch();
        self.event()
    }
}

impl AsRawFd for Socket {
    fn as_raw_fd(&self) -> RawFd {
        self.as_fd().as_raw_fd()
    }
}

//! One netlink socket with its session state and its buffers.

use std::fmt;
use std::time::{Duration, Instant};

use crate::engine::Transport;
use crate::engine::observer::{Begun, Taken, Traffic};
use crate::engine::patience::Patience;
use crate::engine::transport::yield_now;
use crate::error::Failure;
use crate::proto::{Batch, Session, Verdict};
use crate::wire::Malformed;

/// Receive buffer of the command socket. The kernel makes no larger datagram for a dump, so a
/// buffer of this size never truncates one.
const LARGE: usize = 32 * 1024;

/// Receive buffer for short dumps. For each dump the kernel allocates and clears a buffer as
/// large as the largest read ever made on the socket, so this is kept small.
pub(crate) const SMALL: usize = 7872;

/// The fewest bytes that the kernel puts into one datagram of a dump if the buffer has 32 KiB.
/// The exact number depends on how the kernel was built.
const FILLED: usize = 31 * 1024;

/// The same for kernels up to Linux 4.8.
const FILLED_UP_TO_4_8: usize = 16 * 1024;

/// The same for the first dump on a socket: one page, without the kernel's own data.
const FILLED_UNREAD: usize = 3 * 1024;

/// The most requests in one send. One more is sent where a new service and its first destination
/// would be separated. Larger sends gain nothing (see `benches/README.md`).
const CHUNK: usize = 64;

/// An upper bound for the size of one request in the send buffer.
const REQUEST: usize = 256;

/// The kernel's overhead in the send buffer for one send.
const SEND_OVERHEAD: usize = 32;

/// The size of one answer in the receive buffer. The kernel charges this much for the shortest
/// answer, and drops answers for which no room is left.
const ANSWER: usize = 1024;

/// An async client lets other tasks run after this many answers, or twice as many changes.
const SHIFT: usize = 32;

/// A netlink socket with its session state and its buffers.
pub(crate) struct Link<T> {
    transport: T,
    pub(crate) session: Session,
    pub(crate) outbox: Vec<u8>,
    inbox: Vec<u8>,
    capacity: usize,
    /// The largest buffer with which a datagram was received.
    offered: usize,
    /// The length of the longest datagram so far.
    longest: usize,
    chunk: usize,
    traffic: Traffic,
    /// The work done since other tasks could last run. See [`SHIFT`].
    work: usize,
}

impl<T: fmt::Debug> fmt::Debug for Link<T> {
    /// Omits the buffers.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { transport, session, .. } = self;
        let mut link = f.debug_struct("Link");
        link.field("transport", transport).field("session", session).finish_non_exhaustive()
    }
}

impl<T: Transport> Link<T> {
    /// Creates a link for commands and for dumps of services.
    pub(crate) fn for_commands(transport: T, port: u32) -> Self {
        Self::new(transport, port, LARGE)
    }

    /// Creates a link for dumps of destinations. Nothing may have been read from the socket yet.
    pub(crate) fn for_destinations(transport: T, port: u32) -> Self {
        Self::new(transport, port, SMALL)
    }

    /// `capacity` is the size of the receive buffer, from the first read on.
    fn new(transport: T, port: u32, capacity: usize) -> Self {
        Self {
            transport,
            session: Session::new(port),
            outbox: Vec::with_capacity(512),
            inbox: Vec::with_capacity(capacity),
            capacity,
            offered: 0,
            longest: 0,
            chunk: CHUNK,
            traffic: Traffic::default(),
            work: 0,
        }
    }

    /// Limits the requests of one send to what the socket's send buffer holds, and to what its
    /// receive buffer can answer.
    pub(crate) fn bounded(mut self, (send_buffer, receive_buffer): (usize, usize)) -> Self {
        let requests = send_buffer.saturating_sub(SEND_OVERHEAD) / REQUEST;
        let most = requests.min(receive_buffer / ANSWER);
        self.chunk = CHUNK.min(most.saturating_sub(1)).max(1);
        self
    }

    /// Returns the most requests for one send.
    pub(crate) const fn chunk(&self) -> usize {
        self.chunk
    }

    /// Returns the datagram that was received last.
    pub(crate) fn datagram(&self) -> &[u8] {
        &self.inbox
    }

    /// Returns how many bytes the kernel puts at least into the first datagram of a dump that
    /// is requested now, before it starts a second one. The kernel fills the largest buffer that
    /// was ever offered, but not all of a large one.
    ///
    /// Source: `af_netlink.c:netlink_dump` and `netlink_recvmsg`.
    pub(crate) fn filled(&self) -> usize {
        let most = if self.longest > FILLED_UP_TO_4_8 { FILLED } else { FILLED_UP_TO_4_8 };
        if self.offered == 0 { FILLED_UNREAD } else { self.offered.min(most) }
    }

    /// Reads the answers of `batch` in the datagram that was received last.
    #[inline]
    pub(crate) fn read_of(&mut self, batch: &mut Batch) -> Result<Verdict, Malformed> {
        let verdict = batch.read(&self.inbox);
        if verdict == Ok(Verdict::Complete) {
            self.session.all_read();
        }
        verdict
    }

    /// Enlarges the receive buffer to at least `capacity`. The buffer never shrinks, because the
    /// kernel would then truncate datagrams.
    fn grow(&mut self, capacity: usize) {
        if capacity > self.capacity {
            self.capacity = capacity;
            self.inbox = Vec::with_capacity(capacity);
        }
    }

    /// Sends the outbox.
    pub(crate) fn send(&mut self) -> Result<(), Failure> {
        loop {
            match self.transport.send(&self.outbox) {
                Err(Failure::Interrupted) => {}
                Err(failure) => return Err(failure),
                Ok(()) => break,
            }
        }
        self.traffic.sent = self.traffic.sent.wrapping_add(self.outbox.len());
        Ok(())
    }

    /// Receives the next datagram, waiting for it up to the deadline.
    ///
    /// A datagram that does not fit fails with [`Failure::CutOff`]; the buffer is then large
    /// enough for the next one. After an overflow the datagrams that are still in the socket
    /// come first, and the error last.
    #[inline]
    pub(crate) async fn receive(&mut self, patience: &mut Patience) -> Result<(), Failure> {
        self.breathe(1).await;
        match self.try_receive() {
            Ok(()) => Ok(()),
            Err(failure) => self.receive_after(failure, patience).await,
        }
    }

    /// Lets other tasks run on this thread after enough work. Answers are there when they are
    /// asked for, so without this an async client would never yield.
    #[inline]
    pub(crate) async fn breathe(&mut self, work: usize) {
        if T::SHARES_THREAD {
            self.work += work;
            if self.work >= SHIFT {
                self.work = 0;
                yield_now().await;
            }
        }
    }

    /// Notes that an exchange begins.
    pub(super) fn begun(&self) -> Begun {
        Begun { at: self.now(), traffic: self.traffic }
    }

    /// Returns what an exchange has taken that ends.
    pub(super) fn taken_since(&self, begun: Begun) -> Taken {
        begun.until(self.begun())
    }

    /// Reads the transport's clock.
    pub(crate) fn now(&self) -> Instant {
        self.transport.now()
    }

    /// Waits for `time`.
    pub(crate) async fn sleep(&self, time: Duration) -> Result<(), Failure> {
        self.transport.sleep(time).await
    }

    /// Receives the next datagram after an attempt that ended in `failure`.
    pub(crate) async fn receive_after(
        &mut self,
        mut failure: Failure,
        patience: &mut Patience,
    ) -> Result<(), Failure> {
        loop {
            match failure {
                Failure::Overflow => patience.note_overflow(),
                Failure::Empty => {
                    patience.take_overflow()?;
                    self.transport.readable(patience.until(&self.transport)).await?;
                }
                _ => return Err(failure),
            }
            match self.try_receive() {
                Ok(()) => return Ok(()),
                Err(next) => failure = next,
            }
        }
    }

    /// Receives the next datagram if one is there.
    #[inline]
    pub(crate) fn try_receive(&mut self) -> Result<(), Failure> {
        loop {
            self.inbox.clear();
            match self.transport.try_receive(&mut self.inbox) {
                Ok(length) => {
                    self.offered = self.capacity;
                    self.longest = self.longest.max(length);
                    self.traffic.received = self.traffic.received.wrapping_add(self.inbox.len());
                    if length > self.inbox.len() {
                        self.grow(length.max(LARGE));
                        return Err(Failure::CutOff);
                    }
                    return Ok(());
                }
                Err(Failure::Interrupted) => {}
                Err(failure) => return Err(failure),
            }
        }
    }

    /// Empties the socket: discards the rest of an abandoned dump and the answers to abandoned
    /// requests. The kernel produces the next part of a dump when one is received.
    ///
    /// Call this before the next request if anything is [unread](Session::has_unread): the
    /// kernel starts no dump while another one is open, and unread answers use the room of new
    /// ones.
    pub(crate) async fn discard_unread(&mut self) -> Result<(), Failure> {
        loop {
            self.breathe(1).await;
            match self.try_receive() {
                // What was truncated or lost is not wanted either.
                Ok(()) | Err(Failure::CutOff | Failure::Overflow) => {}
                Err(Failure::Empty) => break,
                Err(failure) => return Err(failure),
            }
        }
        self.session.all_read();
        Ok(())
    }
}

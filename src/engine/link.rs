use std::future::poll_fn;
use std::task::Poll;
use std::time::{Duration, Instant};
use std::{fmt, io};

use rustix::io::Errno;

use crate::engine::Transport;
use crate::proto::{Batch, Session, Verdict};
use crate::wire::Malformed;

/// The largest datagram that the kernel makes for a dump. With a buffer of this
/// size nothing is ever cut off.
const LARGE: usize = 32 * 1024;

/// What fills the kernel's buffer for a dump of few destinations exactly: it
/// allocates and clears one as large as the largest ever offered on the socket.
pub(crate) const SMALL: usize = 7872;

/// What the kernel fills of a buffer of 32 KiB, or somewhat more, depending on how it was
/// built; up to Linux 4.8 half of that.
const FILLED: usize = 31 * 1024;
const FILLED_ONCE: usize = 16 * 1024;

/// What it fills on a socket that was not read yet, or somewhat more: a page, without its
/// own data.
const FILLED_UNREAD: usize = 3 * 1024;

/// How many requests go into one send, and at times one more. Many more gain nothing
/// (see `benches/README.md`).
const CHUNK: usize = 64;

/// What a request takes at most in the send buffer, and the kernel's overhead for
/// one send.
const REQUEST: usize = 256;
const SEND_OVERHEAD: usize = 32;

/// What an answer takes in the receive buffer, whatever its length. Those that find
/// no place are lost.
const ANSWER: usize = 1024;

/// After so many answers, or twice as many changes, other tasks may run.
const SHIFT: usize = 32;

/// A socket, what is remembered of it, and its buffers.
pub(crate) struct Link<T> {
    transport: T,
    pub(crate) session: Session,
    pub(crate) outbox: Vec<u8>,
    inbox: Vec<u8>,
    capacity: usize,
    /// The largest buffer that was offered to the kernel when it had a datagram.
    offered: usize,
    /// The longest datagram so far.
    longest: usize,
    chunk: usize,
    /// How much was done since other tasks could run.
    work: usize,
}

impl<T: fmt::Debug> fmt::Debug for Link<T> {
    /// Without what is in the buffers.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { transport, session, .. } = self;
        let mut link = f.debug_struct("Link");
        link.field("transport", transport).field("session", session).finish_non_exhaustive()
    }
}

/// How long to wait for an answer. The clock is looked at only when the answer is
/// not there at once.
#[derive(Debug)]
pub(crate) struct Patience {
    limit: Option<Duration>,
    until: Option<Instant>,
    overflow: Option<io::Error>,
}

impl Patience {
    pub(crate) const fn new(limit: Option<Duration>) -> Self {
        Self { limit, until: None, overflow: None }
    }

    /// Why answers are missing, if the receive buffer overflowed meanwhile.
    pub(crate) fn overflowed(&mut self) -> Option<io::Error> {
        self.overflow.take()
    }

    /// When the waiting ends, counted from the first call.
    fn until(&mut self, transport: &impl Transport) -> Option<Instant> {
        if self.until.is_none() {
            self.until = self.limit.and_then(|limit| transport.now().checked_add(limit));
        }
        self.until
    }
}

impl<T: Transport> Link<T> {
    /// A link for commands and for the dumps of services.
    pub(crate) fn for_commands(transport: T, port: u32) -> Self {
        Self::new(transport, port, LARGE)
    }

    /// A link for the dumps of destinations, whose socket has not been read yet.
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
            work: 0,
        }
    }

    /// Bounds the requests of one send by the sizes of the socket's send and receive
    /// buffers.
    pub(crate) fn bounded(mut self, (send_buffer, receive_buffer): (usize, usize)) -> Self {
        let requests = send_buffer.saturating_sub(SEND_OVERHEAD) / REQUEST;
        let most = requests.min(receive_buffer / ANSWER);
        self.chunk = CHUNK.min(most.saturating_sub(1)).max(1);
        self
    }

    /// How many requests may go into one send.
    pub(crate) const fn chunk(&self) -> usize {
        self.chunk
    }

    /// The datagram that was received last.
    pub(crate) fn datagram(&self) -> &[u8] {
        &self.inbox
    }

    /// How much the kernel puts into the first datagram of a dump that is asked for now, at
    /// least, before it begins another: as much as was ever offered to it, but not all of
    /// a large buffer. Source: `af_netlink.c:netlink_dump` and `netlink_recvmsg`.
    pub(crate) fn filled(&self) -> usize {
        let most = if self.longest > FILLED_ONCE { FILLED } else { FILLED_ONCE };
        if self.offered == 0 { FILLED_UNREAD } else { self.offered.min(most) }
    }

    /// Reads the datagram that was received last as one of a batch.
    #[inline]
    pub(crate) fn read_of(&mut self, batch: &mut Batch) -> Result<Verdict, Malformed> {
        let verdict = batch.read(&self.inbox);
        if verdict == Ok(Verdict::Complete) {
            self.session.all_read();
        }
        verdict
    }

    /// Makes the receive buffer at least this large. It never shrinks: the kernel
    /// would cut datagrams off.
    fn grow(&mut self, capacity: usize) {
        if capacity > self.capacity {
            self.capacity = capacity;
            self.inbox = Vec::with_capacity(capacity);
        }
    }

    /// Sends what is in the outbox.
    pub(crate) fn send(&self) -> io::Result<()> {
        loop {
            match self.transport.send(&self.outbox) {
                Err(cause) if cause.kind() == io::ErrorKind::Interrupted => {}
                result => return result,
            }
        }
    }

    /// Receives the next datagram. One that does not fit ends in `UnexpectedEof`;
    /// the buffer is large enough for the next then.
    ///
    /// After an overflow what is still in the socket is received; only then comes
    /// the error.
    #[inline]
    pub(crate) async fn receive(&mut self, patience: &mut Patience) -> io::Result<()> {
        self.breathe(1).await;
        match self.try_receive() {
            Ok(()) => Ok(()),
            Err(cause) => self.receive_after(cause, patience).await,
        }
    }

    /// Lets other tasks run on this thread, if there are some and it is time. All is
    /// there when it is asked for, so that otherwise nothing would.
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

    /// Reads the transport's clock.
    pub(crate) fn now(&self) -> Instant {
        self.transport.now()
    }

    /// Waits for `time`.
    pub(crate) async fn sleep(&self, time: Duration) -> io::Result<()> {
        self.transport.sleep(time).await
    }

    /// Receives the next datagram after an attempt that failed for the reason `cause`.
    pub(crate) async fn receive_after(
        &mut self,
        mut cause: io::Error,
        patience: &mut Patience,
    ) -> io::Result<()> {
        loop {
            if is_overflow(&cause) {
                patience.overflow = Some(cause);
            } else if cause.kind() != io::ErrorKind::WouldBlock {
                return Err(cause);
            } else if let Some(overflow) = patience.overflow.take() {
                return Err(overflow);
            } else {
                self.transport.readable(patience.until(&self.transport)).await?;
            }
            match self.try_receive() {
                Ok(()) => return Ok(()),
                Err(next) => cause = next,
            }
        }
    }

    /// Receives the next datagram if it is there.
    #[inline]
    pub(crate) fn try_receive(&mut self) -> io::Result<()> {
        loop {
            self.inbox.clear();
            match self.transport.try_receive(&mut self.inbox) {
                Ok(length) => {
                    self.offered = self.capacity;
                    self.longest = self.longest.max(length);
                    if length > self.inbox.len() {
                        self.grow(length.max(LARGE));
                        return Err(io::ErrorKind::UnexpectedEof.into());
                    }
                    return Ok(());
                }
                Err(cause) if cause.kind() == io::ErrorKind::Interrupted => {}
                Err(cause) => return Err(cause),
            }
        }
    }

    /// Takes everything out of the socket: what is left of a dump that was given
    /// up, whose next part the kernel makes when one is taken, and answers to
    /// requests that were. It takes the place of other answers, and the kernel begins no
    /// dump beside another, so this comes before the next request if anything is
    /// [unread](Session::has_unread).
    pub(crate) async fn drain(&mut self) -> io::Result<()> {
        loop {
            self.breathe(1).await;
            match self.try_receive() {
                Err(cause) if cause.kind() == io::ErrorKind::WouldBlock => break,
                // Cut off or lost, it is not wanted.
                Err(cause) if cause.kind() == io::ErrorKind::UnexpectedEof => {}
                Err(cause) if is_overflow(&cause) => {}
                result => result?,
            }
        }
        self.session.all_read();
        Ok(())
    }
}

/// Is pending once.
async fn yield_now() {
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

fn is_overflow(cause: &io::Error) -> bool {
    cause.raw_os_error() == Some(Errno::NOBUFS.raw_os_error())
}

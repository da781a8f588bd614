//! The receive buffer of a socket: what it holds, what it drops, and the mark of an overflow.

use std::collections::VecDeque;

use crate::fake::{Errno, Version};

/// What happens to the answers that are made next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::fake) enum Fate {
    #[default]
    Delivered,
    /// They disappear, and nobody is told.
    Lost,
    /// They disappear as if the buffer were full.
    Overflowing,
    /// Only half of each is received.
    Cut,
}

#[derive(Debug)]
struct Datagram {
    bytes: Vec<u8>,
    charge: usize,
    cut: bool,
}

/// The receive buffer of a socket.
#[derive(Debug)]
pub(in crate::fake) struct Inbox {
    queue: VecDeque<Datagram>,
    charged: usize,
    /// `SO_RCVBUF`.
    pub(in crate::fake) limit: usize,
    /// Whether everything is dropped until the queue is empty.
    congested: bool,
    /// The error that the next receive gets before any datagram.
    error: Option<Errno>,
    /// `NETLINK_NO_ENOBUFS`.
    pub(in crate::fake) silent: bool,
    pub(in crate::fake) fate: Fate,
    /// Buffers for the next datagrams.
    spare: Vec<Vec<u8>>,
}

/// The most that the kernel remembers of the length of a receive buffer.
const LARGEST_OFFER: usize = 32_448;
/// Spare buffers that are kept.
const SPARE: usize = 64;

impl Inbox {
    pub(in crate::fake) const fn new(limit: usize) -> Self {
        Self {
            queue: VecDeque::new(),
            charged: 0,
            limit,
            congested: false,
            error: None,
            silent: false,
            fate: Fate::Delivered,
            spare: Vec::new(),
        }
    }

    /// An empty buffer for a datagram.
    pub(in crate::fake) fn buffer(&mut self) -> Vec<u8> {
        self.spare.pop().unwrap_or_default()
    }

    /// Keeps a buffer for a later datagram.
    pub(in crate::fake) fn give_back(&mut self, mut buffer: Vec<u8>) {
        if self.spare.len() < SPARE {
            buffer.clear();
            self.spare.push(buffer);
        }
    }

    /// Whether a receive would not fail with `EAGAIN`.
    pub(in crate::fake) fn is_ready(&self) -> bool {
        !self.queue.is_empty() || self.error.is_some()
    }

    /// Whether the kernel makes the next part of a dump now.
    pub(in crate::fake) const fn is_half_empty(&self) -> bool {
        self.charged <= self.limit / 2
    }

    /// Queues an answer, or drops it if there is no room. Returns `false` if the kernel notices
    /// that it dropped the answer.
    ///
    /// Source: `af_netlink.c:netlink_attachskb`.
    pub(in crate::fake) fn answer(&mut self, version: Version, bytes: Vec<u8>) -> bool {
        let charge = version.charge(bytes.len());
        let fits = self.charged == 0 || self.charged + charge <= self.limit;
        match self.fate {
            Fate::Lost => self.give_back(bytes),
            Fate::Delivered | Fate::Cut if fits && !self.congested => self.push(bytes, charge),
            _ => {
                self.overflow();
                self.give_back(bytes);
                return false;
            }
        }
        true
    }

    /// Whether there is room for a part of a dump for which the kernel allocates so much.
    ///
    /// Source: `af_netlink.c:netlink_dump`.
    pub(in crate::fake) const fn has_room(&self, version: Version, allocated: usize) -> bool {
        self.charged == 0 || self.charged + version.charge(allocated) < self.limit
    }

    /// Queues a part of a dump, for which the kernel allocated `allocated` bytes.
    pub(in crate::fake) fn part(&mut self, version: Version, bytes: Vec<u8>, allocated: usize) {
        match self.fate {
            Fate::Delivered | Fate::Cut => self.push(bytes, version.charge(allocated)),
            Fate::Lost => self.give_back(bytes),
            Fate::Overflowing => {
                self.overflow();
                self.give_back(bytes);
            }
        }
    }

    fn push(&mut self, bytes: Vec<u8>, charge: usize) {
        self.charged += charge;
        let cut = self.fate == Fate::Cut;
        self.queue.push_back(Datagram { bytes, charge, cut });
    }

    /// Marks that answers were dropped.
    pub(in crate::fake) fn overflow(&mut self) {
        if !self.silent && !self.congested {
            self.congested = true;
            self.error = Some(Errno::NOBUFS);
        }
    }

    /// Lets the next receive fail.
    pub(in crate::fake) fn fail(&mut self, errno: Errno) {
        self.error = Some(errno);
    }

    /// Takes the next datagram and lets `copy` have it. Returns the length of the datagram.
    ///
    /// Source: `af_netlink.c:netlink_recvmsg`.
    pub(in crate::fake) fn take(&mut self, copy: impl FnOnce(&[u8])) -> Result<usize, Errno> {
        if let Some(errno) = self.error.take() {
            return Err(errno);
        }
        let Datagram { bytes, charge, cut } = self.queue.pop_front().ok_or(Errno::AGAIN)?;
        self.charged -= charge;
        let received = if cut { bytes.get(..bytes.len() / 2) } else { None };
        copy(received.unwrap_or(&bytes));
        let length = bytes.len();
        self.give_back(bytes);
        Ok(length)
    }

    /// Ends a receive: an overflow is over when the queue is empty.
    pub(in crate::fake) fn settle(&mut self) {
        if self.queue.is_empty() {
            self.congested = false;
        }
    }

    /// What the kernel remembers after a receive into `length` bytes.
    pub(in crate::fake) fn offer(offered: usize, length: usize) -> usize {
        offered.max(length.min(LARGEST_OFFER))
    }
}

//! A fake kernel behind its lock.

use std::time::{Duration, Instant};

use crate::fake::clock::Clock;
use crate::fake::dump;
use crate::fake::faults::Faults;
use crate::fake::log::Log;
use crate::fake::module::Module;
use crate::fake::netlink::acknowledgement::{self, Reason};
use crate::fake::netlink::inbox::Inbox;
use crate::fake::netlink::message::{ACK, Message};
use crate::fake::netlink::writer::{Header, Open, Writer};
use crate::fake::socket_state::SocketState;
use crate::fake::table::Table;
use crate::fake::table::slab::{Slab, Slot};
use crate::fake::table::space::Space;
use crate::fake::{Errno, Version};

/// Everything that a fake kernel is.
#[derive(Debug)]
pub(super) struct State {
    pub(super) table: Table,
    pub(super) sockets: Slab<SocketState>,
    pub(super) clock: Clock,
    pub(super) module: Module,
    /// Whether senders have `CAP_NET_ADMIN`.
    pub(super) privileged: bool,
    pub(super) faults: Faults,
    pub(super) log: Log,
    next_port: u32,
}

/// What a handler of a request gives back.
pub(super) enum Outcome {
    /// An error, or success, which is acknowledged if the request asks for it.
    Result(Result<(), Errno>),
    /// Neither: `EINTR` inside the kernel.
    Silence,
}

impl From<Errno> for Outcome {
    fn from(errno: Errno) -> Self {
        Self::Result(Err(errno))
    }
}

/// The first port that a socket gets.
const FIRST_PORT: u32 = 1001;

impl State {
    pub(super) fn new(version: Version, real_time: bool) -> Self {
        let mut table = Table::new(version);
        table.spaces.push(Space::new("", 0));
        Self {
            table,
            sockets: Slab::new(),
            clock: Clock::new(real_time),
            module: Module::new(),
            privileged: true,
            faults: Faults::default(),
            log: Log::default(),
            next_port: FIRST_PORT,
        }
    }

    /// Returns the namespace of a name, which it makes if there is none.
    pub(super) fn space_named(&mut self, name: &str) -> usize {
        let spaces = &mut self.table.spaces;
        if let Some(space) = spaces.iter().position(|space| space.name == name) {
            return space;
        }
        // Any seeds, so that orders differ.
        let [seed, ..] = spaces.len().wrapping_mul(37).to_le_bytes();
        spaces.push(Space::new(name, seed));
        spaces.len() - 1
    }

    pub(super) fn open_socket(&mut self, space: usize) -> rustix::io::Result<Slot> {
        let socket = SocketState::new(space, self.next_port)?;
        self.next_port += 1;
        Ok(self.sockets.insert(socket))
    }

    pub(super) fn now(&self) -> Duration {
        self.clock.elapsed()
    }

    /// Moves the clock forward to `now`.
    pub(super) fn pass(&mut self, now: Duration) {
        if now > self.clock.elapsed() {
            self.clock.set(now);
            self.table.pass(now);
        }
    }

    /// Lets time pass that is not that of a client.
    pub(super) fn advance(&mut self, time: Duration) {
        self.clock.set_back_begin(time);
        let now = self.now().saturating_add(time);
        self.pass(now);
    }

    /// Follows the clock of a client, in real time.
    pub(super) fn follow(&mut self, clock: impl FnOnce() -> Instant) {
        if let Some(now) = self.clock.follow(clock) {
            self.pass(now);
        }
    }

    /// Executes one message.
    ///
    /// Source: `af_netlink.c:netlink_rcv_skb`.
    pub(super) fn receive(&mut self, socket: Slot, message: &Message<'_>) {
        let mut reason = Reason::default();
        let outcome = if message.is_request() && !message.is_control() {
            self.route(socket, message, &mut reason)
        } else {
            Outcome::Result(Ok(()))
        };
        match outcome {
            Outcome::Result(result) if result.is_err() || message.flags & ACK != 0 => {
                self.acknowledge(socket, message, result, &reason);
            }
            _ => {}
        }
    }

    /// Answers a request with an error or an acknowledgement.
    pub(super) fn acknowledge(
        &mut self,
        socket: Slot,
        message: &Message<'_>,
        result: Result<(), Errno>,
        reason: &Reason,
    ) {
        let version = self.table.version;
        let Some(socket) = self.sockets.get_mut(socket) else { return };
        let mut bytes = socket.inbox.buffer();
        let mut writer = Writer::new(&mut bytes, version.aligns().then_some(0));
        acknowledgement::write(&mut writer, message, socket.port, result, reason, socket.shape);
        socket.inbox.answer(version, bytes);
    }

    /// Answers a request with a message that `write` fills. If the socket has no room for the
    /// message, the request fails with `EAGAIN`, and a shorter error may find room.
    pub(super) fn reply(
        &mut self,
        socket: Slot,
        message: &Message<'_>,
        (command, command_version): (u8, u8),
        write: impl FnOnce(&mut Table, &mut Writer<'_>),
    ) -> Result<(), Errno> {
        let version = self.table.version;
        let Some(socket) = self.sockets.get_mut(socket) else { return Err(Errno::AGAIN) };
        let mut bytes = socket.inbox.buffer();
        let mut writer = Writer::new(&mut bytes, version.aligns().then_some(0));
        let header =
            Header { kind: message.kind, flags: 0, sequence: message.sequence, port: socket.port };
        let open: Open = writer.begin_generic(header, command, command_version);
        write(&mut self.table, &mut writer);
        writer.end(open);
        let queued = socket.inbox.answer(version, bytes);
        if queued { Ok(()) } else { Err(Errno::AGAIN) }
    }

    /// Starts the dump that was put into a socket.
    pub(super) fn start_dump(&mut self, socket: Slot) -> Outcome {
        let now = self.now();
        let Some(socket) = self.sockets.get_mut(socket) else { return Outcome::Silence };
        match dump::proceed(&mut self.table, socket, now) {
            Ok(()) => Outcome::Silence,
            Err(errno) => errno.into(),
        }
    }

    /// Receives a datagram into a buffer of `length` bytes, which `copy` fills. Returns the
    /// length of the datagram.
    pub(super) fn deliver(
        &mut self,
        socket: Slot,
        length: usize,
        copy: impl FnOnce(&[u8]),
    ) -> Result<usize, Errno> {
        let now = self.now();
        let Some(socket) = self.sockets.get_mut(socket) else { return Err(Errno::AGAIN) };
        let received = socket.inbox.take(copy);
        if received.is_ok() {
            socket.offered = Inbox::offer(socket.offered, length);
            if socket.dump.is_some() && socket.inbox.is_half_empty() {
                if let Err(errno) = dump::proceed(&mut self.table, socket, now) {
                    socket.inbox.fail(errno);
                }
            }
        }
        socket.inbox.settle();
        socket.update_signal();
        received
    }
}

use std::sync::Arc;

use rustix::event::{EventfdFlags, eventfd};
use rustix::fd::OwnedFd;
use rustix::io;

use crate::fake::dump::Dump;
use crate::fake::netlink::acknowledgement::Shape;
use crate::fake::netlink::inbox::Inbox;

/// Default of `SO_SNDBUF` and `SO_RCVBUF`, and the most that a program without privilege may set.
pub(super) const BUFFER: usize = 212_992;

/// The kernel's end of a socket.
#[derive(Debug)]
pub(super) struct SocketState {
    pub(super) space: usize,
    pub(super) port: u32,
    pub(super) shape: Shape,
    pub(super) inbox: Inbox,
    pub(super) dump: Option<Dump>,
    /// The largest buffer that a datagram was received with.
    pub(super) offered: usize,
    /// `SO_SNDBUF`.
    pub(super) send_limit: usize,
    signal: Signal,
}

/// A descriptor that is readable while something can be received.
#[derive(Debug)]
struct Signal {
    event: Arc<OwnedFd>,
    /// Whether somebody waits for the descriptor. Most answers are received without waiting, so
    /// most sockets never need the system calls.
    watched: bool,
    raised: bool,
}

impl SocketState {
    pub(super) fn new(space: usize, port: u32) -> io::Result<Self> {
        let event = Arc::new(eventfd(0, EventfdFlags::NONBLOCK | EventfdFlags::CLOEXEC)?);
        Ok(Self {
            space,
            port,
            shape: Shape::default(),
            inbox: Inbox::new(BUFFER),
            dump: None,
            offered: 0,
            send_limit: BUFFER,
            signal: Signal { event, watched: false, raised: false },
        })
    }

    pub(super) fn event(&self) -> Arc<OwnedFd> {
        Arc::clone(&self.signal.event)
    }

    /// Keeps the descriptor right from now on.
    pub(super) fn watch(&mut self) {
        self.signal.watched = true;
        self.update_signal();
    }

    /// Raises or lowers the signal after a change of the receive buffer.
    pub(super) fn update_signal(&mut self) {
        let ready = self.inbox.is_ready();
        let Signal { event, watched, raised } = &mut self.signal;
        if !*watched || ready == *raised {
            return;
        }
        // Neither can fail: the count is 0 or 1.
        let _ = match ready {
            true => io::write(&*event, &1_u64.to_ne_bytes()),
            false => io::read(&*event, &mut [0; 8]),
        };
        *raised = ready;
    }
}

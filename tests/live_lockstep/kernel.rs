//! Sockets and namespaces of the kernel that runs this program.

use std::cell::Cell;
use std::fs::File;
use std::os::fd::AsFd;
use std::rc::Rc;

use netlink_sys::SocketAddr;
use netlink_sys::protocols::{NETLINK_GENERIC, NETLINK_ROUTE};
use nix::sched::{CloneFlags, setns, unshare};
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, recv, send, sockopt};
use rustix::thread::{CapabilitySet, capabilities, set_capabilities};

use crate::operation::{self, Setting};

/// The namespaces of a sequence.
#[derive(Debug)]
pub(crate) struct Namespaces {
    pub(crate) family: u16,
    files: Vec<File>,
    privileged: Rc<Cell<bool>>,
}

#[derive(Debug)]
pub(crate) struct Socket {
    socket: netlink_sys::Socket,
    port: u32,
    privileged: Rc<Cell<bool>>,
}

impl Socket {
    fn open(protocol: isize) -> Self {
        let mut socket = netlink_sys::Socket::new(protocol).unwrap();
        let port = socket.bind_auto().unwrap().port_number();
        socket.connect(&SocketAddr::new(0, 0)).unwrap();
        Self { socket, port, privileged: Rc::new(Cell::new(true)) }
    }
}

impl operation::Socket for Socket {
    fn port(&self) -> u32 {
        self.port
    }

    fn set(&mut self, setting: Setting) -> Result<(), Errno> {
        let socket = &mut self.socket;
        let to_errno = |error| Errno::from_io_error(&error).unwrap();
        match setting {
            Setting::ExtendedAcknowledgement(on) => socket.set_ext_ack(on).map_err(to_errno),
            Setting::CappedAcknowledgement(on) => socket.set_cap_ack(on).map_err(to_errno),
            Setting::NoOverflowError(on) => socket.set_no_enobufs(on).map_err(to_errno),
            Setting::ReceiveBuffer(size) => {
                sockopt::set_socket_recv_buffer_size(socket.as_fd(), size.try_into().unwrap())
            }
            Setting::SendBuffer(size) => {
                sockopt::set_socket_send_buffer_size(socket.as_fd(), size.try_into().unwrap())
            }
        }
    }

    fn send(&mut self, datagram: &[u8]) -> Result<(), Errno> {
        let send = || send(&self.socket, datagram, SendFlags::empty()).map(drop);
        if self.privileged.get() { send() } else { without_privilege(send) }
    }

    fn receive(&mut self, buffer: &mut [u8]) -> Result<usize, Errno> {
        let flags = RecvFlags::DONTWAIT | RecvFlags::TRUNC;
        recv(&self.socket, buffer, flags).map(|(_, length)| length)
    }
}

impl operation::Namespaces for &Namespaces {
    type Socket = Socket;

    fn family(&self) -> u16 {
        self.family
    }

    fn open(&mut self, namespace: usize) -> Socket {
        self.enter(namespace);
        Socket { privileged: Rc::clone(&self.privileged), ..Socket::open(NETLINK_GENERIC) }
    }

    fn set_privileged(&mut self, privileged: bool) {
        self.privileged.set(privileged);
    }

    fn set_loopback(&mut self, namespace: usize, up: bool) {
        self.enter(namespace);
        // A `struct ifinfomsg` with the index 1, flags, and which flags change.
        let state = [0, 0, 0, 0, 1, 0, 0, 0, u8::from(up), 0, 0, 0, 1, 0, 0, 0];
        assert_eq!(exchange(&mut Socket::open(NETLINK_ROUTE), 16, &state)[16..20], [0; 4]);
    }
}

impl Namespaces {
    /// Makes fresh network namespaces for this thread.
    pub(crate) fn fresh(count: usize) -> Self {
        let files = (0..count).map(|_| {
            unshare(CloneFlags::CLONE_NEWNET).expect("a test on a real kernel needs CAP_SYS_ADMIN");
            File::open("/proc/thread-self/ns/net").unwrap()
        });
        let files = files.collect();
        let name = [3, 1, 0, 0, 9, 0, 2, 0, b'I', b'P', b'V', b'S', 0, 0, 0, 0];
        let reply = exchange(&mut Socket::open(NETLINK_GENERIC), 16, &name);
        // The attributes are the name, in 12 bytes, and the id.
        assert_eq!(reply[32..36], [6, 0, 1, 0]);
        let family = u16::from_ne_bytes([reply[36], reply[37]]);
        Self { family, files, privileged: Rc::new(Cell::new(true)) }
    }

    /// Moves this thread.
    fn enter(&self, namespace: usize) {
        setns(&self.files[namespace], CloneFlags::CLONE_NEWNET).unwrap();
    }

    /// Empties the tables. The kernel would do it some time after the end of the namespaces, and
    /// up to Linux 7.0 what is in other namespaces counts where a list is continued.
    pub(crate) fn empty(&self) {
        (0..self.files.len()).for_each(|namespace| self.flush(namespace));
    }

    fn flush(&self, namespace: usize) {
        self.enter(namespace);
        let flushed = exchange(&mut Socket::open(NETLINK_GENERIC), self.family, &[17, 1, 0, 0]);
        assert_eq!(flushed[16..20], [0; 4]);
    }

    /// Finds out what each namespace adds to the hashes of its services.
    pub(crate) fn salts(&self) -> Vec<u8> {
        (0..self.files.len()).map(|namespace| self.salt(namespace)).collect()
    }

    /// Services are listed by hash, so that the first of 256 with different hashes tells what is
    /// added.
    fn salt(&self, namespace: usize) -> u8 {
        self.enter(namespace);
        let mut socket = Socket::open(NETLINK_GENERIC);
        for mark in 1..=256_u32 {
            let mut request = vec![1, 1, 0, 0, 56, 0, 1, 0, 6, 0, 1, 0, 2, 0, 0, 0, 8, 0, 5, 0];
            request.extend(mark.to_ne_bytes());
            request.extend(*b"\x07\0\x06\0rr\0\0\x0c\0\x07\0\0\0\0\0\xff\xff\xff\xff");
            request.extend([8, 0, 8, 0, 0, 0, 0, 0, 8, 0, 9, 0, 255, 255, 255, 255]);
            assert_eq!(exchange(&mut socket, self.family, &request)[16..20], [0; 4]);
        }
        operation::Socket::send(&mut socket, &message(self.family, 0x301, &[4, 1, 0, 0])).unwrap();
        let mut first = vec![0; 32768];
        operation::Socket::receive(&mut socket, &mut first).unwrap();
        self.flush(namespace);
        // The family and the mark are the first attributes of the nest.
        assert_eq!((&first[24..28], &first[32..36]), (&[6, 0, 1, 0][..], &[8, 0, 5, 0][..]));
        first[36]
    }
}

/// Runs something while this thread has no `CAP_NET_ADMIN`.
fn without_privilege<T>(run: impl FnOnce() -> T) -> T {
    let all = capabilities(None).unwrap();
    let mut fewer = all;
    fewer.effective.remove(CapabilitySet::NET_ADMIN);
    set_capabilities(None, fewer).unwrap();
    let result = run();
    set_capabilities(None, all).unwrap();
    result
}

fn message(kind: u16, flags: u16, body: &[u8]) -> Vec<u8> {
    let mut message = u32::try_from(16 + body.len()).unwrap().to_ne_bytes().to_vec();
    message.extend(kind.to_ne_bytes());
    message.extend(flags.to_ne_bytes());
    message.extend([0; 8]);
    message.extend(body);
    message
}

/// Sends a request and returns the first answer.
fn exchange(socket: &mut Socket, kind: u16, body: &[u8]) -> Vec<u8> {
    operation::Socket::send(socket, &message(kind, 5, body)).unwrap();
    let mut reply = vec![0; 4096];
    let length = operation::Socket::receive(socket, &mut reply).unwrap();
    reply.truncate(length);
    reply
}

//! Opening netlink sockets, in this network namespace or another.

use std::io;
use std::os::fd::BorrowedFd;
use std::path::Path;
use std::thread;

use netlink_sys::protocols::NETLINK_GENERIC;
use netlink_sys::{Socket, SocketAddr};
use rustix::buffer::spare_capacity;
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::net::sockopt::{socket_recv_buffer_size, socket_send_buffer_size};
#[cfg(feature = "packet")]
use rustix::net::{
    AddressFamily, netlink,
    sockopt::{socket_domain, socket_protocol},
};
use rustix::net::{RecvFlags, SendFlags, recv, send};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use crate::error::{Context, Error, ErrorKind, Result};
use crate::model::Operation;

const CONNECT: Context = Context::new(Operation::Connect);

/// A socket to the kernel and the kernel's name for it.
#[derive(Debug)]
pub(crate) struct Endpoint {
    pub(crate) socket: Socket,
    pub(crate) port: u32,
    /// The sizes of its send and receive buffers.
    pub(crate) buffers: (usize, usize),
}

/// The two sockets of a client.
#[derive(Debug)]
pub(crate) struct Endpoints {
    pub(crate) commands: Endpoint,
    pub(crate) dumps: Endpoint,
}

impl Endpoint {
    fn open() -> io::Result<Self> {
        let mut socket = Socket::new(NETLINK_GENERIC)?;
        let port = socket.bind_auto()?.port_number();
        prepare(&socket)?;
        Self::measure(socket, port)
    }

    fn measure(socket: Socket, port: u32) -> io::Result<Self> {
        let buffers = (socket_send_buffer_size(&socket)?, socket_recv_buffer_size(&socket)?);
        Ok(Self { socket, port, buffers })
    }

    /// Takes over a socket that somebody opened, with whatever waits in it thrown
    /// away: it answers requests that are not ours.
    #[cfg(feature = "packet")]
    pub(crate) fn adopt(mut socket: Socket) -> Result<Self> {
        let adopt = || -> io::Result<Self> {
            let netlink = socket_domain(&socket)? == AddressFamily::NETLINK;
            if !netlink || socket_protocol(&socket)? != Some(netlink::GENERIC) {
                return Err(Errno::PROTOTYPE.into());
            }
            prepare(&socket)?;
            let mut address = SocketAddr::new(0, 0);
            socket.get_address(&mut address)?;
            let port = match address.port_number() {
                0 => socket.bind_auto()?.port_number(),
                port => port,
            };
            let mut waiting = Vec::with_capacity(64);
            loop {
                waiting.clear();
                match receive(&socket, &mut waiting) {
                    Ok(_) => {}
                    Err(cause) if cause.kind() == io::ErrorKind::WouldBlock => break,
                    // What is lost here is not ours either.
                    Err(cause) if cause.raw_os_error() == Some(Errno::NOBUFS.raw_os_error()) => {}
                    Err(cause) if cause.kind() == io::ErrorKind::Interrupted => {}
                    Err(cause) => return Err(cause),
                }
            }
            Self::measure(socket, port)
        };
        adopt().map_err(|cause| Error::not_sent(CONNECT, &cause))
    }
}

fn prepare(socket: &Socket) -> io::Result<()> {
    // From now on the kernel refuses messages of other processes.
    socket.connect(&SocketAddr::new(0, 0))?;
    // Kernels before 4.12 and 4.3 do not know these; errors then tell less.
    let _ = socket.set_ext_ack(true);
    let _ = socket.set_cap_ack(true);
    Ok(())
}

/// Sends a datagram to the kernel.
#[inline]
pub(crate) fn transmit(socket: &Socket, datagram: &[u8]) -> io::Result<()> {
    send(socket, datagram, SendFlags::empty())?;
    Ok(())
}

/// Takes a datagram that is there already into the spare capacity of `buffer`, and
/// returns its true length.
#[inline]
pub(crate) fn receive(socket: &Socket, buffer: &mut Vec<u8>) -> io::Result<usize> {
    let flags = RecvFlags::DONTWAIT | RecvFlags::TRUNC;
    let (_, length) = recv(socket, spare_capacity(buffer), flags)?;
    Ok(length)
}

impl Endpoints {
    /// Both sockets, in the network namespace of the calling thread.
    pub(crate) fn open() -> Result<Self> {
        let open = || Ok(Self { commands: Endpoint::open()?, dumps: Endpoint::open()? });
        open().map_err(|cause| Error::not_sent(CONNECT, &cause))
    }

    /// Both sockets, in the network namespace that the file at `path` stands for.
    pub(crate) fn open_at(path: &Path) -> Result<Self> {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOCTTY | OFlags::NONBLOCK;
        let open = || {
            let namespace = rustix::fs::open(path, flags, Mode::empty()).map_err(|errno| {
                let error = Error::not_sent(CONNECT, &errno.into());
                match errno {
                    Errno::NOENT | Errno::NOTDIR => error.no_namespace(ErrorKind::NoSuchNamespace),
                    // A socket or a device without a driver: not to be opened at all.
                    Errno::NXIO => error.no_namespace(ErrorKind::NotANamespace),
                    _ => error.because("opening the file of the network namespace"),
                }
            })?;
            Self::open_in(rustix::fd::AsFd::as_fd(&namespace))
        };
        open().map_err(|error| error.at(path))
    }

    /// Both sockets, in the network namespace that `namespace` is open on.
    ///
    /// A socket belongs to the namespace of the thread that opens it, for good. A
    /// thread that ends at once opens these, so that the caller's stays where it
    /// is.
    pub(crate) fn open_in(namespace: BorrowedFd<'_>) -> Result<Self> {
        let enter_and_open = || {
            move_into_link_name_space(namespace, Some(LinkNameSpaceType::Network)).map_err(
                |errno| {
                    let error = Error::not_sent(CONNECT, &errno.into());
                    match errno {
                        Errno::PERM => {
                            error.because("entering a network namespace takes CAP_SYS_ADMIN")
                        }
                        // A file of another kind, or a namespace of another kind.
                        Errno::INVAL => error.no_namespace(ErrorKind::NotANamespace),
                        _ => error.because("entering the network namespace"),
                    }
                },
            )?;
            Self::open()
        };
        thread::scope(|scope| {
            let opener = thread::Builder::new().spawn_scoped(scope, enter_and_open);
            match opener.map(thread::ScopedJoinHandle::join) {
                Ok(Ok(result)) => result,
                Ok(Err(_)) => Err(Error::not_sent(CONNECT, &io::ErrorKind::Other.into())),
                Err(cause) => Err(Error::not_sent(CONNECT, &cause)),
            }
        })
    }
}

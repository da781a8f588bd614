//! Opening netlink sockets in this network namespace or another.

use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::path::Path;
use std::thread;

use netlink_sys::protocols::NETLINK_GENERIC;
use netlink_sys::{Socket, SocketAddr};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::net::sockopt::{socket_recv_buffer_size, socket_send_buffer_size};
#[cfg(feature = "packet")]
use rustix::net::{
    AddressFamily, netlink,
    sockopt::{socket_domain, socket_protocol},
};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use crate::engine::channel::Channel;
#[cfg(feature = "packet")]
use crate::engine::channel::receive;
use crate::error::{Context, Error, ErrorKind, Failure, Result};
#[cfg(feature = "fake")]
use crate::fake::Namespace;
use crate::model::Operation;

const CONNECT: Context = Context::new(Operation::Connect);

/// A netlink socket and its port, which is the kernel's name for it.
#[derive(Debug)]
pub(crate) struct Endpoint {
    pub(crate) channel: Channel,
    pub(crate) port: u32,
    /// The sizes of the send buffer and of the receive buffer.
    pub(crate) buffers: (usize, usize),
}

/// The two sockets of a client.
#[derive(Debug)]
pub(crate) struct Endpoints {
    pub(crate) commands: Endpoint,
    pub(crate) dumps: Endpoint,
    pub(crate) home: Home,
}

/// The network namespace of a client's sockets, for files of the same namespace.
#[derive(Debug)]
pub(crate) enum Home {
    Open(OwnedFd),
    /// The namespace of the thread could not be opened. The sockets work without it.
    NotOpen(Errno),
    #[cfg(feature = "fake")]
    Fake,
    /// The caller opened the sockets.
    Unknown,
}

impl Home {
    fn of_this_thread() -> Self {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC;
        match rustix::fs::open("/proc/thread-self/ns/net", flags, Mode::empty()) {
            Ok(namespace) => Self::Open(namespace),
            Err(errno) => Self::NotOpen(errno),
        }
    }
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
        Ok(Self { channel: socket.into(), port, buffers })
    }

    /// Opens a socket of a fake kernel.
    #[cfg(feature = "fake")]
    fn fake(namespace: &Namespace) -> io::Result<Self> {
        let socket = namespace.socket()?;
        socket.set_extended_acknowledgements(true);
        socket.set_capped_acknowledgements(true);
        let (port, buffers) = (socket.port(), socket.buffers());
        Ok(Self { channel: Channel::Fake(socket), port, buffers })
    }

    /// Takes over a socket that the caller opened. Discards the datagrams in it, which answer
    /// the caller's own requests.
    #[cfg(feature = "packet")]
    pub(crate) fn adopt(mut socket: Socket) -> Result<Self> {
        let adopt = || -> Result<Self, Failure> {
            let netlink = socket_domain(&socket)? == AddressFamily::NETLINK;
            if !netlink || socket_protocol(&socket)? != Some(netlink::GENERIC) {
                return Err(Failure::System(Errno::PROTOTYPE));
            }
            // The caller may have asked for silence about lost answers. A lost refusal would then
            // pass as a change that is done.
            socket.set_no_enobufs(false)?;
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
                    // Answers that an overflow lost were not for this client either.
                    Ok(_) | Err(Failure::Overflow | Failure::Interrupted) => {}
                    Err(Failure::Empty) => break,
                    Err(failure) => return Err(failure),
                }
            }
            Ok(Self::measure(socket, port)?)
        };
        adopt().map_err(|failure| Error::not_sent(CONNECT, failure))
    }
}

fn prepare(socket: &Socket) -> io::Result<()> {
    // A connected socket receives messages of the kernel only.
    socket.connect(&SocketAddr::new(0, 0))?;
    // Errors say less on kernels before 4.12 and 4.3, which do not have these options.
    let _ = socket.set_ext_ack(true);
    let _ = socket.set_cap_ack(true);
    Ok(())
}

impl Endpoints {
    /// Opens both sockets in the network namespace of the calling thread.
    pub(crate) fn open() -> Result<Self> {
        let (open, home) = (Endpoint::open, Home::of_this_thread);
        let all = || Ok(Self { commands: open()?, dumps: open()?, home: home() });
        all().map_err(|cause: io::Error| Error::not_sent(CONNECT, cause.into()))
    }

    /// Opens both sockets in a network namespace of a fake kernel.
    #[cfg(feature = "fake")]
    pub(crate) fn fake(namespace: &Namespace) -> Result<Self> {
        let open = || Endpoint::fake(namespace);
        let all = || Ok(Self { commands: open()?, dumps: open()?, home: Home::Fake });
        all().map_err(|cause: io::Error| Error::not_sent(CONNECT, cause.into()))
    }

    /// Opens both sockets in the network namespace of the file at `path`.
    pub(crate) fn open_at(path: &Path) -> Result<Self> {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOCTTY | OFlags::NONBLOCK;
        let open = || {
            let namespace = rustix::fs::open(path, flags, Mode::empty()).map_err(|errno| {
                let error = Error::not_sent(CONNECT, errno.into());
                match errno {
                    Errno::NOENT | Errno::NOTDIR => error.no_namespace(ErrorKind::NoSuchNamespace),
                    // The file is a socket, or a device without a driver.
                    Errno::NXIO => error.no_namespace(ErrorKind::NotANamespace),
                    _ => error.because("opening the file of the network namespace"),
                }
            })?;
            Self::open_in(rustix::fd::AsFd::as_fd(&namespace))
        };
        open().map_err(|error| error.at(path))
    }

    /// Opens both sockets in the network namespace of the open file `namespace`.
    ///
    /// A socket belongs to the namespace of the thread that opens it. A thread that ends at once
    /// opens these sockets, so the calling thread keeps its namespace.
    pub(crate) fn open_in(namespace: BorrowedFd<'_>) -> Result<Self> {
        let enter_and_open = || {
            move_into_link_name_space(namespace, Some(LinkNameSpaceType::Network)).map_err(
                |errno| {
                    let error = Error::not_sent(CONNECT, errno.into());
                    match errno {
                        Errno::PERM => {
                            error.because("entering a network namespace takes CAP_SYS_ADMIN")
                        }
                        // The file is not a namespace, or a namespace of another kind.
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
                Ok(Err(_)) => Err(Error::not_sent(CONNECT, Failure::Other)),
                Err(cause) => Err(Error::not_sent(CONNECT, cause.into())),
            }
        })
    }
}

#[cfg(all(test, feature = "packet"))]
mod tests {
    use super::*;

    /// Without the error, refusals that the receive buffer had no room for would pass as done.
    #[test]
    fn an_adopted_socket_tells_of_lost_answers() {
        let socket = Socket::new(NETLINK_GENERIC).unwrap();
        socket.set_no_enobufs(true).unwrap();
        let Channel::Kernel(adopted) = Endpoint::adopt(socket).unwrap().channel else {
            panic!("a socket of the kernel");
        };
        assert!(!adopted.get_no_enobufs().unwrap());
    }
}

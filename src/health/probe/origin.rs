use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use socket2::{Domain, Protocol, Socket, Type};

use crate::health::probe::namespace;
use crate::health::probe::ours::ours;
use crate::health::probe::through::Way;

/// Where a check comes from, and which way it takes. By default the kernel decides.
///
/// ```
/// use ipvs_netlink::health::probe::Origin;
///
/// let origin = Origin::new().source([192, 0, 2, 1].into()).mark(7);
/// assert_eq!(origin.mark, Some(7));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
#[must_use]
pub struct Origin {
    /// The source address. Its family must be that of the target.
    pub source: Option<IpAddr>,
    /// The interface that packets leave and enter (`SO_BINDTODEVICE`), at most 15 bytes.
    pub interface: Option<String>,
    /// The firewall mark of the packets (`SO_MARK`). It needs `CAP_NET_ADMIN`.
    pub mark: Option<u32>,
    /// The file of the network namespace that the check comes from, such as `/run/netns/blue`.
    /// `None` is the one of the thread that [starts](super::Runner::start) the runner. Entering
    /// another one needs `CAP_SYS_ADMIN`.
    ///
    /// Sockets are opened and programs started there; all of it is done anew for each check, so
    /// that a namespace which is deleted and made again is found. Files are those of the program:
    /// unlike `ip netns exec`, a check mounts neither `/etc/netns` nor `/sys`.
    pub namespace: Option<PathBuf>,
    /// How packets go through a virtual address. Only the runner says so.
    pub(super) way: Option<Way>,
}

impl Origin {
    /// Lets the kernel decide.
    pub const fn new() -> Self {
        Self { source: None, interface: None, mark: None, namespace: None, way: None }
    }

    /// Sets the source address.
    pub const fn source(mut self, source: IpAddr) -> Self {
        self.source = Some(source);
        self
    }

    /// Sets the interface.
    pub fn interface(mut self, interface: impl Into<String>) -> Self {
        self.interface = Some(interface.into());
        self
    }

    /// Sets the firewall mark.
    pub const fn mark(mut self, mark: u32) -> Self {
        self.mark = Some(mark);
        self
    }

    /// Sets the file of the network namespace.
    pub fn namespace(mut self, path: impl Into<PathBuf>) -> Self {
        self.namespace = Some(path.into());
        self
    }

    /// Opens a socket that does not block, with these settings, for the family of `target`.
    pub(super) fn socket(&self, target: SocketAddr, kind: Type) -> io::Result<Socket> {
        let protocol = if kind == Type::STREAM { Protocol::TCP } else { Protocol::UDP };
        self.socket_of(target, kind, protocol).map_err(ours)
    }

    /// Opens a socket of a protocol.
    pub(super) fn socket_of(
        &self,
        target: SocketAddr,
        kind: Type,
        protocol: Protocol,
    ) -> io::Result<Socket> {
        let opened = self.inside(|| self.open(target, kind, protocol));
        match &self.way {
            Some(way) => opened.inspect_err(|error| way.failed(error)),
            None => opened,
        }
    }

    /// Does `work` in the network namespace of the check.
    pub(super) fn inside<T>(&self, work: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        if namespace::is_lost() {
            return Err(io::Error::other(namespace::LOST_THREAD));
        }
        match &self.namespace {
            None => work(),
            Some(path) => namespace::visit(path, work),
        }
    }

    /// Returns the address that answers datagrams which are sent to `target`.
    pub(super) fn answers_from(&self, target: SocketAddr) -> SocketAddr {
        self.way.as_ref().map_or(target, Way::answers_from)
    }

    /// Opens a socket in the network namespace of the thread.
    fn open(&self, target: SocketAddr, kind: Type, protocol: Protocol) -> io::Result<Socket> {
        let socket = Socket::new(Domain::for_address(target), kind.nonblocking(), Some(protocol))?;
        if let Some(mark) = self.mark {
            socket.set_mark(mark)?;
        }
        if let Some(interface) = &self.interface {
            socket.bind_device(Some(interface.as_bytes()))?;
        }
        match (self.source, &self.way) {
            (Some(source), Some(way)) if kind == Type::STREAM => {
                way.bind(&socket, source, target)?
            }
            (Some(source), _) => socket.bind(&SocketAddr::new(source, 0).into())?,
            (None, _) => {}
        }
        Ok(socket)
    }
}

//! Servers, and clients with many addresses, all in the namespace of the test.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::{IpAddr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsRawFd, OwnedFd};
use std::thread::sleep;
use std::time::{Duration, Instant};

use ipvs_netlink::{AddressFamily, Client, Destination};
use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily as SocketFamily, Backlog, SockFlag, SockProtocol, SockType, SockaddrStorage,
    bind, connect, listen, setsockopt, socket, sockopt,
};

use crate::harness::Random;
use crate::namespace::{fresh, ip};

/// The time after which a connection counts as refused. The handshake needs no time: both ends
/// are in one kernel. Linux 6.12 does not report a refusal at once.
const PATIENCE: Duration = Duration::from_millis(150);
/// How many connections are opened before the servers accept them.
const AT_ONCE: usize = 64;
const SERVERS: u16 = 10;

/// A namespace with servers, in which all addresses of 10.0.0.0/8 and fd00::/16 are local.
pub(crate) struct Town {
    pub(crate) ipvs: Client,
    servers: BTreeMap<SocketAddr, TcpListener>,
    /// The protocol of the connections: TCP or SCTP.
    protocol: SockProtocol,
}

/// A connection that a client opens.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call {
    pub(crate) from: SocketAddr,
    pub(crate) to: SocketAddr,
    pub(crate) mark: Option<u32>,
}

/// A connection, open until it is dropped. The client then resets the connection.
pub(crate) struct Line {
    _client: OwnedFd,
    server: Option<(SocketAddr, TcpStream)>,
}

impl Line {
    /// The server at the other end, or `None` if the connection was refused.
    pub(crate) fn server(&self) -> Option<SocketAddr> {
        self.server.as_ref().map(|(address, _)| *address)
    }
}

impl Town {
    pub(crate) fn new() -> Self {
        Self::of(SockProtocol::Tcp)
    }

    /// A town whose servers and clients speak `protocol`: TCP or SCTP.
    pub(crate) fn of(protocol: SockProtocol) -> Self {
        let ipvs = fresh();
        ip("route add local 10.0.0.0/8 dev lo");
        ip("-6 route add local fd00::/16 dev lo");
        fs::write("/proc/sys/net/ipv6/ip_nonlocal_bind", "1").unwrap();
        let families: &[AddressFamily] = match protocol {
            // Each listener costs much time.
            SockProtocol::Sctp => &[AddressFamily::Ipv4],
            _ => &[AddressFamily::Ipv4, AddressFamily::Ipv6],
        };
        let count = if protocol == SockProtocol::Sctp { 3 } else { SERVERS };
        let mut servers = BTreeMap::new();
        for n in 0..count {
            let addresses = families.iter().flat_map(|it| [server(*it, n), server_at_80(*it, n)]);
            for address in addresses {
                let family = family_of(address);
                let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
                let listener = socket(family, SockType::Stream, flags, protocol).unwrap();
                bind(listener.as_raw_fd(), &SockaddrStorage::from(address)).unwrap();
                listen(&listener, Backlog::MAXCONN).unwrap();
                servers.insert(address, listener.into());
            }
        }
        Self { ipvs, servers, protocol }
    }

    /// Opens connections, and returns them in the order of the calls.
    pub(crate) fn open(&self, calls: &[Call]) -> Vec<Line> {
        calls.chunks(AT_ONCE).flat_map(|calls| self.open_some(calls)).collect()
    }

    fn open_some(&self, calls: &[Call]) -> Vec<Line> {
        let clients: Vec<OwnedFd> = calls.iter().map(|call| dial(call, self.protocol)).collect();
        let mut accepted = BTreeMap::new();
        let deadline = Instant::now() + PATIENCE;
        loop {
            for (address, listener) in &self.servers {
                while let Ok((stream, client)) = listener.accept() {
                    accepted.insert(client, (*address, stream));
                }
            }
            let is_pending = |(client, call): (&OwnedFd, &Call)| {
                let error = nix::sys::socket::getsockopt(client, sockopt::SocketError);
                !accepted.contains_key(&call.from) && error == Ok(0)
            };
            let pending = clients.iter().zip(calls).any(is_pending);
            if !pending || Instant::now() > deadline {
                break;
            }
            sleep(Duration::from_millis(1));
        }
        let line = |(client, call): (OwnedFd, &Call)| Line {
            _client: client,
            server: accepted.remove(&call.from),
        };
        clients.into_iter().zip(calls).map(line).collect()
    }

    /// The server that takes each connection. Each is closed at once.
    pub(crate) fn visit(&self, calls: &[Call]) -> Vec<Option<SocketAddr>> {
        let servers = |calls| {
            let lines = self.open_some(calls);
            lines.iter().map(Line::server).collect::<Vec<_>>()
        };
        calls.chunks(AT_ONCE).flat_map(servers).collect()
    }
}

/// Begins to open a connection. Dropping the socket resets the connection.
fn dial(call: &Call, protocol: SockProtocol) -> OwnedFd {
    let family = family_of(call.from);
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    let client = socket(family, SockType::Stream, flags, protocol).unwrap();
    if let Some(mark) = call.mark {
        setsockopt(&client, sockopt::Mark, &mark).unwrap();
    }
    let linger = nix::libc::linger { l_onoff: 1, l_linger: 0 };
    setsockopt(&client, sockopt::Linger, &linger).unwrap();
    bind(client.as_raw_fd(), &SockaddrStorage::from(call.from)).unwrap();
    match connect(client.as_raw_fd(), &SockaddrStorage::from(call.to)) {
        Ok(()) | Err(Errno::EINPROGRESS | Errno::ECONNREFUSED) => client,
        Err(error) => panic!("{call:?}: {error}"),
    }
}

const fn family_of(address: SocketAddr) -> SocketFamily {
    if address.is_ipv4() { SocketFamily::Inet } else { SocketFamily::Inet6 }
}

/// The address of a server.
pub(crate) fn server(family: AddressFamily, n: u16) -> SocketAddr {
    match family {
        AddressFamily::Ipv4 => {
            SocketAddr::from(([127, 1, 0, 1 + u8::try_from(n).unwrap()], 8000 + n))
        }
        AddressFamily::Ipv6 => {
            SocketAddr::from((Ipv6Addr::new(0xfd00, 1, 0, 0, 0, 0, 0, 1 + n), 8000 + n))
        }
    }
}

/// The same server at port 80.
pub(crate) fn server_at_80(family: AddressFamily, n: u16) -> SocketAddr {
    SocketAddr::new(server(family, n).ip(), 80)
}

/// A random choice of servers as destinations of weight 1, in random order.
pub(crate) fn some_servers(random: &mut Random, family: AddressFamily) -> Vec<Destination> {
    let mut all: Vec<u16> = (0..SERVERS).collect();
    let count = 1 + random.below(usize::from(SERVERS));
    let mut chosen = Vec::new();
    while chosen.len() < count {
        let n = all.swap_remove(random.below(all.len()));
        chosen.push(Destination::masquerade(server(family, n)));
    }
    chosen
}

/// Different clients, with random addresses and ports.
pub(crate) struct Clients(BTreeSet<SocketAddr>);

impl Clients {
    pub(crate) const fn new() -> Self {
        Self(BTreeSet::new())
    }

    pub(crate) fn next(&mut self, random: &mut Random, family: AddressFamily) -> SocketAddr {
        loop {
            let bits = random.number();
            let [_, a, b, c] = u32::try_from(bits >> 32).unwrap().to_be_bytes();
            let ip: IpAddr = match family {
                AddressFamily::Ipv4 => [10, a, b, c].into(),
                AddressFamily::Ipv6 => {
                    let high = 0xfd00_0002_u128 << 96 | u128::from(random.number() >> 32) << 64;
                    Ipv6Addr::from_bits(high | u128::from(bits)).into()
                }
            };
            let port = 1024 + u16::try_from(random.below(60_000)).unwrap();
            let client = SocketAddr::new(ip, port);
            if self.0.insert(client) {
                return client;
            }
        }
    }
}

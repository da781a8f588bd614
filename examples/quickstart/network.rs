//! A small network of network namespaces, all of it inside this process.
//!
//! ```text
//!     client                  director                  servers
//!     10.1.0.11 to .16 ------ 10.1.0.1
//!                             192.0.2.10 to .12
//!                             10.2.1.1 ---------------- 10.2.1.2
//!                             10.2.2.1 ---------------- 10.2.2.2
//!                             10.2.3.1 ---------------- 10.2.3.2
//! ```
//!
//! No namespace has a name. A namespace exists as long as a file or socket is open in it, so
//! nothing of the network is left when the process has ended, however it ended.

use std::fs::{self, File};
use std::net::IpAddr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::{io, iter, panic, thread};

use nix::net::if_::if_nametoindex;
use nix::sched::{CloneFlags, setns, unshare};
use rtnetlink::packet_route::link::{InfoData, InfoVeth};
use rtnetlink::{Handle, LinkUnspec, LinkVeth, RouteMessageBuilder, new_connection};

/// How many addresses the client has.
const CLIENTS: u8 = 6;
/// How many virtual addresses the director has.
const VIRTUALS: u8 = 3;

/// A network namespace. It ends when this value and every socket in it are dropped.
#[derive(Debug)]
pub(crate) struct Namespace(OwnedFd);

impl Namespace {
    /// Makes a namespace, with the loopback interface up.
    pub(crate) fn new() -> io::Result<Self> {
        // This thread creates a namespace, opens it and ends; the open file keeps the namespace.
        let namespace = on_a_thread(|| {
            unshare(CloneFlags::CLONE_NEWNET)?;
            if has_ipv6() {
                // Switch off the detection of duplicate addresses, which takes a second.
                fs::write("/proc/sys/net/ipv6/conf/default/accept_dad", "0")?;
            }
            Ok(Self(File::open("/proc/thread-self/ns/net")?.into()))
        })?;
        namespace.assign("lo", &[])?;
        Ok(namespace)
    }

    /// Runs `work` in the namespace. A socket that `work` opens belongs to the namespace for good,
    /// whichever thread uses it.
    pub(crate) fn run<T: Send>(
        &self,
        work: impl FnOnce() -> io::Result<T> + Send,
    ) -> io::Result<T> {
        on_a_thread(|| {
            setns(self, CloneFlags::CLONE_NEWNET)?;
            work()
        })
    }

    /// Changes links, addresses and routes of the namespace.
    pub(crate) fn configure(
        &self,
        work: impl AsyncFnOnce(Handle) -> Result<(), rtnetlink::Error> + Send,
    ) -> io::Result<()> {
        self.run(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
            runtime.block_on(async {
                let (connection, handle, _) = new_connection()?;
                tokio::spawn(connection);
                work(handle).await.map_err(io::Error::other)
            })
        })
    }

    /// Sets an interface up and gives it addresses.
    pub(crate) fn assign(&self, interface: &str, addresses: &[Addresses]) -> io::Result<()> {
        self.configure(async |network| {
            let index = if_nametoindex(interface)
                .map_err(|errno| rtnetlink::Error::NamespaceError(errno.to_string()))?;
            network.link().set(LinkUnspec::new_with_index(index).up().build()).execute().await?;
            for address in addresses.iter().flat_map(Addresses::usable) {
                let prefix = if address.is_ipv4() { 24 } else { 64 };
                network.address().add(index, address, prefix).execute().await?;
            }
            Ok(())
        })
    }

    /// Adds default routes through `gateways`.
    fn route_through(&self, gateways: Addresses) -> io::Result<()> {
        self.configure(async |network| {
            for gateway in gateways.usable() {
                let everywhere = if gateway.is_ipv4() { [0; 4].into() } else { [0; 16].into() };
                let route = RouteMessageBuilder::<IpAddr>::new()
                    .destination_prefix(everywhere, 0)
                    .and_then(|route| route.gateway(gateway))
                    .map_err(|error| rtnetlink::Error::NamespaceError(error.to_string()))?;
                network.route().add(route.build()).execute().await?;
            }
            Ok(())
        })
    }

    /// Creates `interface` and connects it to `eth0` of another namespace (veth), with an address
    /// at both ends.
    fn join(
        &self,
        interface: &str,
        addresses: Addresses,
        other: &Self,
        others: &[Addresses],
    ) -> io::Result<()> {
        self.configure(async |network| {
            let end = LinkUnspec::new_with_name("eth0").setns_by_fd(other.0.as_raw_fd());
            let cable = LinkVeth::new(interface, "eth0")
                .set_info_data(InfoData::Veth(InfoVeth::Peer(end.build())));
            network.link().add(cable.build()).execute().await
        })?;
        self.assign(interface, &[addresses])?;
        other.assign("eth0", others)?;
        other.route_through(addresses)
    }
}

impl AsFd for Namespace {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// The client, the director and the servers.
#[derive(Debug)]
pub(crate) struct Network {
    /// The namespace of the clients.
    pub(crate) client: Namespace,
    /// The namespace of IPVS.
    pub(crate) director: Namespace,
    /// The namespaces of the servers.
    pub(crate) servers: Vec<Namespace>,
}

impl Network {
    /// Builds the network with so many servers.
    pub(crate) fn with_servers(count: u8) -> io::Result<Self> {
        let (client, director) = (Namespace::new()?, Namespace::new()?);
        let clients: Vec<_> = (0..CLIENTS).map(client_addresses).collect();
        let gateway = Addresses::new([10, 1, 0, 1], [0xfd00, 1, 0, 1]);
        director.join("client", gateway, &client, &clients)?;

        let mut servers = Vec::new();
        for n in 0..count {
            let server = Namespace::new()?;
            let gateway = Addresses::new([10, 2, n + 1, 1], [0xfd00, 2, u16::from(n) + 1, 1]);
            director.join(&format!("server{n}"), gateway, &server, &[server_addresses(n)])?;
            servers.push(server);
        }

        // The virtual addresses are local addresses of the director, because IPVS takes packets
        // on their way to a local socket.
        let virtuals: Vec<_> = (0..VIRTUALS).map(virtual_addresses).collect();
        director.assign("lo", &virtuals)?;
        // Masquerading needs forwarding. These files belong to the namespace of the thread that
        // opens them.
        director.run(|| {
            fs::write("/proc/sys/net/ipv4/ip_forward", "1")?;
            if has_ipv6() {
                fs::write("/proc/sys/net/ipv6/conf/all/forwarding", "1")?;
            }
            Ok(())
        })?;
        Ok(Self { client, director, servers })
    }
}

/// The addresses of a host, one of each family.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Addresses {
    /// The IPv4 address.
    pub(crate) v4: IpAddr,
    /// The IPv6 address, for kernels with IPv6.
    pub(crate) v6: IpAddr,
}

impl Addresses {
    fn new(v4: [u8; 4], [a, b, c, d]: [u16; 4]) -> Self {
        Self { v4: v4.into(), v6: [a, b, c, 0, 0, 0, 0, d].into() }
    }

    fn usable(&self) -> impl Iterator<Item = IpAddr> {
        iter::once(self.v4).chain(has_ipv6().then_some(self.v6))
    }
}

/// The addresses of the client with this number, 0 to 5.
pub(crate) fn client_addresses(n: u8) -> Addresses {
    Addresses::new([10, 1, 0, n + 11], [0xfd00, 1, 0, u16::from(n) + 0x11])
}

/// The virtual addresses with this number, 0 to 2.
pub(crate) fn virtual_addresses(n: u8) -> Addresses {
    Addresses::new([192, 0, 2, n + 10], [0x2001, 0xdb8, 0, u16::from(n) + 0x10])
}

/// The addresses of the server with this number.
pub(crate) fn server_addresses(n: u8) -> Addresses {
    Addresses::new([10, 2, n + 1, 2], [0xfd00, 2, u16::from(n) + 1, 2])
}

/// Returns `true` if the kernel has IPv6.
pub(crate) fn has_ipv6() -> bool {
    Path::new("/proc/sys/net/ipv6").exists()
}

/// Runs `work` on a thread of its own.
fn on_a_thread<T: Send>(work: impl FnOnce() -> io::Result<T> + Send) -> io::Result<T> {
    thread::scope(|scope| {
        let thread = thread::Builder::new().spawn_scoped(scope, work)?;
        thread.join().unwrap_or_else(|payload| panic::resume_unwind(payload))
    })
}

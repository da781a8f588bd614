//! The data path: IPVS sends real connections to the destinations of the table.
//!
//! Most tests need one namespace: IPVS also balances connections from a host to its own loopback
//! addresses.

mod controllers;
mod costs;
mod drains;
mod forwarding;
mod growth;
mod hashing;
mod life;
mod locality;
mod persistence;
mod plans;
mod schedulers;
mod traffic;
mod warnings;

#[path = "../../examples/quickstart/greeting.rs"]
mod greeting;
#[path = "../../examples/quickstart/network.rs"]
mod network;

use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::thread::sleep;
use std::time::{Duration, Instant};

use greeting::{Connection, Server, serve};
use ipvs_netlink::{Client, Destination, DestinationEntry, DestinationId, Service, ServiceId};
use network::Namespace;
use nix::sys::socket::{AddressFamily, SockFlag, SockType, setsockopt, socket, sockopt};

/// The time to wait for an answer that must come, long enough for a busy or emulated machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// A TCP service that nothing but IPVS answers.
const WEB: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(127, 0, 0, 80)), 80);

/// A namespace with servers, numbered from 0, and a client of its IPVS.
struct Lab {
    /// Keeps the namespace: Linux 6.12 deadlocks if a namespace ends while `lblc` is loaded.
    namespace: &'static Namespace,
    ipvs: Client,
    /// The servers, which end with the lab: user-mode Linux gets slower with every thread.
    _servers: Vec<Server>,
}

impl Lab {
    fn with_servers(count: u16) -> Self {
        let namespace = Namespace::new().expect("a test on a real kernel needs CAP_SYS_ADMIN");
        let namespace: &_ = Box::leak(Box::new(namespace));
        // Linux uses a port of the loopback again after a second. IPVS remembers the former
        // connection of the port for two minutes and would send the new one to the same server.
        let reuse = || fs::write("/proc/sys/net/ipv4/tcp_tw_reuse", "0");
        namespace.run(reuse).unwrap();
        let mut servers = Vec::new();
        for n in 0..count {
            for address in [server(n), server_v6(n)] {
                servers.push(serve(namespace, address, &n.to_string()).unwrap());
            }
        }
        let ipvs = Client::in_namespace_fd(namespace).expect("a kernel with IPVS");
        Self { namespace, ipvs, _servers: servers }
    }

    /// Adds a service with one server for each weight.
    fn add(&mut self, service: &Service, weights: &[u32]) -> ServiceId {
        self.ipvs.add_service(service).unwrap();
        for (n, &weight) in (0..).zip(weights) {
            let server = match service.id.family() {
                ipvs_netlink::AddressFamily::Ipv4 => server(n),
                ipvs_netlink::AddressFamily::Ipv6 => server_v6(n),
            };
            let destination = Destination::masquerade(server).weight(weight);
            self.ipvs.add_destination(service.id, &destination).unwrap();
        }
        service.id
    }

    fn set_weight(&mut self, service: ServiceId, n: u16, weight: u32) {
        self.ipvs.set_weight(service, id(n), weight).unwrap();
    }

    fn entry(&mut self, service: ServiceId, n: u16) -> DestinationEntry {
        self.ipvs.destination(service, id(n)).unwrap()
    }

    fn open_from(&self, from: IpAddr, to: SocketAddr) -> io::Result<Connection> {
        Connection::open(self.namespace, from, to, PATIENCE)
    }

    fn open(&self, to: SocketAddr) -> io::Result<Connection> {
        self.open_from(localhost(to), to)
    }

    /// Connects with a firewall mark on every packet.
    fn open_marked(&self, mark: u32, to: SocketAddr) -> io::Result<Connection> {
        let socket = self.namespace.run(|| {
            Ok(socket(AddressFamily::Inet, SockType::Stream, SockFlag::SOCK_CLOEXEC, None)?)
        })?;
        setsockopt(&socket, sockopt::Mark, &mark)?;
        Connection::over(socket, to, PATIENCE)
    }

    /// Opens connections that stay open.
    fn hold(&self, count: usize, to: SocketAddr) -> Vec<Connection> {
        (0..count).map(|_| self.open(to).unwrap()).collect()
    }

    /// Opens connections, each closed before the next, and returns who answered.
    fn visit(&self, count: usize, to: SocketAddr) -> Vec<usize> {
        (0..count).map(|_| visit(self.open(to))).collect()
    }
}

/// An IPv4 server and its name.
fn server(n: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, 8000 + n).into()
}

fn server_v6(n: u16) -> SocketAddr {
    (Ipv6Addr::LOCALHOST, 8000 + n).into()
}

fn id(n: u16) -> DestinationId {
    server(n).into()
}

/// One of many addresses of the loopback interface.
fn loopback(network: u8, host: u8) -> IpAddr {
    [127, 0, network, host].into()
}

fn localhost(to: SocketAddr) -> IpAddr {
    match to {
        SocketAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
        SocketAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
    }
}

/// Closes a connection and returns who answered.
fn visit(connection: io::Result<Connection>) -> usize {
    let mut connection = connection.unwrap();
    connection.close().unwrap();
    answered(&connection)
}

fn answered(connection: &Connection) -> usize {
    connection.server.parse().unwrap()
}

/// How many of the connections each server has answered.
fn held<const N: usize>(connections: &[Connection]) -> [usize; N] {
    tally(connections.iter().map(answered))
}

fn tally<const N: usize>(answers: impl IntoIterator<Item = usize>) -> [usize; N] {
    let mut tally = [0; N];
    answers.into_iter().for_each(|n| tally[n] += 1);
    tally
}

fn is_refused(connection: &io::Result<Connection>) -> bool {
    connection.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused)
}

/// Waits until the kernel has updated its counters, which takes up to two seconds.
fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < deadline, "{what}: not within {PATIENCE:?}");
        sleep(Duration::from_millis(20));
    }
}

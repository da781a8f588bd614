//! A host to make ill: a fresh network namespace of this thread.

use std::net::{SocketAddr, TcpStream};
use std::os::fd::AsRawFd as _;
use std::path::Path;
use std::time::{Duration, Instant};
use std::{fs, io};

use ipvs_netlink::{Client, Destination, Forwarding, Service, Tunnel};
use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, SockFlag, SockType, SockaddrStorage, bind, connect, setsockopt, socket, sockopt,
};

use crate::checks::CHECKS;
use crate::finding::{Finding, Severity};
use crate::gather;
use crate::host::Host;
use crate::namespace::{fresh, run, without_loopback};
use crate::network::Namespace;

/// Long enough for a connection that works, on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
/// Long enough to see that one does not.
pub(crate) const IMPATIENCE: Duration = Duration::from_millis(700);

/// An address that is none of any host here.
pub(crate) const VIP: &str = "192.0.2.10";

pub(crate) struct Patient {
    pub(crate) ipvs: Client,
}

impl Patient {
    pub(crate) fn new() -> Self {
        Self { ipvs: fresh() }
    }

    /// A patient with the interface `eth0`, 10.0.0.1/24, and neighbours behind it.
    pub(crate) fn with_network() -> Self {
        let patient = Self { ipvs: without_loopback() };
        // The other end is no neighbour of its own.
        network(&[
            "link set lo up",
            "link add eth0 type veth peer name other",
            "link set other arp off up",
            "link set eth0 up",
            "address add 10.0.0.1/24 dev eth0",
        ]);
        patient
    }

    /// A patient with a virtual address for direct routing or a tunnel.
    pub(crate) fn real_server(tunnel: bool) -> Self {
        let patient = Self::with_network();
        let mut commands = vec!["address add 10.0.0.100/32 dev lo"];
        if tunnel {
            commands.push("link add ipip1 type ipip local 10.0.0.1 remote 10.0.0.254");
            commands.push("link set ipip1 up");
        }
        network(&commands);
        patient
    }

    /// Adds a service with destinations.
    pub(crate) fn add(&mut self, service: &Service, destinations: &[Destination]) {
        self.ipvs.add_service(service).unwrap();
        for destination in destinations {
            self.ipvs.add_destination(service.id, destination).unwrap();
        }
    }

    /// Finds one thing with this check.
    #[track_caller]
    pub(crate) fn ill(&self, check: &str) -> Finding {
        one(&look(), check)
    }

    /// Finds nothing with this check.
    #[track_caller]
    pub(crate) fn well(&self, check: &str) {
        none(&look(), check);
    }

    /// Finds one thing of this severity, and returns its evidence.
    #[track_caller]
    pub(crate) fn shows(&self, check: &str, severity: Severity) -> String {
        let finding = self.ill(check);
        assert_eq!(finding.severity, severity, "{finding:?}");
        finding.evidence.join("\n")
    }
}

/// Runs commands of iproute2 in this thread's namespace, in one process.
#[track_caller]
pub(crate) fn network(commands: &[&str]) {
    let script = "printf '%s\\n' \"$@\" | exec ip -batch -";
    run("sh", &[&["-c", script, "sh"], commands].concat());
}

/// Runs commands of iproute2 in another namespace.
#[track_caller]
pub(crate) fn network_in(namespace: &Namespace, commands: &[&str]) {
    let run = || {
        network(commands);
        Ok(())
    };
    namespace.run(run).unwrap();
}

/// Sets a file below /proc/sys of this thread's namespace.
#[track_caller]
pub(crate) fn set(path: &str, value: &str) {
    fs::write(Path::new("/proc/sys").join(path), value).unwrap();
}

/// Sets a file below /proc/sys of another namespace.
#[track_caller]
pub(crate) fn set_in(namespace: &Namespace, path: &str, value: &str) {
    namespace.run(|| fs::write(Path::new("/proc/sys").join(path), value)).unwrap();
}

/// Sets a setting of IPVS.
#[track_caller]
pub(crate) fn vs(name: &str, value: &str) {
    set(&format!("net/ipv4/vs/{name}"), value);
}

/// Looks at the host in this thread's namespace.
#[track_caller]
pub(crate) fn look() -> Host {
    let host = gather::host(None).unwrap();
    assert_eq!(host.unread, []);
    host
}

/// Looks at the host in another namespace, by the path of its file.
#[track_caller]
pub(crate) fn look_at(namespace: &Namespace) -> Host {
    use std::os::fd::AsFd as _;
    let path = format!("/proc/self/fd/{}", namespace.as_fd().as_raw_fd());
    let host = gather::host(Some(Path::new(&path))).unwrap();
    assert_eq!(host.unread, []);
    host
}

/// Returns what a check finds.
pub(crate) fn found(host: &Host, check: &str) -> Vec<Finding> {
    let check = CHECKS.iter().find(|it| it.name == check).unwrap();
    check.run(host)
}

/// Returns the one finding of a check, which says everything.
#[track_caller]
pub(crate) fn one(host: &Host, check: &str) -> Finding {
    let [finding] = <[Finding; 1]>::try_from(found(host, check)).unwrap();
    let Finding { check: name, severity: _, title, reason, evidence, fix, source } = &finding;
    assert_eq!(*name, check);
    for text in [title, reason, fix, *source].into_iter().chain(evidence.iter().map(String::as_str))
    {
        assert!(!text.is_empty() && !text.contains("  "), "{finding:?}");
    }
    assert!(!evidence.is_empty(), "{finding:?}");
    finding
}

#[track_caller]
pub(crate) fn none(host: &Host, check: &str) {
    assert_eq!(found(host, check), []);
}

pub(crate) fn web() -> Service {
    Service::tcp(([192, 0, 2, 10], 80).into())
}

pub(crate) fn dns() -> Service {
    Service::udp(([192, 0, 2, 10], 53).into())
}

/// A masqueraded server behind `eth0`.
pub(crate) fn server(n: u8) -> Destination {
    Destination::masquerade(([10, 0, 0, n], 8080).into())
}

pub(crate) fn direct(n: u8) -> Destination {
    Destination::new(SocketAddr::from(([10, 0, 0, n], 80)), Forwarding::DirectRoute)
}

pub(crate) fn tunnelled(n: u8, tunnel: Tunnel) -> Destination {
    Destination::new(SocketAddr::from(([10, 0, 0, n], 80)), Forwarding::Tunnel(tunnel))
}

/// Connects from another namespace, and closes the connection.
pub(crate) fn connect_in(
    namespace: &Namespace,
    to: SocketAddr,
    patience: Duration,
) -> io::Result<()> {
    namespace.run(|| TcpStream::connect_timeout(&to, patience)).map(drop)
}

/// Looks until there is something, or until a busy machine would have come to it, too.
pub(crate) fn soon<T>(mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let begin = Instant::now();
    loop {
        let seen = look();
        if seen.is_some() || begin.elapsed() > PATIENCE {
            return seen;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Connects from an address and port of the client's choice, which may have been used before.
///
/// The server has closed that connection first: the port is in use until the last packet has
/// been answered, which a busy machine does after both ends have closed.
pub(crate) fn connect_from(from: SocketAddr, to: SocketAddr) -> io::Result<TcpStream> {
    let connect = || {
        let kind = (AddressFamily::Inet, SockType::Stream, SockFlag::SOCK_CLOEXEC);
        let client = socket(kind.0, kind.1, kind.2, None)?;
        setsockopt(&client, sockopt::ReuseAddr, &true)?;
        bind(client.as_raw_fd(), &SockaddrStorage::from(from))?;
        connect(client.as_raw_fd(), &SockaddrStorage::from(to)).map(|()| client)
    };
    let connected = soon(|| Some(connect()).filter(|it| !matches!(it, Err(Errno::EADDRNOTAVAIL))));
    Ok(connected.unwrap_or(Err(Errno::EADDRNOTAVAIL))?.into())
}

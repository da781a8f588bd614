//! A network namespace for each test. It ends with the thread of the test.

use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use ipvs_netlink::{Client as Blocking, Destination, DestinationId, ServiceId};
use netlink_sys::{Socket, SocketAddr, protocols::NETLINK_GENERIC};
use nix::sched::{CloneFlags, unshare};

use crate::client::Client;

/// Empties the table when the thread ends. The kernel would do it some time later, which up to
/// Linux 7.0 disturbs the lists of the next test.
struct Emptied;

impl Drop for Emptied {
    fn drop(&mut self) {
        // A test may have given up the privilege.
        let _ = Blocking::connect().and_then(|mut ipvs| ipvs.flush());
    }
}

thread_local! {
    static EMPTIED: Emptied = const { Emptied };
}

/// Moves this thread into a fresh network namespace with `lo` up and connects.
pub(crate) fn fresh() -> Client {
    let ipvs = without_loopback();
    ip("link set lo up");
    ipvs
}

/// Moves this thread into a fresh network namespace as the kernel makes it and connects.
pub(crate) fn without_loopback() -> Client {
    unshare(CloneFlags::CLONE_NEWNET).expect("a test on a real kernel needs CAP_SYS_ADMIN");
    EMPTIED.with(|_| {});
    Client::connect().expect("a kernel with IPVS")
}

/// Runs iproute2 in this thread's namespace.
pub(crate) fn ip(arguments: &str) {
    run("ip", &arguments.split(' ').collect::<Vec<_>>());
}

/// Runs ipvsadm in this thread's namespace and returns what it prints.
pub(crate) fn ipvsadm(arguments: &str) -> String {
    run("ipvsadm", &arguments.split(' ').collect::<Vec<_>>())
}

/// Runs a program that must succeed.
pub(crate) fn run(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program)
        .args(arguments)
        .output()
        .unwrap_or_else(|error| panic!("{program} is needed for these tests: {error}"));
    assert!(output.status.success(), "{program} {arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The time by the clock of the kernel.
pub(crate) fn now() -> Instant {
    Instant::now()
}

pub(crate) fn sleep(time: Duration) {
    thread::sleep(time);
}

/// A server in this thread's namespace.
#[derive(Debug)]
pub(crate) struct Server(TcpListener);

impl Server {
    pub(crate) fn start() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").unwrap())
    }

    pub(crate) fn destination(&self) -> Destination {
        Destination::masquerade(self.0.local_addr().unwrap())
    }
}

/// A connection of a client to a service, which lasts until it is dropped.
#[derive(Debug)]
pub(crate) struct Connection {
    _stream: TcpStream,
}

impl Connection {
    /// The service has one destination, a server.
    pub(crate) fn open(service: ServiceId, _: DestinationId) -> Self {
        let ServiceId::Address { address, .. } = service else { panic!("{service}") };
        Self { _stream: TcpStream::connect(address).unwrap() }
    }
}

/// A netlink socket for requests that no client makes.
#[derive(Debug)]
pub(crate) struct RawSocket(Socket);

impl RawSocket {
    pub(crate) fn open() -> Self {
        let mut socket = Socket::new(NETLINK_GENERIC).unwrap();
        socket.bind_auto().unwrap();
        socket.connect(&SocketAddr::new(0, 0)).unwrap();
        Self(socket)
    }

    pub(crate) fn send(&mut self, datagram: &[u8]) {
        self.0.send(datagram, 0).unwrap();
    }

    pub(crate) fn receive(&mut self) -> Vec<u8> {
        let mut reply = Vec::with_capacity(32 * 1024);
        self.0.recv(&mut reply, 0).unwrap();
        reply
    }
}

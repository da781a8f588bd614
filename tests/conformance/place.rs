//! The namespace of a fake kernel in which a thread is.

use std::cell::RefCell;
use std::time::{Duration, Instant};

use ipvs_netlink::fake::{Kernel, Namespace, Socket, Version};
use ipvs_netlink::{Destination, DestinationId, ServiceId};

thread_local! {
    static HERE: RefCell<Option<(Kernel, Namespace)>> = const { RefCell::new(None) };
}

/// Moves this thread into a fresh namespace of a fresh kernel.
pub(crate) fn enter(version: Version) -> Namespace {
    let kernel = Kernel::with_version(version);
    let namespace = kernel.namespace("here");
    HERE.set(Some((kernel, namespace.clone())));
    namespace
}

/// The namespace of this thread.
pub(crate) fn here() -> Namespace {
    with(|_, namespace| namespace.clone())
}

fn with<T>(look: impl FnOnce(&Kernel, &Namespace) -> T) -> T {
    HERE.with_borrow(|here| {
        let (kernel, namespace) = here.as_ref().expect("the test is in no namespace");
        look(kernel, namespace)
    })
}

/// Does what iproute2 would do in this thread's namespace.
pub(crate) fn ip(arguments: &str) {
    match arguments.split(' ').collect::<Vec<_>>()[..] {
        ["link", "add", name, "type", "dummy"] => set_interface(name, false),
        ["link", "set", name, "up"] => set_interface(name, true),
        ["link", "set", name, "down"] => set_interface(name, false),
        ["address", "add", address, "dev", name] => {
            let (address, prefix) = address.split_once('/').unwrap();
            let (address, prefix) = (address.parse().unwrap(), prefix.parse().unwrap());
            here().add_address(name.parse().unwrap(), address, prefix);
        }
        _ => panic!("the fake kernel has no `ip {arguments}`"),
    }
}

fn set_interface(name: &str, up: bool) {
    let mtu = if name == "lo" { 65_536 } else { 1500 };
    here().set_interface(name.parse().unwrap(), mtu, up);
}

/// The time by the clock of the kernel.
pub(crate) fn now() -> Instant {
    with(|kernel, _| kernel.now())
}

/// Moves the clock of the kernel.
pub(crate) fn sleep(time: Duration) {
    with(|kernel, _| kernel.advance(time));
}

/// A server of which there is nothing but the address.
#[derive(Debug)]
pub(crate) struct Server;

impl Server {
    pub(crate) const fn start() -> Self {
        Self
    }

    #[allow(clippy::unused_self, reason = "a real server has a port of its own")]
    pub(crate) fn destination(&self) -> Destination {
        Destination::masquerade(([127, 0, 0, 1], 8080).into())
    }
}

/// A connection of a client to a service. It lasts longer than any test.
#[derive(Debug)]
pub(crate) struct Connection;

impl Connection {
    pub(crate) fn open(service: ServiceId, destination: DestinationId) -> Self {
        let day = Duration::from_secs(86_400);
        here().open_connections(service, destination, 1, day, Duration::ZERO).unwrap();
        Self
    }
}

/// A netlink socket for requests that no client makes.
#[derive(Debug)]
pub(crate) struct RawSocket(Socket);

impl RawSocket {
    pub(crate) fn open() -> Self {
        Self(here().socket().unwrap())
    }

    pub(crate) fn send(&mut self, datagram: &[u8]) {
        self.0.send(datagram).unwrap();
    }

    pub(crate) fn receive(&mut self) -> Vec<u8> {
        let mut reply = vec![0; 32 * 1024];
        let length = self.0.receive(&mut reply).unwrap();
        reply.truncate(length);
        reply
    }
}

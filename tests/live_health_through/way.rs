//! The ways to a server: forwarding methods, and what a server needs for them.

use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::process::Command;

use ipvs_netlink::table::TableService;
use ipvs_netlink::{
    Destination, DestinationId, Forwarding, GueChecksum, Scheduler, Service, ServiceId, Tunnel,
};

use crate::network::{Namespace, Network, virtual_addresses};

/// The port of the first way. Each way has a port of its own.
const FIRST: u16 = 8000;
/// The port of GUE.
const GUE: u16 = 6080;

/// A forwarding method, in one family.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Way {
    number: u16,
    pub(crate) forwarding: Forwarding,
    pub(crate) is_ipv4: bool,
}

impl Way {
    /// Returns all ways.
    pub(crate) fn all() -> Vec<Self> {
        let gue = |checksum| Forwarding::Tunnel(Tunnel::Gue { port: GUE, checksum });
        let gre = |checksum| Forwarding::Tunnel(Tunnel::Gre { checksum });
        let methods = [
            Forwarding::Masquerade,
            Forwarding::DirectRoute,
            Forwarding::Tunnel(Tunnel::Ipip),
            gue(GueChecksum::None),
            gue(GueChecksum::Full),
            gue(GueChecksum::RemoteOffload),
            gre(false),
            gre(true),
        ];
        let ways = methods.into_iter().flat_map(|forwarding| {
            [true, false].map(|is_ipv4| Self { number: 0, forwarding, is_ipv4 })
        });
        (0..).zip(ways).map(|(number, way)| Self { number, ..way }).collect()
    }

    pub(crate) fn one(forwarding: Forwarding, is_ipv4: bool) -> Self {
        let same = |way: &Self| way.forwarding == forwarding && way.is_ipv4 == is_ipv4;
        Self::all().into_iter().find(same).unwrap()
    }

    pub(crate) fn needs_virtual_address(&self) -> bool {
        self.forwarding != Forwarding::Masquerade
    }

    pub(crate) fn needs_unwrapping(&self) -> bool {
        matches!(self.forwarding, Forwarding::Tunnel(_))
    }

    pub(crate) fn port(&self) -> u16 {
        FIRST + self.number
    }

    /// The port of the server: another one than that of the service, if the method allows it.
    pub(crate) fn server_port(&self) -> u16 {
        self.port() + if self.needs_virtual_address() { 0 } else { 1000 }
    }

    pub(crate) fn vip(&self) -> SocketAddr {
        SocketAddr::new(vip(self.is_ipv4), self.port())
    }

    pub(crate) fn service(&self) -> ServiceId {
        ServiceId::tcp(self.vip())
    }

    /// The address of a server's host for this way. GRE with and without a checksum are different
    /// tunnels, and so need different addresses.
    pub(crate) fn server(&self, host: u8) -> DestinationId {
        let is_other = self.forwarding == Forwarding::Tunnel(Tunnel::Gre { checksum: true });
        let address = server(host, if is_other { 3 } else { 2 }, self.is_ipv4);
        SocketAddr::new(address, self.server_port()).into()
    }

    /// A service with servers on these hosts.
    pub(crate) fn table(&self, service: ServiceId, hosts: &[u8]) -> TableService {
        let service = Service::new(service).scheduler(Scheduler::ROUND_ROBIN);
        hosts.iter().fold(TableService::new(service), |service, host| {
            service.with(Destination::new(self.server(*host), self.forwarding))
        })
    }
}

pub(crate) fn vip(is_ipv4: bool) -> IpAddr {
    let both = virtual_addresses(0);
    if is_ipv4 { both.v4 } else { both.v6 }
}

fn server(host: u8, last: u8, is_ipv4: bool) -> IpAddr {
    match is_ipv4 {
        true => [10, 2, host + 1, last].into(),
        false => [0xfd00, 2, u16::from(host) + 1, 0, 0, 0, 0, u16::from(last)].into(),
    }
}

/// Runs iproute2 in a namespace.
#[track_caller]
pub(crate) fn ip(namespace: &Namespace, arguments: &str) {
    let run = || Command::new("ip").args(arguments.split(' ')).output();
    let output = namespace.run(run).unwrap();
    assert!(output.status.success(), "ip {arguments}: {output:?}");
}

/// Sets a sysctl of a namespace.
pub(crate) fn set(namespace: &Namespace, name: &str, value: &str) {
    let path = format!("/proc/sys/net/{name}");
    namespace.run(|| fs::write(&path, value)).unwrap();
}

/// Adds the virtual addresses to an interface of a host, or deletes them.
pub(crate) fn virtuals(host: &Namespace, what: &str, interface: &str) {
    for (address, prefix) in [(vip(true), 32), (vip(false), 128)] {
        ip(host, &format!("address {what} {address}/{prefix} dev {interface}"));
    }
}

/// The tunnels of a server.
const TUNNELS: [(&str, &str); 6] = [
    ("ipip1", "type ipip local 10.2.N.2 remote 10.2.N.1"),
    ("gre1", "type gre local 10.2.N.2 remote 10.2.N.1"),
    ("gresum1", "type gre local 10.2.N.3 remote 10.2.N.1 icsum"),
    ("ip6ip1", "type ip6tnl mode ip6ip6 local fd00:2:N::2 remote fd00:2:N::1"),
    ("gre61", "type ip6gre local fd00:2:N::2 remote fd00:2:N::1"),
    ("gre6sum1", "type ip6gre local fd00:2:N::3 remote fd00:2:N::1 icsum"),
];

/// Lets a host unwrap the packets of all tunnels.
pub(crate) fn unwrap_tunnels(network: &Network, host: u8) {
    let namespace = &network.servers[usize::from(host)];
    ip(namespace, &format!("address add {}/24 dev eth0", server(host, 3, true)));
    ip(namespace, &format!("address add {}/64 dev eth0", server(host, 3, false)));
    for interface in ["all", "default"] {
        set(namespace, &format!("ipv4/conf/{interface}/rp_filter"), "0");
    }
    for (interface, kind) in TUNNELS {
        let kind = kind.replace('N', &(host + 1).to_string());
        ip(namespace, &format!("link add {interface} {kind}"));
        set(namespace, &format!("ipv4/conf/{interface}/rp_filter"), "0");
        ip(namespace, &format!("link set {interface} up"));
    }
    ip(namespace, &format!("fou add port {GUE} gue"));
    ip(namespace, &format!("-6 fou add port {GUE} gue"));
}

/// Lets a host unwrap no packets any more.
pub(crate) fn wrap_tunnels(network: &Network, host: u8) {
    let namespace = &network.servers[usize::from(host)];
    for (interface, _) in TUNNELS {
        ip(namespace, &format!("link set {interface} down"));
    }
}

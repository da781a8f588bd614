//! The host as plain data: what the checks decide on.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use ipvs_netlink::{
    AddressFamily, DestinationEntry, Forwarding, Protocol, Role, ServiceSnapshot, Settings,
    Snapshot, SyncDaemon, Timeouts,
};

/// A host, or one network namespace of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Host {
    pub(crate) kernel: Kernel,
    /// What IPVS holds, or `None` if IPVS is not loaded.
    pub(crate) ipvs: Option<Ipvs>,
    /// The settings `net.ipv4.vs.*`.
    pub(crate) vs: Settings,
    /// Other settings.
    pub(crate) sysctls: Sysctls,
    pub(crate) links: Vec<Link>,
    pub(crate) addresses: Vec<Address>,
    /// Where the kernel sends packets to the virtual addresses and the destinations.
    pub(crate) routes: BTreeMap<IpAddr, Route>,
    pub(crate) listeners: Vec<Listener>,
    /// The processes in the network namespace.
    pub(crate) processes: Vec<Process>,
    pub(crate) modules: Modules,
    /// Packets of protocols that nothing in this namespace takes.
    pub(crate) unknown_protocols: u64,
    pub(crate) unread: Vec<Gap>,
}

/// A part of the host that is read for itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// The services, destinations, daemons and timeouts of IPVS.
    Table,
    /// The settings `net.ipv4.vs.*`.
    Settings,
    /// Other settings.
    Sysctls,
    Routes,
    Listeners,
    Processes,
    Modules,
    UnknownProtocols,
}

/// Something that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Gap {
    pub(crate) part: Part,
    /// What it is, and why.
    pub(crate) text: String,
}

/// Collects what could not be read.
#[derive(Debug, Default)]
pub(crate) struct Gaps(pub(crate) Vec<Gap>);

impl Gaps {
    pub(crate) fn push(&mut self, part: Part, text: impl ToString) {
        self.0.push(Gap { part, text: text.to_string() });
    }
}

/// The kernel.
#[derive(Clone, Debug, Default)]
pub(crate) struct Kernel {
    /// As `uname -r` prints it.
    pub(crate) release: String,
    /// The number of processors that counters are kept for.
    pub(crate) processors: u64,
}

impl Kernel {
    /// Returns `true` if the kernel is at least Linux `major.minor`, or its version is not known.
    pub(crate) fn is_at_least(&self, major: u32, minor: u32) -> bool {
        let mut numbers = self.release.split(|c: char| !c.is_ascii_digit()).map(str::parse);
        match (numbers.next(), numbers.next()) {
            (Some(Ok(own)), Some(Ok(own_minor))) => (own, own_minor) >= (major, minor),
            _ => true,
        }
    }
}

/// The state of IPVS.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ipvs {
    pub(crate) table: Snapshot,
    pub(crate) daemons: Vec<SyncDaemon>,
    pub(crate) timeouts: Timeouts,
    /// The number of buckets of the table of connections, 0 if not known.
    pub(crate) buckets: u32,
}

/// The values of files below `/proc/sys`, by their path there.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sysctls(pub(crate) BTreeMap<String, String>);

impl Sysctls {
    pub(crate) fn number(&self, path: &str) -> Option<i64> {
        self.0.get(path)?.parse().ok()
    }

    /// A setting of an interface for IPv4, where the larger value of `all` and the interface holds:
    /// `rp_filter`, `arp_ignore`, `arp_announce`.
    pub(crate) fn effective(&self, interface: &str, name: &str) -> Option<i64> {
        let of = |interface| self.number(&format!("net/ipv4/conf/{interface}/{name}"));
        of(interface).max(of("all"))
    }
}

/// A network interface.
#[derive(Clone, Debug, Default)]
pub(crate) struct Link {
    pub(crate) index: u32,
    pub(crate) name: String,
    /// As `ip -d link` prints it: `dummy`, `ipip`, `veth`. Empty for hardware.
    pub(crate) kind: String,
    pub(crate) mtu: u32,
    pub(crate) up: bool,
    pub(crate) loopback: bool,
    /// Whether neighbours are asked for by ARP.
    pub(crate) arp: bool,
}

impl Link {
    /// Returns `true` if the interface takes packets out of a tunnel that IPVS can send into.
    pub(crate) fn is_tunnel(&self) -> bool {
        matches!(
            self.kind.as_str(),
            "ipip" | "ip6tnl" | "sit" | "gre" | "ip6gre" | "gretap" | "ip6gretap" | "fou" | "gue"
        )
    }

    /// Returns `true` if neighbours on this interface may ask for the host's addresses.
    pub(crate) fn faces_neighbours(&self) -> bool {
        self.up && self.arp && !self.loopback && self.kind != "dummy" && !self.is_tunnel()
    }
}

/// An address of an interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    pub(crate) ip: IpAddr,
    pub(crate) prefix: u8,
    /// The index of the interface.
    pub(crate) link: u32,
}

impl Address {
    /// Returns `true` if `other` is in the network of this address.
    pub(crate) fn is_on_link(&self, other: IpAddr) -> bool {
        match (self.ip, other) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                let differ = own.to_bits() ^ other.to_bits();
                differ.leading_zeros() >= u32::from(self.prefix)
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                let differ = own.to_bits() ^ other.to_bits();
                differ.leading_zeros() >= u32::from(self.prefix)
            }
            _ => false,
        }
    }
}

/// What the kernel does with a packet to an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    /// The address is one of this host.
    Local,
    /// Sends it out.
    Out {
        /// The index of the interface.
        link: u32,
        /// The largest packet that fits, where the route says it.
        mtu: Option<u32>,
    },
    /// Has no route, or one that refuses.
    None,
}

/// A socket that waits for clients.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Listener {
    pub(crate) protocol: Protocol,
    pub(crate) address: SocketAddr,
}

impl Listener {
    /// Returns `true` if clients of this address reach the socket. One that listens on `::` may
    /// serve IPv4 too, which `/proc` does not show.
    pub(crate) fn serves(&self, protocol: Protocol, address: SocketAddr) -> bool {
        let own = self.address.ip();
        self.protocol == protocol
            && self.address.port() == address.port()
            && (own == address.ip()
                || own == IpAddr::V6(Ipv6Addr::UNSPECIFIED)
                || own.is_unspecified() && address.is_ipv4())
    }
}

impl fmt::Display for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.protocol, self.address)
    }
}

/// A process in the network namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Process {
    pub(crate) id: u32,
    pub(crate) name: String,
}

/// The modules of the kernel.
#[derive(Clone, Debug, Default)]
pub(crate) struct Modules {
    pub(crate) loaded: BTreeSet<String>,
    /// The modules of the running kernel on disk, or `None` if its folder is not there.
    pub(crate) on_disk: Option<BTreeSet<String>>,
}

/// A destination of a service.
pub(crate) type Pair<'a> = (&'a ServiceSnapshot, &'a DestinationEntry);

impl Host {
    pub(crate) fn services(&self) -> impl Iterator<Item = &ServiceSnapshot> {
        self.ipvs.iter().flat_map(|ipvs| ipvs.table.services())
    }

    pub(crate) fn pairs(&self) -> impl Iterator<Item = Pair<'_>> {
        self.services().flat_map(|service| {
            service.destinations.iter().map(move |destination| (service, destination))
        })
    }

    /// Returns `true` if IPVS is loaded and has nothing to balance.
    pub(crate) fn has_empty_table(&self) -> bool {
        self.ipvs.as_ref().is_some_and(|ipvs| ipvs.table.is_empty())
    }

    /// Returns `true` if a part could not be read at all, and the host looks as if it had none.
    pub(crate) fn is_hidden(&self, part: Part) -> bool {
        part == Part::Table
            && self.ipvs.is_none()
            && self.unread.iter().any(|gap| gap.part == Part::Table)
    }

    pub(crate) fn is_local(&self, address: IpAddr) -> bool {
        self.routes.get(&address) == Some(&Route::Local)
    }

    pub(crate) fn link(&self, index: u32) -> Option<&Link> {
        self.links.iter().find(|link| link.index == index)
    }

    /// The interface that packets to an address leave by.
    pub(crate) fn link_to(&self, address: IpAddr) -> Option<&Link> {
        match self.routes.get(&address)? {
            Route::Out { link, .. } => self.link(*link),
            _ => None,
        }
    }

    /// The addresses of the services, each once.
    pub(crate) fn virtual_addresses(&self) -> BTreeSet<IpAddr> {
        self.services().filter_map(|service| service.id().address()).map(|it| it.ip()).collect()
    }

    /// Returns `true` if a sync daemon of this role runs.
    pub(crate) fn has_daemon(&self, role: Role) -> bool {
        self.ipvs.iter().flat_map(|ipvs| &ipvs.daemons).any(|daemon| daemon.role == role)
    }

    /// What shows that another host may be the director at the moment.
    pub(crate) fn sign_of_standby(&self) -> Option<&'static str> {
        if self.has_daemon(Role::Backup) {
            return Some("a backup sync daemon runs, so this may be the standby host");
        }
        let keepalived = self.processes.iter().any(|process| process.name == "keepalived");
        keepalived.then_some("keepalived runs, so this may be the standby host")
    }

    /// Addresses that a real server has for direct routing or a tunnel: those of a single host on
    /// `lo`, a dummy or a tunnel interface, which are no services of this host's table, or which
    /// the host does not balance because it is on standby.
    pub(crate) fn served_for_others(&self) -> Vec<(&Address, &Link)> {
        let standby = self.has_daemon(Role::Backup) && !self.has_daemon(Role::Master);
        let balanced = if standby { BTreeSet::new() } else { self.virtual_addresses() };
        let of_others = |address: &&Address| {
            let host = match address.ip {
                IpAddr::V4(ip) => address.prefix == 32 && !ip.is_loopback() && !ip.is_link_local(),
                IpAddr::V6(ip) => {
                    address.prefix == 128 && !ip.is_loopback() && !ip.is_unicast_link_local()
                }
            };
            host && !balanced.contains(&address.ip)
        };
        let aside = |link: &Link| {
            (link.loopback || link.kind == "dummy" || link.is_tunnel()) && !is_of_kubernetes(link)
        };
        let addresses = self.addresses.iter().filter(of_others);
        let with_link = addresses.filter_map(|it| Some((it, self.link(it.link)?)));
        with_link.filter(|(_, link)| aside(link)).collect()
    }
}

/// Returns `true` for the interfaces that kube-proxy and kube-router keep virtual addresses on.
pub(crate) fn is_of_kubernetes(link: &Link) -> bool {
    matches!(link.name.as_str(), "kube-ipvs0" | "kube-dummy-if")
}

/// Returns the family that a service balances.
pub(crate) fn is_ipv4(service: &ServiceSnapshot) -> bool {
    service.id().family() == AddressFamily::Ipv4
}

/// Returns `true` if the server answers clients itself, from the virtual address.
pub(crate) const fn answers_itself(forwarding: Forwarding) -> bool {
    matches!(forwarding, Forwarding::DirectRoute | Forwarding::Tunnel(_))
}

/// The text of one pair as evidence.
pub(crate) fn named((service, destination): Pair<'_>) -> String {
    let Forwarding::Tunnel(tunnel) = destination.destination.forwarding else {
        let forwarding = destination.destination.forwarding;
        return format!("{} -> {} {forwarding}", service.id(), destination.id());
    };
    format!("{} -> {} Tunnel {tunnel}", service.id(), destination.id())
}

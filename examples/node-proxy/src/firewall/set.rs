//! The sets of the table: their names, their types and their elements.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use ipvs_netlink::table::Network;
use ipvs_netlink::{AddressFamily, Protocol};

/// What the elements of a set have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Purpose {
    /// Services at cluster IPs.
    ClusterIps,
    /// Services whose traffic is masqueraded.
    Masqueraded,
    /// Services for which the address of the client is kept.
    Kept,
    /// Services for pods and the node only.
    Closed,
    /// Services with source ranges.
    Restricted,
    /// The source ranges of services of one protocol. nft 1.0.6 cannot look up a protocol in a set that has
    /// intervals.
    Sources(Protocol),
    /// The addresses of the dummy interface.
    Addresses,
    /// The addresses of endpoints, twice: packets whose source and destination are the same endpoint.
    Hairpin,
    /// The networks of pods.
    Inside,
    /// The TCP ports of health checks.
    HealthCheckPorts,
}

/// A set of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SetName {
    /// What its elements have in common.
    pub purpose: Purpose,
    /// The family of its addresses.
    pub family: AddressFamily,
}

impl SetName {
    /// Returns the names of all sets of the table, in order.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        let purposes = [
            Purpose::ClusterIps,
            Purpose::Masqueraded,
            Purpose::Kept,
            Purpose::Closed,
            Purpose::Restricted,
            Purpose::Sources(Protocol::TCP),
            Purpose::Sources(Protocol::UDP),
            Purpose::Sources(Protocol::SCTP),
            Purpose::Addresses,
            Purpose::Hairpin,
            Purpose::Inside,
            Purpose::HealthCheckPorts,
        ];
        let families = [AddressFamily::Ipv4, AddressFamily::Ipv6];
        purposes
            .into_iter()
            .flat_map(move |purpose| families.map(|family| Self { purpose, family }))
    }

    /// Returns `true` if elements are networks.
    pub(crate) const fn has_intervals(self) -> bool {
        matches!(self.purpose, Purpose::Sources(_) | Purpose::Inside)
    }
}

impl fmt::Display for SetName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let purpose = match self.purpose {
            Purpose::ClusterIps => "cluster-ips",
            Purpose::Masqueraded => "masqueraded",
            Purpose::Kept => "kept",
            Purpose::Closed => "closed",
            Purpose::Restricted => "restricted",
            Purpose::Sources(protocol) => {
                let protocol = protocol.to_string().to_ascii_lowercase();
                return write!(f, "sources-{protocol}-{}", version(self.family));
            }
            Purpose::Addresses => "addresses",
            Purpose::Hairpin => "hairpin",
            Purpose::Inside => "inside",
            Purpose::HealthCheckPorts => "health-check-ports",
        };
        write!(f, "{purpose}-{}", version(self.family))
    }
}

/// The version of IP, as names end with it.
pub(crate) const fn version(family: AddressFamily) -> u8 {
    match family {
        AddressFamily::Ipv4 => 4,
        AddressFamily::Ipv6 => 6,
    }
}

/// An element of a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Element {
    /// A virtual service.
    Service(SocketAddr, Protocol),
    /// A network whose clients may use a virtual service.
    Source(SocketAddr, Network),
    /// An address.
    Address(IpAddr),
    /// An address, twice.
    Twice(IpAddr),
    /// A network.
    Network(Network),
    /// A port.
    Port(u16),
}

impl fmt::Display for Element {
    /// Almost as nft prints it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Service(at, protocol) => {
                write!(f, "{} . {} . {}", at.ip(), protocol.number(), at.port())
            }
            Self::Source(at, network) => write!(f, "{} . {} . {network}", at.ip(), at.port()),
            Self::Address(address) => write!(f, "{address}"),
            Self::Twice(address) => write!(f, "{address} . {address}"),
            Self::Network(network) => write!(f, "{network}"),
            Self::Port(port) => write!(f, "{port}"),
        }
    }
}

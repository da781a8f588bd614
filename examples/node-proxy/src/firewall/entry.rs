//! What the firewall does for one virtual service.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use ipvs_netlink::Forwarding;
use ipvs_netlink::kubernetes::{Exposure, VirtualService};
use ipvs_netlink::table::{Network, TableService};

use crate::firewall::FirewallOptions;

/// What becomes of the source address of connections to a virtual service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SourceAddress {
    /// The service is at a cluster IP: the options say which traffic is masqueraded.
    OfClusterIp,
    /// All traffic is masqueraded, so that answers of endpoints on other nodes come back through this one.
    Masqueraded,
    /// The address of the client is kept.
    Kept,
}

/// What the firewall does for one virtual service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What becomes of the source address.
    pub source_address: SourceAddress,
    /// `true` if the policy is `Local` and the node has no endpoint: only pods and the node itself may use
    /// the service.
    pub closed: bool,
    /// The networks whose clients may use the service. `None` means all clients. Virtual services of one
    /// Kubernetes service share them.
    pub source_ranges: Option<Arc<[Network]>>,
    /// `true` if the node is in a source range: then the address of the service may use it, too.
    pub from_node: bool,
    /// The addresses of endpoints of this node, which may be clients of the service themselves.
    pub hairpin: Arc<[IpAddr]>,
}

impl Entry {
    /// Returns what the firewall does for a virtual service.
    ///
    /// With an endpoint that is reached by direct routing or a tunnel, the address of the client is kept,
    /// because the endpoint answers to the client itself.
    ///
    /// The node has the address of the service, which is the source of its own connections there. So if one of
    /// `node_addresses` is in a source range, the address of the service is one, too.
    ///
    /// Source: `pkg/proxy/ipvs/proxier.go:syncProxyRules`.
    #[must_use]
    pub fn of(service: &TableService, facts: &VirtualService, node_addresses: &[IpAddr]) -> Self {
        let translated =
            service.destinations().all(|it| it.destination().forwarding == Forwarding::Masquerade);
        let source_address = match facts.exposure {
            _ if !translated => SourceAddress::Kept,
            Exposure::ClusterIp => SourceAddress::OfClusterIp,
            _ if facts.local_only => SourceAddress::Kept,
            _ => SourceAddress::Masqueraded,
        };
        let external = facts.exposure != Exposure::ClusterIp;
        let mut entry = Self {
            source_address,
            closed: external && facts.local_only && facts.local_endpoints == 0,
            source_ranges: source_ranges(facts),
            from_node: false,
            hairpin: match translated {
                true => Arc::clone(&facts.local_addresses),
                false => Arc::default(),
            },
        };
        entry.follow(node_addresses);
        entry
    }

    /// Takes in the addresses of the node.
    pub(crate) fn follow(&mut self, node_addresses: &[IpAddr]) {
        let has_node = |networks: &[Network]| {
            let has = |address: &IpAddr| networks.iter().any(|it| it.contains(*address));
            node_addresses.iter().any(has)
        };
        self.from_node = self.source_ranges.as_deref().is_some_and(has_node);
    }

    /// Returns why the service cannot be served without the firewall, or `None` if it can.
    #[must_use]
    pub fn need(&self, options: &FirewallOptions) -> Option<Need> {
        match self.source_address {
            _ if self.source_ranges.is_some() => Some(Need::SourceRanges),
            _ if self.closed => Some(Need::LocalPolicy),
            SourceAddress::Masqueraded => Some(Need::Masquerade),
            SourceAddress::OfClusterIp if options.masquerade_all => Some(Need::MasqueradeAll),
            SourceAddress::OfClusterIp | SourceAddress::Kept => None,
        }
    }

    /// Returns `true` if the rules of `other` do for this one what they must do before it is served. The
    /// addresses of endpoints may differ.
    pub(crate) fn is_served_by(&self, other: &Self) -> bool {
        self.source_address == other.source_address
            && self.closed == other.closed
            && self.source_ranges == other.source_ranges
            && self.from_node == other.from_node
    }
}

/// Returns `None` if all clients may use the service.
fn source_ranges(facts: &VirtualService) -> Option<Arc<[Network]>> {
    // Empty, if all ranges are of the other family: nobody may.
    let ranges = facts.source_ranges.as_ref()?;
    let restrict = ranges.iter().all(|network| network.prefix() > 0);
    restrict.then(|| Arc::clone(ranges))
}

/// Why a virtual service cannot be served without the firewall.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    /// Clients outside of `loadBalancerSourceRanges` must be dropped.
    SourceRanges,
    /// The policy is `Local`, and what comes from outside must be dropped on a node without endpoints.
    LocalPolicy,
    /// Answers of endpoints on other nodes would not come back through this one.
    Masquerade,
    /// The option `--masquerade-all` asks for it.
    MasqueradeAll,
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SourceRanges => "its loadBalancerSourceRanges need a firewall",
            Self::LocalPolicy => {
                "its policy Local, without an endpoint on this node, needs a firewall"
            }
            Self::Masquerade => "traffic from outside needs masquerading",
            Self::MasqueradeAll => "--masquerade-all needs masquerading",
        })
    }
}

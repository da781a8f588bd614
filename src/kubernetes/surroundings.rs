//! What conversions of all services share: the options, and what follows from them and the node.

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;

use crate::kubernetes::objects::Node;
use crate::kubernetes::rules::node_ports;
use crate::kubernetes::{ObjectName, Options, address};
use crate::model::AddressFamily;

/// The label of a node that names its zone.
const ZONE: &str = "topology.kubernetes.io/zone";

/// What conversions of all services share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Surroundings {
    pub(crate) options: Options,
    pub(crate) zone: Option<String>,
    ipv4_node_ports: Vec<IpAddr>,
    ipv6_node_ports: Vec<IpAddr>,
    /// The addresses of the node, which the dummy interface never gets.
    own: BTreeSet<IpAddr>,
    /// The weights of pods that have one.
    pub(crate) pods: HashMap<ObjectName, u32>,
}

impl Surroundings {
    pub(crate) fn new(
        options: &Options,
        node: Option<&Node>,
        pods: HashMap<ObjectName, u32>,
    ) -> Self {
        let zone = options.node_labels.get(ZONE).or_else(|| node?.metadata.labels.get(ZONE));
        let node_ports = |family| node_ports::addresses(options, node, family);
        Self {
            zone: zone.filter(|zone| !zone.is_empty()).cloned(),
            ipv4_node_ports: node_ports(AddressFamily::Ipv4),
            ipv6_node_ports: node_ports(AddressFamily::Ipv6),
            own: own_addresses(options, node),
            options: options.clone(),
            pods,
        }
    }

    /// Returns the addresses at which node ports are served, each once, in order.
    pub(crate) fn node_ports(&self, family: AddressFamily) -> &[IpAddr] {
        match family {
            AddressFamily::Ipv4 => &self.ipv4_node_ports,
            AddressFamily::Ipv6 => &self.ipv6_node_ports,
        }
    }

    /// Returns `true` if the dummy interface needs the address: the node does not have it.
    pub(crate) fn needs(&self, address: IpAddr) -> bool {
        !self.own.contains(&address)
    }

    pub(crate) fn is_local(&self, node: Option<&str>) -> bool {
        node.is_some_and(|node| node == self.options.node_name)
    }
}

/// Returns the addresses of the node: those of its interfaces, and those that its Node object says.
///
/// Source: `proxier.go:syncService`, which binds no address that another interface has.
fn own_addresses(options: &Options, node: Option<&Node>) -> BTreeSet<IpAddr> {
    let stated = node.into_iter().flat_map(|node| &node.status.addresses);
    let stated = stated.filter_map(|it| address::parse(&it.address));
    options.node_addresses.iter().map(IpAddr::to_canonical).chain(stated).collect()
}

/// Returns the node's address of a family: the first internal one, or else the first external one.
/// Source: `pkg/util/node:GetNodeHostIPs`.
pub(crate) fn primary(node: &Node, family: AddressFamily) -> Option<IpAddr> {
    ["InternalIP", "ExternalIP"].iter().find_map(|kind| {
        let of_kind = node.status.addresses.iter().filter(|it| it.address_type == *kind);
        let mut parsed = of_kind.filter_map(|it| address::parse(&it.address));
        parsed.find(|it| address::family(*it) == family)
    })
}

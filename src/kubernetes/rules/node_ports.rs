//! At which addresses of the node node ports are served.

use std::net::IpAddr;

use crate::kubernetes::objects::Node;
use crate::kubernetes::surroundings::primary;
use crate::kubernetes::{NodePortAddresses, Options, address};
use crate::model::{AddressFamily, Network};

/// Returns the addresses of a family for node ports, each once, in order.
///
/// Source: `nodeport_addresses.go:NewNodePortAddresses`, `netlink_linux.go:isValidForSet`,
/// `proxier.go:syncProxyRules`.
pub(crate) fn addresses(
    options: &Options,
    node: Option<&Node>,
    family: AddressFamily,
) -> Vec<IpAddr> {
    let of_family = |network: &&Network| address::family(network.address()) == family;
    let networks: Vec<&Network> = match &options.node_port_addresses {
        NodePortAddresses::Within(networks) => networks.iter().filter(of_family).collect(),
        NodePortAddresses::All => Vec::new(),
        NodePortAddresses::Primary => {
            let primary = node.and_then(|node| primary(node, family));
            return primary.filter(|it| !it.is_loopback()).into_iter().collect();
        }
    };
    let unrestricted = networks.is_empty() || networks.iter().any(|network| network.prefix() == 0);
    let serves = |address: &IpAddr| match unrestricted {
        true => !address::is_link_local_ipv6(*address),
        false => networks.iter().any(|network| network.contains(*address)),
    };
    let all = options.node_addresses.iter().map(IpAddr::to_canonical);
    let of_family = all.filter(|it| address::family(*it) == family && !it.is_loopback());
    let mut addresses: Vec<IpAddr> = of_family.filter(serves).collect();
    addresses.sort_unstable();
    addresses.dedup();
    addresses
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kubernetes::objects::NodeAddress;

    fn on(addresses: &[&str], choice: NodePortAddresses) -> [Vec<String>; 2] {
        let mut options = Options::new("a");
        options.node_addresses = addresses.iter().map(|it| it.parse().unwrap()).collect();
        options.node_port_addresses = choice;
        let mut node = Node::new("a");
        let external =
            NodeAddress { address_type: "ExternalIP".into(), address: "2001:db8::9".into() };
        node.status.addresses = vec![external, NodeAddress::internal("192.0.2.7")];
        [AddressFamily::Ipv4, AddressFamily::Ipv6].map(|family| {
            let all = super::addresses(&options, Some(&node), family);
            all.iter().map(ToString::to_string).collect()
        })
    }

    fn within(networks: &[&str]) -> NodePortAddresses {
        NodePortAddresses::Within(networks.iter().map(|it| it.parse().unwrap()).collect())
    }

    const OWN: &[&str] = &[
        "192.0.2.1",
        "127.0.0.1",
        "10.0.0.1",
        "169.254.1.1",
        "2001:db8::1",
        "fe80::1",
        "::1",
        "10.0.0.1",
    ];

    /// Follows `netlink_linux.go:isValidForSet`.
    #[test]
    fn without_networks_all_but_loopback_and_ipv6_link_local() {
        let all = [vec!["10.0.0.1", "169.254.1.1", "192.0.2.1"], vec!["2001:db8::1"]];
        assert_eq!(on(OWN, NodePortAddresses::All), all);
        assert_eq!(on(OWN, within(&[])), all);
    }

    /// Follows `nodeport_addresses.go:NewNodePortAddresses`.
    #[test]
    fn networks_restrict_their_family_only() {
        let own = on(OWN, within(&["10.0.0.0/8", "127.0.0.0/8"]));
        assert_eq!(own, [vec!["10.0.0.1"], vec!["2001:db8::1"]]);
        assert_eq!(on(OWN, within(&["fe80::/10"]))[1], ["fe80::1"]);
        assert_eq!(on(OWN, within(&["10.0.0.0/8", "0.0.0.0/0"]))[0].len(), 3);
    }

    /// Follows `nodeport_addresses.go:NewNodePortAddresses` with "primary", and `GetNodeHostIPs`.
    #[test]
    fn primary_is_what_the_node_object_says() {
        let own = on(&[], NodePortAddresses::Primary);
        assert_eq!(own, [vec!["192.0.2.7"], vec!["2001:db8::9"]]);
        let mut options = Options::new("a");
        options.node_port_addresses = NodePortAddresses::Primary;
        assert!(addresses(&options, None, AddressFamily::Ipv4).is_empty());
    }
}

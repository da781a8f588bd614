//! The contents of the table: what is in its sets. The chains and rules are always the same.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};

use ipvs_netlink::table::Network;
use ipvs_netlink::{AddressFamily, Protocol, ServiceId};

use crate::firewall::set::{Element, Purpose, SetName};
use crate::firewall::{Entry, FirewallOptions, SourceAddress, networks};

/// The contents of the table, for options and all virtual services of the node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    sets: BTreeMap<SetName, BTreeSet<Element>>,
}

impl Rules {
    /// Returns the contents of the table for these virtual services. `addresses` are those of the dummy
    /// interface: what is sent to them without a service is rejected. `health_check_ports` are those of
    /// `spec.healthCheckNodePort`, at which the node answers itself.
    ///
    /// Source: `pkg/proxy/ipvs/proxier.go:syncProxyRules`.
    #[must_use]
    pub fn of<'e>(
        options: &FirewallOptions,
        entries: impl IntoIterator<Item = (ServiceId, &'e Entry)>,
        addresses: impl IntoIterator<Item = IpAddr>,
        health_check_ports: impl IntoIterator<Item = u16>,
    ) -> Self {
        let mut rules = Self { sets: SetName::all().map(|name| (name, BTreeSet::new())).collect() };
        for family in [AddressFamily::Ipv4, AddressFamily::Ipv6] {
            for network in options.inside(family) {
                rules.insert(Purpose::Inside, family, Element::Network(network));
            }
        }
        for (id, entry) in entries {
            rules.add(id, entry);
        }
        for address in addresses {
            rules.insert(Purpose::Addresses, family_of(address), Element::Address(address));
        }
        for port in health_check_ports {
            rules.insert(Purpose::HealthCheckPorts, AddressFamily::Ipv4, Element::Port(port));
            rules.insert(Purpose::HealthCheckPorts, AddressFamily::Ipv6, Element::Port(port));
        }
        rules
    }

    /// Returns the sets with their elements, in order.
    pub fn sets(&self) -> impl Iterator<Item = (SetName, &BTreeSet<Element>)> {
        self.sets.iter().map(|(name, elements)| (*name, elements))
    }

    /// Returns the number of elements of all sets.
    #[must_use]
    pub fn len(&self) -> usize {
        self.sets.values().map(BTreeSet::len).sum()
    }

    /// Returns `true` if all sets are empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn insert(&mut self, purpose: Purpose, family: AddressFamily, element: Element) {
        self.sets.entry(SetName { purpose, family }).or_default().insert(element);
    }

    fn add(&mut self, id: ServiceId, entry: &Entry) {
        // IPVS serves no other protocols, and services of marks come from no Kubernetes service.
        let ServiceId::Address { protocol, address } = id else { return };
        if ![Protocol::TCP, Protocol::UDP, Protocol::SCTP].contains(&protocol) {
            return;
        }
        // Without flow label and scope, of which nft knows nothing.
        let at = SocketAddr::new(address.ip(), address.port());
        let family = id.family();
        let service = Element::Service(at, protocol);
        let purpose = match entry.source_address {
            SourceAddress::OfClusterIp => Purpose::ClusterIps,
            SourceAddress::Masqueraded => Purpose::Masqueraded,
            SourceAddress::Kept => Purpose::Kept,
        };
        self.insert(purpose, family, service);
        if entry.closed {
            self.insert(Purpose::Closed, family, service);
        }
        if let Some(ranges) = &entry.source_ranges {
            self.insert(Purpose::Restricted, family, service);
            let of_node = entry.from_node.then(|| Network::from(at.ip()));
            let ranges = ranges.iter().copied().filter(|it| family_of(it.address()) == family);
            for network in networks::outermost(ranges.chain(of_node)) {
                self.insert(Purpose::Sources(protocol), family, Element::Source(at, network));
            }
        }
        for address in entry.hairpin.iter().filter(|it| family_of(**it) == family) {
            self.insert(Purpose::Hairpin, family, Element::Twice(*address));
        }
    }
}

const fn family_of(address: IpAddr) -> AddressFamily {
    if address.is_ipv4() { AddressFamily::Ipv4 } else { AddressFamily::Ipv6 }
}

//! The firewall from manifests to commands.

mod commands;
mod contents;
mod host_addresses;
mod random;
mod waiting;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use ipvs_netlink::ServiceId;
use ipvs_netlink::kubernetes::{Converted, Objects, Options, convert};

use super::*;

/// The objects of manifests on the node `a`, which has the address 192.0.2.1 and 2001:db8::1.
fn converted(manifests: &str) -> Converted {
    let mut objects = crate::manifests::Objects::default();
    crate::manifests::parse(manifests.as_bytes(), false, &mut objects).unwrap();
    let mut options = Options::new("a");
    options.node_addresses = ["192.0.2.1", "2001:db8::1"].map(|it| it.parse().unwrap()).to_vec();
    convert(&Objects::new(&objects.services, &objects.slices), &options)
}

fn entries(converted: &Converted) -> BTreeMap<ServiceId, Entry> {
    let node = ["192.0.2.1", "2001:db8::1"].map(|it| it.parse().unwrap());
    let entry = |(id, facts): (&ServiceId, _)| {
        (*id, Entry::of(converted.table.get(*id).unwrap(), facts, &node))
    };
    converted.virtual_services.iter().map(entry).collect()
}

fn rules(converted: &Converted, options: &FirewallOptions) -> Rules {
    let ports = converted.services.values().filter_map(|it| it.health_check_node_port);
    Rules::of(
        options,
        entries(converted).iter().map(|(id, entry)| (*id, entry)),
        converted.addresses.iter().copied(),
        ports.map(|it| it.port),
    )
}

/// The sets that are not empty, each as a line.
fn lines(rules: &Rules) -> String {
    let mut text = String::new();
    for (name, elements) in rules.sets().filter(|(_, elements)| !elements.is_empty()) {
        let elements: Vec<_> = elements.iter().map(ToString::to_string).collect();
        writeln!(text, "{name}: {}", elements.join(", ")).unwrap();
    }
    text
}

fn options(cluster_cidr: &[&str]) -> FirewallOptions {
    let cluster_cidr = cluster_cidr.iter().map(|it| it.parse().unwrap()).collect();
    FirewallOptions { cluster_cidr, ..FirewallOptions::default() }
}

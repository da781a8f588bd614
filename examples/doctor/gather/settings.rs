//! Reads the settings below `/proc/sys` that the checks need.

use std::path::Path;

use ipvs_netlink::Settings;
use ipvs_netlink::procfs::Procfs;

use super::files;
use super::network::Network;
use crate::host::{Gaps, Part, Sysctls};

const IPV4: &str = "net/ipv4/ip_forward";
const IPV6: &str = "net/ipv6/conf/all/forwarding";

/// Settings with one value for the network namespace or the host.
const SINGLE: &[&str] =
    &[IPV4, IPV6, "net/netfilter/nf_conntrack_count", "net/netfilter/nf_conntrack_max"];

/// Settings of each interface for IPv4.
const OF_INTERFACES: &[&str] = &["forwarding", "rp_filter", "arp_ignore", "arp_announce"];

/// Reads the settings `net.ipv4.vs.*` of the thread's network namespace.
pub(super) fn of_ipvs(unread: &mut Gaps) -> Settings {
    let read = || Procfs::open()?.settings();
    read().unwrap_or_else(|error| {
        unread.push(Part::Settings, error);
        Settings::new()
    })
}

/// Reads other settings of the thread's network namespace.
pub(super) fn others(network: &Network, unread: &mut Gaps) -> Sysctls {
    let mut paths: Vec<String> = SINGLE.iter().map(|path| (*path).to_owned()).collect();
    let interfaces = network.links.iter().map(|link| link.name.as_str()).chain(["all"]);
    for interface in interfaces {
        paths.extend(OF_INTERFACES.iter().map(|name| format!("net/ipv4/conf/{interface}/{name}")));
    }
    let mut settings = Sysctls::default();
    for path in paths {
        match files::text(&Path::new("/proc/sys").join(&path)) {
            Ok(Some(text)) => {
                settings.0.insert(path, text.trim().to_owned());
            }
            Ok(None) => {}
            Err(error) => unread.push(Part::Sysctls, error),
        }
    }
    // Every kernel has these. Interfaces and modules that have gone meanwhile lack theirs.
    let with_ipv6 = network.addresses.iter().any(|address| address.ip.is_ipv6());
    for (path, needed) in [(IPV4, true), (IPV6, with_ipv6)] {
        if needed && !settings.0.contains_key(path) {
            unread.push(Part::Sysctls, format!("/proc/sys/{path} and others: no such files"));
        }
    }
    settings
}

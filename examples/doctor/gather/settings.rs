//! Reads the settings below `/proc/sys` that the checks need.

use std::path::Path;

use ipvs_netlink::Settings;
use ipvs_netlink::procfs::Procfs;

use super::files;
use crate::host::{Link, Sysctls};

/// Settings with one value for the network namespace or the host.
const SINGLE: &[&str] = &[
    "net/ipv4/ip_forward",
    "net/ipv6/conf/all/forwarding",
    "net/netfilter/nf_conntrack_count",
    "net/netfilter/nf_conntrack_max",
];

/// Settings of each interface for IPv4.
const OF_INTERFACES: &[&str] = &["forwarding", "rp_filter", "arp_ignore", "arp_announce"];

/// Reads the settings `net.ipv4.vs.*` of the thread's network namespace.
pub(super) fn of_ipvs(unread: &mut Vec<String>) -> Settings {
    let read = || Procfs::open()?.settings();
    read().unwrap_or_else(|error| {
        unread.push(error.to_string());
        Settings::new()
    })
}

/// Reads other settings of the thread's network namespace.
pub(super) fn others(links: &[Link], unread: &mut Vec<String>) -> Sysctls {
    let mut paths: Vec<String> = SINGLE.iter().map(|path| (*path).to_owned()).collect();
    let interfaces = links.iter().map(|link| link.name.as_str()).chain(["all"]);
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
            Err(error) => unread.push(error.to_string()),
        }
    }
    settings
}

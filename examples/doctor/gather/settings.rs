//! Reads the settings below `/proc/sys` that the checks need.

use std::fs;
use std::path::Path;

use super::files;
use crate::host::{Link, Settings};

/// Settings with one value for the network namespace or the host.
const SINGLE: &[&str] = &[
    "kernel/modprobe",
    "kernel/modules_disabled",
    "net/ipv4/ip_forward",
    "net/ipv6/conf/all/forwarding",
    "net/netfilter/nf_conntrack_count",
    "net/netfilter/nf_conntrack_max",
];

/// Settings of each interface for IPv4.
const OF_INTERFACES: &[&str] = &["forwarding", "rp_filter", "arp_ignore", "arp_announce"];

/// Reads the settings of the thread's network namespace.
pub(super) fn read(links: &[Link], unread: &mut Vec<String>) -> Settings {
    let mut paths: Vec<String> = SINGLE.iter().map(|path| (*path).to_owned()).collect();
    let names = fs::read_dir("/proc/sys/net/ipv4/vs").into_iter().flatten();
    for entry in names.map_while(Result::ok) {
        paths.extend(entry.file_name().to_str().map(|name| format!("net/ipv4/vs/{name}")));
    }
    let interfaces = links.iter().map(|link| link.name.as_str()).chain(["all"]);
    for interface in interfaces {
        paths.extend(OF_INTERFACES.iter().map(|name| format!("net/ipv4/conf/{interface}/{name}")));
    }
    let mut settings = Settings::default();
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

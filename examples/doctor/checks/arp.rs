//! Who answers ARP for a virtual address, and who asks in its name.

use std::net::IpAddr;

use crate::finding::{Finding, Severity};
use crate::host::{Address, Host, Link, is_of_kubernetes};

const SOURCE: &str = "Documentation/networking/ip-sysctl.rst, arp_ignore and arp_announce; \
                      net/ipv4/devinet.c, inet_select_addr; net/ipv4/arp.c, arp_ignore, \
                      arp_solicit";

/// What holds if the host is a director whose table was lost.
const DIRECTOR: &str = " If this host is a director, do not: a director has to answer.";

/// A real server must not answer for the virtual address, and a director must.
pub(crate) fn ignore(host: &Host) -> Vec<Finding> {
    let real_server = on_a_real_server(
        host,
        "arp_ignore",
        |value| value == 0,
        "a real server answers ARP for the virtual address",
        "The director and this host both answer when a neighbour asks for the virtual address. \
         Neighbours that believe this host send their connections past the director, and which \
         ones do changes with their ARP caches.",
        "sysctl -w net.ipv4.conf.all.arp_ignore=1",
    );
    real_server.into_iter().chain(director(host)).collect()
}

/// A real server must not ask for its neighbours in the name of the virtual address.
pub(crate) fn announce(host: &Host) -> Vec<Finding> {
    on_a_real_server(
        host,
        "arp_announce",
        |value| value < 2,
        "a real server announces the virtual address in ARP requests",
        "Answers to clients have the virtual address as their source. When the kernel asks by ARP \
         for the next hop it gives that address as its own, and the neighbour that is asked \
         remembers this host for it. Connections then go past the director.",
        "sysctl -w net.ipv4.conf.all.arp_announce=2",
    )
    .into_iter()
    .collect()
}

fn on_a_real_server(
    host: &Host,
    setting: &str,
    bites: impl Fn(i64) -> bool,
    title: &str,
    reason: &str,
    fix: &str,
) -> Option<Finding> {
    let mut served = host.served_for_others();
    served.retain(|(address, _)| address.ip.is_ipv4());
    let links = host.links.iter().filter(|link| link.faces_neighbours());
    let value = |link: &Link| host.sysctls.effective(&link.name, setting);
    let links: Vec<&Link> = links.filter(|link| value(link).is_some_and(&bites)).collect();
    if served.is_empty() || links.is_empty() {
        return None;
    }
    let near = links.iter().any(|link| served.iter().any(|(it, _)| is_near(host, link, it.ip)));
    // Far from the networks of this host, neighbours ask for it only if they are set up to.
    let severity = if near { Severity::Warning } else { Severity::Note };
    let addresses = served
        .iter()
        .map(|(address, link)| format!("{} on {}, as on a real server", address.ip, link.name));
    let links = links
        .iter()
        .map(|link| format!("{setting} is {} on {}", value(link).unwrap_or_default(), link.name));
    Some(
        Finding::new(severity, title)
            .reason(reason)
            .seen(addresses)
            .seen(links)
            .fix(format!(
                "{fix}, before the address is added. The larger value of `all` and the interface \
                 holds.{}",
                if host.has_empty_table() { DIRECTOR } else { "" }
            ))
            .source(SOURCE),
    )
}

fn director(host: &Host) -> Option<Finding> {
    let mut unanswered = Vec::new();
    for ip in host.virtual_addresses().into_iter().filter(|ip| ip.is_ipv4() && host.is_local(*ip)) {
        let holders: Vec<_> = host.addresses.iter().filter(|it| it.ip == ip).collect();
        let links = holders.iter().filter_map(|it| host.link(it.link));
        if links.clone().any(|link| link.faces_neighbours() || is_of_kubernetes(link)) {
            continue;
        }
        for link in host.links.iter().filter(|link| link.faces_neighbours()) {
            let value = host.sysctls.effective(&link.name, "arp_ignore");
            if let Some(value @ (1 | 2 | 8)) = value
                && is_near(host, link, ip)
            {
                let on = links.clone().next().map_or("no interface", |link| link.name.as_str());
                let name = &link.name;
                unanswered.push(format!("{ip} on {on}; arp_ignore is {value} on {name}"));
            }
        }
    }
    if unanswered.is_empty() {
        return None;
    }
    let standby = host.sign_of_standby();
    let severity = if standby.is_some() { Severity::Note } else { Severity::Error };
    Some(
        Finding::new(severity, "the director does not answer ARP for a virtual address")
            .reason(
                "The address is in the network of an interface, so neighbours ask for it there. \
                 With this arp_ignore the kernel answers only for addresses of that very \
                 interface, and the virtual address is on another one. Clients get no route to the \
                 host.",
            )
            .seen(unanswered)
            .seen(standby)
            .fix(
                "Add the virtual address to the interface that faces the clients, or set \
                 arp_ignore to 0 there and for `all`. The setting belongs on real servers.",
            )
            .source(SOURCE),
    )
}

/// Returns `true` if `ip` is in a network of the interface.
fn is_near(host: &Host, link: &Link, ip: IpAddr) -> bool {
    let own = |address: &&Address| address.link == link.index && address.prefix < 32;
    host.addresses.iter().filter(own).any(|address| address.is_on_link(ip))
}

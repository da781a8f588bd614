//! What the kernel must be allowed to forward and to take in.

use std::collections::{BTreeMap, BTreeSet};

use ipvs_netlink::Forwarding;

use crate::finding::{Finding, Severity};
use crate::host::{Host, Link, Route, named};

/// Masquerading needs the kernel to forward the servers' answers.
pub(crate) fn ip_forward(host: &Host) -> Vec<Finding> {
    let mut v4: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut v6 = Vec::new();
    let masqueraded =
        host.pairs().filter(|(_, it)| it.destination.forwarding == Forwarding::Masquerade);
    for pair in masqueraded {
        let ip = pair.1.id().address.ip();
        if host.is_local(ip) {
            continue;
        }
        if ip.is_ipv6() {
            if host.sysctls.number("net/ipv6/conf/all/forwarding") == Some(0) {
                v6.push(named(pair));
            }
            continue;
        }
        // The answers arrive by the interface that leads to the server.
        let path = match host.link_to(ip) {
            Some(link) => format!("net/ipv4/conf/{}/forwarding", link.name),
            None => "net/ipv4/ip_forward".to_owned(),
        };
        if host.sysctls.number(&path) == Some(0) {
            v4.entry(path).or_default().push(named(pair));
        }
    }
    let finding = |path: &str, pairs: Vec<String>, fix: &str, source| {
        let title = format!("{} is 0 with masqueraded destinations", path.replace('/', "."));
        Finding::new(Severity::Error, title)
            .reason(
                "The answers of a server are addressed to the client and only pass through this \
                 host. The kernel does not forward them, so connections from other hosts time out, \
                 while those from this host itself work.",
            )
            .seen(pairs)
            .fix(fix)
            .source(source)
    };
    let v4 = v4.into_iter().map(|(path, pairs)| {
        finding(
            &path,
            pairs,
            "sysctl -w net.ipv4.ip_forward=1, which sets all interfaces; in /etc/sysctl.d for \
             every start.",
            "Documentation/networking/ip-sysctl.rst, ip_forward; net/ipv4/route.c, \
             ip_route_input_slow",
        )
    });
    let v6 = (!v6.is_empty()).then(|| {
        finding(
            "net/ipv6/conf/all/forwarding",
            v6,
            "sysctl -w net.ipv6.conf.all.forwarding=1; in /etc/sysctl.d for every start. An \
             interface with accept_ra=1 then stops to take router advertisements: accept_ra=2.",
            "Documentation/networking/ip-sysctl.rst, conf/all/forwarding; net/ipv6/ip6_output.c, \
             ip6_forward",
        )
    });
    v4.chain(v6).collect()
}

/// A real server drops what comes out of a tunnel, because the way back is another one.
pub(crate) fn rp_filter(host: &Host) -> Vec<Finding> {
    let served = host.served_for_others();
    let has_v4 = served.iter().any(|(address, _)| address.ip.is_ipv4());
    let bites = |link: &Link| {
        let has_address = host.addresses.iter().any(|it| it.link == link.index && it.ip.is_ipv4());
        match host.sysctls.effective(&link.name, "rp_filter")? {
            1 => Some(format!("{} ({}): rp_filter is 1", link.name, link.kind)),
            2 if !has_address => Some(format!(
                "{} ({}): rp_filter is 2, and the interface has no IPv4 address",
                link.name, link.kind
            )),
            _ => None,
        }
    };
    let tunnels = host.links.iter().filter(|link| has_v4 && link.is_tunnel() && link.up);
    let dropping: Vec<String> = tunnels.filter_map(bites).collect();
    if dropping.is_empty() {
        return Vec::new();
    }
    let addresses = served
        .iter()
        .map(|(address, link)| format!("{} on {}, as on a real server", address.ip, link.name));
    // An address on the tunnel alone can be one that the tunnel has for itself.
    let certain = served.iter().any(|(_, link)| !link.is_tunnel());
    let severity = if certain { Severity::Error } else { Severity::Warning };
    vec![
        Finding::new(severity, "rp_filter drops what comes out of a tunnel")
            .reason(
                "A packet out of the tunnel has the client's address, whose way back is not the \
                 tunnel. A strict rp_filter (1) drops it without a word, and so does a loose one \
                 (2) where the interface has no IPv4 address. Clients time out. The larger value \
                 of `all` and the interface holds.",
            )
            .seen(dropping)
            .seen(addresses)
            .fix(
                "Set net.ipv4.conf.all.rp_filter and that of the tunnel's interface to 0, and to 1 \
                 on the interfaces that need it. Or give the interface an address and set it to \
                 2.",
            )
            .source(
                "Documentation/networking/ip-sysctl.rst, rp_filter; RFC 3704, section 2; \
                 net/ipv4/fib_frontend.c, __fib_validate_source",
            ),
    ]
}

/// Destinations that the kernel cannot send to.
pub(crate) fn routes(host: &Host) -> Vec<Finding> {
    let lost: BTreeSet<String> = host
        .pairs()
        .filter(|(_, it)| host.routes.get(&it.id().address.ip()) == Some(&Route::None))
        .map(named)
        .collect();
    if lost.is_empty() {
        return Vec::new();
    }
    vec![
        Finding::new(Severity::Error, "destinations without a route")
            .reason("The kernel cannot send to these servers and drops what is balanced to them.")
            .seen(lost)
            .fix("Add a route to the servers, or set the interface towards them up.")
            .source("net/netfilter/ipvs/ip_vs_xmit.c, __ip_vs_get_out_rt"),
    ]
}

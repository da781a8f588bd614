//! What the kernel must be allowed to forward and to take in.

use std::collections::{BTreeMap, BTreeSet};

use ipvs_netlink::Forwarding;

use crate::finding::{Finding, Severity};
use crate::host::{Host, Route, named};

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
            if host.settings.number("net/ipv6/conf/all/forwarding") == Some(0) {
                v6.push(named(pair));
            }
            continue;
        }
        // The answers arrive by the interface that leads to the server.
        let path = match host.link_to(ip) {
            Some(link) => format!("net/ipv4/conf/{}/forwarding", link.name),
            None => "net/ipv4/ip_forward".to_owned(),
        };
        if host.settings.number(&path) == Some(0) {
            v4.entry(path).or_default().push(named(pair));
        }
    }
    let finding = |path: &str, pairs: Vec<String>, fix: &str, source| {
        Finding::new(Severity::Error, format!("{path} is 0 with masqueraded destinations"))
            .reason(
                "The answers of a server are addressed to the client and only pass through this host. \
                 The kernel does not forward them, so connections from other hosts time out, while \
                 those from this host itself work.",
            )
            .seen(pairs)
            .fix(fix)
            .source(source)
    };
    let v4 = v4.into_iter().map(|(path, pairs)| {
        finding(
            &path,
            pairs,
            "sysctl -w net.ipv4.ip_forward=1, which sets all interfaces; in /etc/sysctl.d for every \
             start.",
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
    let strict = |name: &str| host.settings.effective(name, "rp_filter") == Some(1);
    let tunnels = host.links.iter().filter(|link| link.is_tunnel() && link.up);
    let tunnels: Vec<_> = tunnels.filter(|link| has_v4 && strict(&link.name)).collect();
    let Some(first) = tunnels.first() else { return Vec::new() };
    let evidence = tunnels
        .iter()
        .map(|link| format!("{} ({}): rp_filter is 1, from it or from all", link.name, link.kind));
    let addresses = served
        .iter()
        .map(|(address, link)| format!("{} on {}, as on a real server", address.ip, link.name));
    vec![
        Finding::new(Severity::Error, "rp_filter drops what comes out of a tunnel")
            .reason(
                "A packet out of the tunnel has the client's address, whose way back is not the \
                 tunnel. A strict rp_filter drops it without a word, so clients time out. The \
                 larger value of `all` and the interface holds.",
            )
            .seen(evidence)
            .seen(addresses)
            .fix(format!(
                "sysctl -w net.ipv4.conf.{}.rp_filter=2 (loose), which wins over a 1 of `all`.",
                first.name
            ))
            .source("Documentation/networking/ip-sysctl.rst, rp_filter; RFC 3704, section 2"),
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

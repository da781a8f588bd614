//! What the kernel must be allowed to forward, and has a route for.

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

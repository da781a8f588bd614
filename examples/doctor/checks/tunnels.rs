//! Tunnels.

use ipvs_netlink::{Forwarding, GueChecksum, Setting, Tunnel};

use crate::finding::{Finding, Severity};
use crate::host::{Host, Link, Route, is_ipv4, named};

/// What most clients send at most.
const ETHERNET: u32 = 1500;
/// What every link has to carry for IPv6: RFC 8200, section 5.
const IPV6_MINIMUM: u32 = 1280;

/// Returns how many bytes a tunnel adds to a packet.
const fn overhead(tunnel: Tunnel, to_ipv4: bool) -> Option<u32> {
    let outer = if to_ipv4 { 20 } else { 40 };
    let inner = match tunnel {
        Tunnel::Ipip => 0,
        Tunnel::Gre { checksum: false } => 4,
        Tunnel::Gre { checksum: true } => 8,
        Tunnel::Gue { checksum: GueChecksum::RemoteOffload, .. } => 8 + 4 + 8,
        Tunnel::Gue { .. } => 8 + 4,
        _ => return None,
    };
    Some(outer + inner)
}

/// Full packets of clients that do not fit once they are wrapped.
pub(crate) fn mtu(host: &Host) -> Vec<Finding> {
    let usual = host.links.iter().filter(|link| link.up && !link.loopback && !link.is_tunnel());
    // Clients far away send no more than this, whatever the own interfaces could carry.
    let usual = usual.map(|link| link.mtu).max().unwrap_or(ETHERNET).min(ETHERNET);
    let mut narrow = Vec::new();
    let mut unusable = Vec::new();
    for pair in host.pairs() {
        let Forwarding::Tunnel(tunnel) = pair.1.destination.forwarding else { continue };
        let ip = pair.1.id().address.ip();
        let Some(Route::Out { mtu, .. }) = host.routes.get(&ip) else { continue };
        let Some(link) = host.link_to(ip) else { continue };
        let Some(overhead) = overhead(tunnel, ip.is_ipv4()) else { continue };
        let carries = mtu.unwrap_or(link.mtu);
        let fits = carries.saturating_sub(overhead);
        let text = format!(
            "{}: {} carries {carries}, the tunnel takes {overhead}, so {fits} fit",
            named(pair),
            link.name
        );
        if fits < IPV6_MINIMUM && (ip.is_ipv6() || !is_ipv4(pair.0)) {
            unusable.push(text);
        } else if fits < usual {
            narrow.push(text);
        }
    }
    let discovery = host.vs.number(Setting::PMTU_DISC) != Some(0);
    let (severity, reason) = if discovery {
        (
            Severity::Warning,
            "For a full packet the kernel sends the client an ICMP message with the size that \
             fits. Where ICMP is filtered on the way, handshakes work and uploads of more than a \
             few bytes hang.",
        )
    } else {
        (
            Severity::Note,
            "The kernel sends a full packet as two fragments (net.ipv4.vs.pmtu_disc is 0), which \
             costs both ends and is lost where fragments are filtered.",
        )
    };
    let source = "net/netfilter/ipvs/ip_vs_xmit.c, __ip_vs_get_out_rt, ensure_mtu_is_adequate; RFC \
                  1191; RFC 4459";
    let fix = format!(
        "Let the way to the servers carry {usual} bytes and the tunnel's: ip link set DEVICE mtu \
         ..., on both ends and every switch between. Or let the servers announce a smaller \
         segment: ip route change default ... advmss N."
    );
    let finding = |severity, title: &str, reason: &str, evidence: Vec<String>| {
        let finding = Finding::new(severity, title).reason(reason).fix(fix.as_str()).source(source);
        (!evidence.is_empty()).then(|| finding.seen(evidence))
    };
    let narrow = finding(severity, "a full packet does not fit the tunnel", reason, narrow);
    let unusable = finding(
        Severity::Error,
        "a tunnel carries less than IPv6 needs",
        "Every link has to carry 1280 bytes of IPv6. With less, the kernel sends nothing at all \
         into a tunnel over IPv6. Into one over IPv4 it sends only smaller packets, and clients \
         need not go below.",
        unusable,
    );
    unusable.into_iter().chain(narrow).collect()
}

/// A real server on which nothing takes packets out of the tunnel.
pub(crate) fn device(host: &Host) -> Vec<Finding> {
    let served = host.served_for_others();
    let mut findings = Vec::new();
    let down: Vec<String> = served
        .iter()
        .filter(|(_, link)| link.is_tunnel() && !link.up)
        .map(|(address, link)| format!("{} on {}, which is down", address.ip, link.name))
        .collect();
    if !down.is_empty() {
        findings.push(
            Finding::new(Severity::Error, "a tunnel interface with a virtual address is down")
                .reason(
                    "The kernel takes packets out of a tunnel only through an interface that is \
                     up. It answers what the director sends with ICMP errors.",
                )
                .seen(down)
                .fix("ip link set DEVICE up")
                .source("net/ipv4/ip_tunnel.c, ip_tunnel_lookup"),
        );
    }
    let open = host.links.iter().any(|link| link.is_tunnel() && link.up);
    if !served.is_empty() && host.unknown_protocols > 0 && !open {
        let addresses = served
            .iter()
            .map(|(address, link)| format!("{} on {}, as on a real server", address.ip, link.name));
        let count = host.unknown_protocols;
        findings.push(
            Finding::new(Severity::Warning, "packets of a tunnel arrive that nothing takes")
                .reason(
                    "Without an interface of the tunnel's kind the kernel does not know the \
                     protocol. It drops the director's packets and answers with ICMP \"protocol \
                     unreachable\".",
                )
                .seen([format!("{count} packets of unknown protocols; no tunnel interface is up")])
                .seen(addresses)
                .fix(
                    "For ipip: ip link add ipip0 type ipip external local OWN; ip link set ipip0 \
                     up; with rp_filter 0 or 2. For GRE use type gre, for GUE a port of `ip fou`.",
                )
                .source("net/ipv4/ip_input.c, ip_protocol_deliver_rcu; RFC 2003"),
        );
    }
    findings
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

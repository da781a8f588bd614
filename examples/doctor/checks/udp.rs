//! UDP.

use ipvs_netlink::{Protocol, ServiceFlags, ServiceId, ServiceSnapshot};

use crate::finding::{Finding, Severity};
use crate::host::{Host, named};

fn sticks(service: &ServiceSnapshot) -> bool {
    let settings = &service.entry.service;
    matches!(service.id(), ServiceId::Address { protocol: Protocol::UDP, .. })
        && !settings.flags.contains(ServiceFlags::ONE_PACKET)
        && settings.persistence.is_none()
        && service.destinations.len() > 1
}

/// UDP services whose clients stay with their first destination.
pub(crate) fn stickiness(host: &Host) -> Vec<Finding> {
    let services: Vec<String> =
        host.services().filter(|it| sticks(it)).map(|it| it.id().to_string()).collect();
    if services.is_empty() {
        return Vec::new();
    }
    let drained = host.pairs().filter(|(service, it)| {
        sticks(service) && it.destination.weight == 0 && it.connections.inactive > 0
    });
    let drained: Vec<String> = drained
        .map(|pair| format!("{} has weight 0 and {}", named(pair), pair.1.connections))
        .collect();
    let severity = if drained.is_empty() { Severity::Note } else { Severity::Warning };
    let timeout = host.ipvs.as_ref().and_then(|ipvs| ipvs.timeouts.udp);
    let timeout = timeout.map(|it| format!("the timeout of UDP is {} s", it.as_secs()));
    vec![
        Finding::new(severity, "UDP clients that keep their port stay with their server")
            .reason(
                "UDP has no end of a connection. IPVS sends a client's datagrams to the same \
                 destination as long as no pause is longer than the timeout: resolvers, log \
                 senders and QUIC clients stay for days, also when the weight is 0 or other \
                 servers are idle.",
            )
            .seen(drained)
            .seen(timeout)
            .seen(services)
            .fix(
                "One-packet scheduling (ipvsadm -E ... --ops) with direct routing or a tunnel if \
                 every datagram stands alone, as with DNS; else a shorter timeout (ipvsadm --set 0 \
                 0 30). To drain, delete the destination with net.ipv4.vs.expire_nodest_conn=1.",
            )
            .source(
                "net/netfilter/ipvs/ip_vs_proto_udp.c, udp_state_transition; ip_vs_core.c, \
                     ip_vs_schedule",
            ),
    ]
}

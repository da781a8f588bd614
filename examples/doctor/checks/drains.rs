//! Destinations of weight 0 and what keeps clients there.

use ipvs_netlink::Setting;

use crate::finding::{Finding, Severity};
use crate::host::{Host, named};

const SOURCE: &str = "Documentation/networking/ipvs-sysctl.rst, expire_quiescent_template; \
                      net/netfilter/ipvs/ip_vs_conn.c, ip_vs_check_template";

/// Persistence templates of destinations with weight 0.
fn held(host: &Host) -> Vec<String> {
    host.pairs()
        .filter(|(service, it)| {
            service.entry.service.persistence.is_some()
                && it.destination.weight == 0
                && it.connections.persistent > 0
        })
        .map(|pair| {
            let timeout = pair.0.entry.service.persistence.map_or(0, |it| it.timeout.as_secs());
            let count = pair.1.connections.persistent;
            let templates = if count == 1 { "template" } else { "templates" };
            format!("{}: {count} {templates} of {timeout} s", named(pair))
        })
        .collect()
}

fn keeps_templates(host: &Host) -> bool {
    host.vs.number(Setting::EXPIRE_QUIESCENT_TEMPLATE) == Some(0)
}

/// Persistent services whose next drain will not end.
pub(crate) fn expire_quiescent_template(host: &Host) -> Vec<Finding> {
    if !keeps_templates(host) || !held(host).is_empty() {
        return Vec::new();
    }
    let services = host.services().map(|it| &it.entry.service);
    let persistent: Vec<String> =
        services.filter(|it| it.persistence.is_some()).map(ToString::to_string).collect();
    if persistent.is_empty() {
        return Vec::new();
    }
    vec![
        Finding::new(Severity::Note, "weight 0 will not drain a persistent service")
            .reason(
                "A client that persistence binds to a destination goes on getting it after its \
                 weight was set to 0, and every connection renews the binding.",
            )
            .seen(["net.ipv4.vs.expire_quiescent_template is 0"])
            .seen(persistent)
            .fix("sysctl -w net.ipv4.vs.expire_quiescent_template=1")
            .source(SOURCE),
    ]
}

/// Drains under way that do not end.
pub(crate) fn persistent(host: &Host) -> Vec<Finding> {
    let held = held(host);
    if !keeps_templates(host) || held.is_empty() {
        return Vec::new();
    }
    vec![
        Finding::new(Severity::Warning, "persistence keeps clients at a destination of weight 0")
            .reason(
                "The destination still gets the new connections of these clients, and each one \
                 renews the template. The drain ends only when every client has stayed away for \
                 the whole timeout.",
            )
            .seen(["net.ipv4.vs.expire_quiescent_template is 0"])
            .seen(held)
            .fix(
                "sysctl -w net.ipv4.vs.expire_quiescent_template=1: the next connection of a \
                 client gets another destination. Or delete the destination.",
            )
            .source(SOURCE),
    ]
}

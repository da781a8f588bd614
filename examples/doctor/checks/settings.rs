//! Settings of IPVS below `net.ipv4.vs`.

use ipvs_netlink::{Protocol, Scheduler, ServiceId, ServiceSnapshot, Setting};

use crate::finding::{Finding, Severity};
use crate::host::{Host, answers_itself, named};

const DOCUMENT: &str = "Documentation/networking/ipvs-sysctl.rst";

fn is_udp(service: &ServiceSnapshot) -> bool {
    matches!(service.id(), ServiceId::Address { protocol: Protocol::UDP, .. })
}

/// Connection tracking by netfilter.
pub(crate) fn conntrack(host: &Host) -> Vec<Finding> {
    let mut findings = Vec::new();
    let tracked = host.sysctls.number("net/netfilter/nf_conntrack_count").unwrap_or_default();
    let most = host.sysctls.number("net/netfilter/nf_conntrack_max").unwrap_or_default();
    let services = host.services().count();
    let setting = host.vs.number(Setting::CONNTRACK);
    if services > 0 && tracked > 0 && setting == Some(0) {
        findings.push(
            Finding::new(Severity::Warning, "connections are tracked, but not those of IPVS")
                .reason(
                    "Something in this network namespace tracks connections, such as the rules of \
                     a firewall or masqueraded FTP. IPVS takes its packets out of the tracking: \
                     rules with a state (ctstate ESTABLISHED) and masquerading by netfilter do not \
                     see them, so a firewall may drop the answers.",
                )
                .seen([
                    format!("net.netfilter.nf_conntrack_count is {tracked}"),
                    "net.ipv4.vs.conntrack is 0".to_owned(),
                ])
                .fix(
                    "sysctl -w net.ipv4.vs.conntrack=1 if rules with a state or SNAT concern \
                     balanced packets. It costs memory and time for every connection.",
                )
                .source(
                    "Documentation/networking/ipvs-sysctl.rst, conntrack; include/net/ip_vs.h, \
                     ip_vs_notrack",
                ),
        );
    }
    if services > 0 && setting.is_some_and(|it| it != 0) && most > 0 && tracked >= most / 10 * 9 {
        findings.push(
            Finding::new(Severity::Warning, "the table of connection tracking is nearly full")
                .reason(
                    "With net.ipv4.vs.conntrack every balanced connection needs an entry. When the \
                     table is full, the kernel drops the packets of new connections.",
                )
                .seen([format!("{tracked} of {most} entries are taken")])
                .fix(
                    "Raise net.netfilter.nf_conntrack_max, or set net.ipv4.vs.conntrack=0 if no \
                     rule needs it.",
                )
                .source(
                    "net/netfilter/nf_conntrack_core.c, __nf_conntrack_alloc; \
                     Documentation/networking/nf_conntrack-sysctl.rst",
                ),
        );
    }
    findings
}

/// Clients that use a port again.
pub(crate) fn conn_reuse_mode(host: &Host) -> Vec<Finding> {
    let Some(mode) = host.vs.number(Setting::CONN_REUSE_MODE) else { return Vec::new() };
    let services: Vec<String> =
        host.services().filter(|it| !is_udp(it)).map(|it| it.id().to_string()).collect();
    let mut findings = Vec::new();
    if services.is_empty() {
        return findings;
    }
    let nodest = host.vs.number(Setting::EXPIRE_NODEST_CONN) != Some(0);
    if mode == 0 {
        // Source: `net/netfilter/ipvs/ip_vs_core.c`, ip_vs_in_hook (5.16).
        let drained = if host.kernel.is_at_least(5, 16) {
            "A server of weight 0 goes on getting new connections unless expire_nodest_conn is 1."
        } else {
            "A server of weight 0 goes on getting new connections. Before Linux 5.16, or a kernel \
             whose vendor has taken over its change, expire_nodest_conn does not help: it concerns \
             a server of weight 0 only if conn_reuse_mode is not 0."
        };
        findings.push(
            Finding::new(
                Severity::Warning,
                "a client that uses its port again stays with its server",
            )
            .reason(format!(
                "conn_reuse_mode is 0: a new connection from a port that IPVS still remembers goes \
                 to the server of the old one. With few clients, such as proxies, the load is \
                 uneven and new servers stay idle. {drained}"
            ))
            .seen([format!("net.ipv4.vs.conn_reuse_mode is 0; Linux {}", host.kernel.release)])
            .seen(services.clone())
            .fix(
                "sysctl -w net.ipv4.vs.conn_reuse_mode=1. kube-proxy sets 0 on kernels before 5.9, \
                 where 1 together with conntrack delays connections by a second.",
            )
            .source(
                "Documentation/networking/ipvs-sysctl.rst, conn_reuse_mode; \
                 net/netfilter/ipvs/ip_vs_core.c, ip_vs_in_hook",
            ),
        );
    }
    let tracks = host.vs.number(Setting::CONNTRACK).is_some_and(|it| it != 0);
    if mode != 0 && tracks && !host.kernel.is_at_least(5, 9) {
        findings.push(
            Finding::new(Severity::Warning, "a client that uses its port again waits a second")
                .reason(
                    "Before Linux 5.9 the kernel drops the first packet of a connection from a \
                     port that it still tracks. The client repeats the packet after a second.",
                )
                .seen([
                    format!("Linux {}", host.kernel.release),
                    format!("net.ipv4.vs.conn_reuse_mode is {mode}, net.ipv4.vs.conntrack is 1"),
                ])
                .fix(
                    "Update the kernel, or set net.ipv4.vs.conntrack=0. kube-proxy sets \
                     conn_reuse_mode=0.",
                )
                .source(
                    "net/netfilter/ipvs/ip_vs_core.c, ip_vs_in_hook, ip_vs_conn_uses_old_conntrack \
                     (5.9)",
                ),
        );
    }
    if mode != 0 && mode & 2 == 0 && !nodest {
        let drained = host.pairs().filter(|(service, it)| {
            !is_udp(service)
                && it.destination.weight == 0
                && answers_itself(it.destination.forwarding)
        });
        let drained: Vec<String> = drained.map(named).collect();
        if !drained.is_empty() {
            findings.push(
                Finding::new(
                    Severity::Note,
                    "a drained server may get new connections of old ports",
                )
                .reason(
                    "Unless the answers pass through this host, IPVS sees the client's half alone, \
                     so a closed connection stays in FIN_WAIT. A client that uses its port again \
                     within that time reaches the same server, though its weight is 0.",
                )
                .seen([format!("net.ipv4.vs.conn_reuse_mode is {mode}, expire_nodest_conn is 0")])
                .seen(drained)
                .fix("sysctl -w net.ipv4.vs.conn_reuse_mode=3, or net.ipv4.vs.expire_nodest_conn=1")
                .source("Documentation/networking/ipvs-sysctl.rst, conn_reuse_mode: bit 2"),
            );
        }
    }
    findings
}

/// Clients of a destination that was deleted.
pub(crate) fn expire_nodest_conn(host: &Host) -> Vec<Finding> {
    if host.vs.number(Setting::EXPIRE_NODEST_CONN) != Some(0) {
        return Vec::new();
    }
    let one_packet = ipvs_netlink::ServiceFlags::ONE_PACKET;
    let services: Vec<_> = host
        .services()
        .filter(|it| !(is_udp(it) && it.entry.service.flags.contains(one_packet)))
        .collect();
    if services.is_empty() {
        return Vec::new();
    }
    let udp = services.iter().any(|service| is_udp(service));
    let severity = if udp { Severity::Warning } else { Severity::Note };
    vec![
        Finding::new(severity, "clients of a deleted destination wait in vain")
            .reason(
                "When a destination is deleted, the kernel keeps its connections and drops their \
                 packets without an answer. A TCP client hangs until its own timeout. A UDP client \
                 that goes on sending from its port never gets another server.",
            )
            .seen(["net.ipv4.vs.expire_nodest_conn is 0"])
            .seen(services.iter().map(|service| service.id().to_string()))
            .fix(
                "sysctl -w net.ipv4.vs.expire_nodest_conn=1: the next packet ends the connection, \
                 and the client connects anew. Keep 0 if you delete and add destinations again to \
                 check them, for then their connections live on.",
            )
            .source(
                "Documentation/networking/ipvs-sysctl.rst, expire_nodest_conn; \
                 net/netfilter/ipvs/ip_vs_core.c, ip_vs_in_hook",
            ),
    ]
}

/// Connections that begin in the middle.
pub(crate) fn sloppy_tcp(host: &Host) -> Vec<Finding> {
    if host.vs.number(Setting::SLOPPY_TCP).is_none_or(|it| it == 0) {
        return Vec::new();
    }
    let hashes =
        [Scheduler::SOURCE_HASHING, Scheduler::MAGLEV_HASHING, Scheduler::DESTINATION_HASHING];
    let services: Vec<String> = host
        .services()
        .filter(|service| {
            let settings = &service.entry.service;
            !is_udp(service)
                && settings.persistence.is_none()
                && !hashes.contains(&settings.scheduler)
        })
        .map(|service| format!("{} {}", service.id(), service.entry.service.scheduler))
        .collect();
    if services.is_empty() {
        return Vec::new();
    }
    vec![
        Finding::new(Severity::Warning, "packets in mid-stream make connections to any server")
            .reason(
                "sloppy_tcp lets a packet without SYN begin a connection. It is meant for \
                 schedulers that hash, where another director finds the server of a running \
                 connection. These schedulers choose any server, which resets the connection. A \
                 flood of ACK packets fills the table of connections.",
            )
            .seen(["net.ipv4.vs.sloppy_tcp is not 0"])
            .seen(services)
            .fix("sysctl -w net.ipv4.vs.sloppy_tcp=0, or use the scheduler sh or mh.")
            .source(
                "Documentation/networking/ipvs-sysctl.rst, sloppy_tcp; \
                 net/netfilter/ipvs/ip_vs_proto_tcp.c, tcp_conn_schedule",
            ),
    ]
}

/// Counters that stand still.
pub(crate) fn run_estimation(host: &Host) -> Vec<Finding> {
    if host.vs.counters_run() != Some(false) {
        return Vec::new();
    }
    let off = host.vs.is_on(Setting::RUN_ESTIMATION) == Some(false);
    let seen = if off { "run_estimation is 0" } else { "est_cpulist is empty" };
    vec![
        Finding::new(Severity::Warning, "the counters of IPVS stand still")
            .reason(
                "The kernel adds up the counters of services and destinations only while it \
                 estimates rates. Without that, `ipvsadm --stats`, `--rate` and all metrics from \
                 them show no traffic. The rows of single processors in \
                 /proc/net/ip_vs_stats_percpu go on counting.",
            )
            .seen([format!("net.ipv4.vs.{seen}")])
            .fix(if off {
                "sysctl -w net.ipv4.vs.run_estimation=1"
            } else {
                "Set net.ipv4.vs.est_cpulist to processors, such as 0-3."
            })
            .source(DOCUMENT),
    ]
}

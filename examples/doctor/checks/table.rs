//! What the settings of services and destinations alone show. The library decides; the texts are
//! those of this program.

use std::collections::BTreeMap;

use ipvs_netlink::table::Table;
use ipvs_netlink::{AddressFamily, Warning, WarningKind};

use crate::finding::{Finding, Severity};
use crate::host::{Host, named};

/// Collects the library's warnings that `select` takes, one finding for each kind. `told` is what
/// is seen of one.
fn warnings(
    host: &Host,
    select: impl Fn(&WarningKind) -> bool,
    told: impl Fn(&Warning) -> String,
) -> Vec<Finding> {
    let Some(ipvs) = &host.ipvs else { return Vec::new() };
    let mut by_kind: BTreeMap<&'static str, (WarningKind, Vec<String>)> = BTreeMap::new();
    for warning in Table::from(&ipvs.table).warnings() {
        if select(&warning.kind) {
            let name = warning.kind.name();
            let (_, seen) = by_kind.entry(name).or_insert_with(|| (warning.kind, Vec::new()));
            seen.push(told(&warning));
        }
    }
    by_kind.into_values().map(|(kind, seen)| finding(&kind).seen(seen)).collect()
}

/// A table without services.
pub(crate) fn empty(host: &Host) -> Vec<Finding> {
    if !host.has_empty_table() {
        return Vec::new();
    }
    vec![
        Finding::new(Severity::Note, "the table has no services")
            .reason(
                "IPVS is loaded and balances nothing in this network namespace. A real server needs \
                 no services; a director has lost its table, or what fills it does not run. The \
                 host was looked at as a real server.",
            )
            .seen(["the kernel lists no services"])
            .fix(
                "Nothing on a real server. On a director start what fills the table, or ipvsadm -R \
                 with what ipvsadm -S has saved.",
            )
            .source("net/netfilter/ipvs/ip_vs_ctl.c, ip_vs_genl_dump_services"),
    ]
}

/// All settings that have no check of their own.
pub(crate) fn settings(host: &Host) -> Vec<Finding> {
    let others = |kind: &WarningKind| {
        !matches!(kind, WarningKind::WeightZeroRefuses(_) | WarningKind::PortWithoutEffect)
    };
    warnings(host, others, ToString::to_string)
}

/// Weight 0 under schedulers that hash.
pub(crate) fn weight_0(host: &Host) -> Vec<Finding> {
    let refuses = |kind: &WarningKind| matches!(kind, WarningKind::WeightZeroRefuses(_));
    let told = |warning: &Warning| match warning.kind {
        WarningKind::WeightZeroRefuses(scheduler) => {
            format!("{} has weight 0 under {scheduler}", warning.object)
        }
        _ => warning.to_string(),
    };
    warnings(host, refuses, told)
}

/// Ports of destinations that have no effect.
pub(crate) fn ports(host: &Host) -> Vec<Finding> {
    let without_effect = |kind: &WarningKind| matches!(kind, WarningKind::PortWithoutEffect);
    warnings(host, without_effect, |warning| warning.object.to_string())
}

fn finding(kind: &WarningKind) -> Finding {
    use Severity::{Error, Note, Warning as Warn};
    let (severity, title, reason, fix, source) = match kind {
        WarningKind::PortZeroWithoutPersistence => (
            Error,
            "port 0 without persistence",
            "The kernel balances port 0, which means every port, only with persistence. It refuses \
             every connection.",
            "Make the service persistent, or name its port.",
            "net/netfilter/ipvs/ip_vs_core.c, ip_vs_schedule",
        ),
        WarningKind::AddressNotUnicast => (
            Error,
            "a virtual address that no client can send to",
            "IPVS compares the address with that in the packet. No address means \"all\", and only \
             packets to unicast addresses reach IPVS.",
            "Give the service the address that clients connect to, or use a firewall mark.",
            "net/netfilter/ipvs/ip_vs_core.c, ip_vs_in_hook",
        ),
        WarningKind::NoScheduler => (
            Error,
            "a service without a scheduler",
            "The kernel refuses every new connection.",
            "Set a scheduler: ipvsadm -E ... -s wlc",
            "net/netfilter/ipvs/ip_vs_core.c, ip_vs_schedule",
        ),
        WarningKind::UnknownScheduler { .. } | WarningKind::UnknownEngine(_) => (
            Note,
            "a module that is not in the sources of the kernel",
            "The kernel that runs has it. Another kernel refuses the service.",
            "Keep the module when the kernel is updated.",
            "net/netfilter/ipvs/ip_vs_sched.c; net/netfilter/ipvs/ip_vs_pe.c",
        ),
        WarningKind::FlagsWithoutEffect(_) => (
            Note,
            "flags that the scheduler does not read",
            "The service works as without them.",
            "Take the flags away, or set the scheduler that reads them.",
            "include/uapi/linux/ip_vs.h; net/netfilter/ipvs/ip_vs_sh.c; ip_vs_mh.c",
        ),
        WarningKind::OnePacketWithoutEffect => (
            Note,
            "one-packet scheduling without UDP",
            "The kernel balances the service connection by connection.",
            "Take the flag away.",
            "net/netfilter/ipvs/ip_vs_core.c, ip_vs_schedule",
        ),
        WarningKind::EngineNeedsUdp => (
            Error,
            "the engine sip for another protocol than UDP",
            "The engine reads UDP only, and the kernel drops every packet that it does not read.",
            "Take the engine away, or balance SIP over UDP.",
            "net/netfilter/ipvs/ip_vs_pe_sip.c, ip_vs_sip_fill_param",
        ),
        WarningKind::MaskCoversNothing => (
            Warn,
            "a persistence mask of 0.0.0.0",
            "All clients count as one, so one destination gets them all.",
            "Set a mask of the clients' networks, such as 255.255.255.0.",
            "net/netfilter/ipvs/ip_vs_core.c, ip_vs_sched_persist",
        ),
        WarningKind::PortWithoutEffect => (
            Warn,
            "a port of a destination that has no effect",
            "Packets arrive at the server with the port that the client chose. Direct routing and \
             tunnels never rewrite a packet, and a persistent service of all ports or of a \
             firewall mark keeps every port. Clients are refused unless the server listens at \
             their port.",
            "Let the server listen at the port of the service and give the destination the same \
             port, or use masquerading.",
            "net/netfilter/ipvs/ip_vs_xmit.c, ip_vs_dr_xmit; ip_vs_core.c, ip_vs_sched_persist",
        ),
        WarningKind::OnePacketMasquerade => (
            Warn,
            "one-packet scheduling with masquerading",
            "The kernel keeps no connection, so it does not rewrite answers. Clients get them from \
             the server's address and drop them.",
            "Use direct routing or a tunnel, or a persistence engine.",
            "net/netfilter/ipvs/ip_vs_core.c, ip_vs_out_hook, ip_vs_new_conn_out",
        ),
        WarningKind::ThresholdsWithoutEffect => (
            Note,
            "thresholds with one-packet scheduling",
            "The service has no connections, so there is nothing to limit.",
            "Take the thresholds away.",
            "net/netfilter/ipvs/ip_vs_conn.c, ip_vs_bind_dest",
        ),
        WarningKind::NoUsableDestination => (
            Error,
            "a service without a destination to use",
            "A service takes its packets as soon as the kernel has it. With no destination of a \
             weight above 0 it refuses every new client.",
            "Give a destination a weight, add one, or delete the service.",
            "net/netfilter/ipvs/ip_vs_core.c, ip_vs_leave",
        ),
        WarningKind::WeightZeroRefuses(_) => (
            Error,
            "weight 0 refuses clients under this scheduler",
            "dh, sh and mh choose by a hash and keep the places of a destination whose weight is \
             0. The clients of those places are refused, though other destinations are well. All \
             other schedulers skip the destination.",
            "Delete the destination instead of setting its weight to 0. With sh and mh the service \
             can have the flag sh-fallback or mh-fallback: ipvsadm -E ... -b sh-fallback",
            "net/netfilter/ipvs/ip_vs_sh.c, ip_vs_sh_get; ip_vs_mh.c, ip_vs_mh_get; ip_vs_dh.c",
        ),
        WarningKind::WeightsWithoutEffect(_) => (
            Note,
            "weights that the scheduler ignores",
            "The scheduler only looks whether a weight is 0.",
            "Use the weighted scheduler: wrr for rr, wlc for lc.",
            "net/netfilter/ipvs/ip_vs_rr.c; ip_vs_lc.c; ip_vs_dh.c",
        ),
        WarningKind::HashesOneAddress => (
            Warn,
            "dh balances a service with one address",
            "The scheduler hashes the address that clients connect to. With one address, one \
             destination gets every connection.",
            "Use sh or mh to hash the address of the client.",
            "net/netfilter/ipvs/ip_vs_dh.c, ip_vs_dh_schedule",
        ),
        WarningKind::CountsActiveOnly(_) => (
            Warn,
            "a scheduler that counts what UDP never has",
            "sed, nq and ovf count active connections, and connections of UDP are never active. \
             One destination gets all clients.",
            "Use wrr or wlc.",
            "net/netfilter/ipvs/ip_vs_sed.c; ip_vs_nq.c; ip_vs_ovf.c; ip_vs_proto_udp.c",
        ),
        WarningKind::HashTableTooSmall(_) => (
            Warn,
            "more places wanted than the scheduler's table has",
            "Each destination takes places of the table in turn. The destinations that were added \
             first get none, and so no clients.",
            "Use smaller weights of the same ratio, fewer destinations, or mh.",
            "net/netfilter/ipvs/ip_vs_sh.c, ip_vs_sh_reassign; Kconfig, IP_VS_SH_TAB_BITS",
        ),
        WarningKind::WeightsFarApart => (
            Warn,
            "weights of wrr that are far apart",
            "While the heaviest destinations are overloaded, the kernel counts down from their \
             weight for each connection, and the processor does nothing else. With the weights \
             2147483647 and 1 this took 15 s.",
            "Use smaller weights of about the same ratio, or wlc.",
            "net/netfilter/ipvs/ip_vs_wrr.c, ip_vs_wrr_schedule",
        ),
        _ => (
            Warn,
            "a setting that cannot work",
            "The library knows the reason: see the evidence.",
            "See the documentation of WarningKind in the library.",
            "ipvs-netlink, src/model/warning/kind.rs",
        ),
    };
    Finding::new(severity, title).reason(reason).fix(fix).source(source)
}

/// Destinations of the other family exclude the sync daemons.
pub(crate) fn mixed_families(host: &Host) -> Vec<Finding> {
    let mixed: Vec<String> = host
        .pairs()
        .filter(|(service, destination)| {
            (service.id().family() == AddressFamily::Ipv4) != destination.id().address.is_ipv4()
        })
        .map(named)
        .collect();
    let Some(ipvs) = &host.ipvs else { return Vec::new() };
    if mixed.is_empty() {
        return Vec::new();
    }
    let runs = !ipvs.daemons.is_empty();
    let daemons = ipvs.daemons.iter().map(|daemon| format!("sync daemon: {daemon}"));
    let severity = if runs { Severity::Error } else { Severity::Note };
    vec![
        Finding::new(severity, "destinations of the other address family exclude the sync daemons")
            .reason(
                "The messages between sync daemons have one family for both ends. As long as such \
                 a destination exists, the kernel refuses to start a daemon with EINVAL; while a \
                 daemon runs, it refuses to add such a destination.",
            )
            .seen(mixed)
            .seen(daemons)
            .fix(
                "Give the servers addresses of the service's family, or do without connection \
                  synchronization.",
            )
            .source("net/netfilter/ipvs/ip_vs_ctl.c, ip_vs_genl_new_daemon, ip_vs_add_dest"),
    ]
}

//! What grows with the number of objects and connections.

use crate::finding::{Finding, Severity};
use crate::host::Host;

/// Counters that the kernel adds up every two seconds: estimators times processors. Before Linux
/// 6.2 one timer interrupt does it, and a note is due from some milliseconds, estimated at a
/// tenth of a microsecond each.
const TIMER_NOTE: u64 = 20_000;
const TIMER_WARNING: u64 = 200_000;
/// Since Linux 6.2 threads do it, and the note is due from some percent of a processor.
const THREADS_NOTE: u64 = 2_000_000;

/// What the counters cost.
pub(crate) fn estimation(host: &Host) -> Vec<Finding> {
    let on = host.vs.counters_run() != Some(false);
    let services = host.services().count() as u64;
    let destinations = host.pairs().count() as u64;
    // The totals have one, too.
    let estimators = 1 + services + destinations;
    let processors = host.kernel.processors.max(1);
    let counters = estimators.saturating_mul(processors);
    let threads = host.kernel.is_at_least(6, 2);
    let severity = match threads {
        false if counters >= TIMER_WARNING => Severity::Warning,
        false if counters >= TIMER_NOTE => Severity::Note,
        true if counters >= THREADS_NOTE => Severity::Note,
        _ => return Vec::new(),
    };
    if !on {
        return Vec::new();
    }
    let (reason, fix) = if threads {
        (
            "Threads named ipvs-e add up every counter of every processor every two seconds. They \
             take processor time from others.",
            "Keep them to some processors and behind other work: net.ipv4.vs.est_cpulist, \
             net.ipv4.vs.est_nice. Or switch them off where nobody reads counters: \
             net.ipv4.vs.run_estimation=0.",
        )
    } else {
        (
            "Before Linux 6.2 one timer adds up every counter of every processor every two \
             seconds, in an interrupt and under a lock. Packets on that processor wait meanwhile, \
             which shows as regular peaks of latency. The table of every network namespace counts \
             on its own.",
            "Update to Linux 6.2, which leaves this to threads. Or net.ipv4.vs.run_estimation=0 \
             where nobody reads counters and the kernel has the setting.",
        )
    };
    vec![
        Finding::new(severity, "adding up the counters takes long")
            .reason(reason)
            .seen([
                format!(
                    "{services} services, {destinations} destinations, 1 total: {estimators} \
                     estimators"
                ),
                format!("{processors} processors, so {counters} counters every 2 s"),
                format!("Linux {}", host.kernel.release),
            ])
            .fix(fix)
            .source(
                "net/netfilter/ipvs/ip_vs_est.c, estimation_timer (before 6.2), \
                 ip_vs_estimation_kthread",
            ),
    ]
}

/// Connections for each bucket of the table from which on a finding is due.
const CROWDED: u64 = 2;
const OVERCROWDED: u64 = 8;

/// The size of the table of connections.
pub(crate) fn connection_table(host: &Host) -> Vec<Finding> {
    let Some(ipvs) = &host.ipvs else { return Vec::new() };
    let buckets = u64::from(ipvs.buckets);
    // Since Linux 7.1 the table grows by itself.
    if buckets == 0 || host.kernel.is_at_least(7, 1) {
        return Vec::new();
    }
    let connections: u64 = host
        .pairs()
        .map(|(_, it)| it.connections)
        .map(|it| [it.active, it.inactive, it.persistent].map(u64::from).iter().sum::<u64>())
        .sum();
    let severity = match connections / buckets {
        OVERCROWDED.. => Severity::Warning,
        CROWDED.. => Severity::Note,
        _ => return Vec::new(),
    };
    let bits = (connections * 2).next_power_of_two().ilog2().clamp(8, 27);
    vec![
        Finding::new(severity, "the table of connections is small for their number")
            .reason(
                "Every packet walks the list of one bucket to find its connection. The size is set \
                 when the module is loaded and does not grow before Linux 7.1. All network \
                 namespaces of a kernel share the table.",
            )
            .seen([
                format!("{connections} connections and templates in this network namespace"),
                format!("{buckets} buckets, so {} in each on average", connections / buckets),
            ])
            .fix(format!(
                "echo 'options ip_vs conn_tab_bits={bits}' > /etc/modprobe.d/ip_vs.conf, and load \
                 the module anew: at a time of maintenance, because unloading it ends all services \
                 and connections of all network namespaces. The limit is 20 in older kernels and 27 \
                 since Linux 6.5."
            ))
            .source("net/netfilter/ipvs/Kconfig, IP_VS_TAB_BITS; ip_vs_conn.c, ip_vs_conn_hashkey"),
    ]
}

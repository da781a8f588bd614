//! The metrics, with their names, what they mean, and their buckets.

use std::sync::Mutex;
use std::time::SystemTime;

use ipvs_netlink::AddressFamily;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets, linear_buckets};
use prometheus_client::registry::{Metric, Registry};

use super::Metrics;
use super::counts::{Durations, Label, Seconds, timestamp};
use super::local_policies::Policy;
use crate::cluster::Source;
use crate::serving::NotServed;

/// A registry that hands out what it registers.
#[derive(Default)]
struct Registering(Registry);

impl Registering {
    fn add<M: Metric + Clone>(&mut self, name: &str, help: &str, metric: M) -> M {
        self.0.register(name, help, metric.clone());
        metric
    }

    fn add_default<M: Metric + Clone + Default>(&mut self, name: &str, help: &str) -> M {
        self.add(name, help, M::default())
    }
}

impl Metrics {
    /// Creates counts of 0.
    ///
    /// Source of kube-proxy's names and buckets: `pkg/proxy/metrics/metrics.go`.
    pub(crate) fn new() -> Self {
        let mut all = Registering::default();
        let metrics = Self {
            synchronization: all.add(
                "kubeproxy_sync_proxy_rules_duration_seconds",
                "Time from the conversion of changes until the outcome of each virtual service is known",
                Histogram::new(exponential_buckets(0.001, 2.0, 15)),
            ),
            last_synchronized: all.add_default(
                "kubeproxy_sync_proxy_rules_last_timestamp_seconds",
                "When the table was last found as wished",
            ),
            last_queued: all.add_default(
                "kubeproxy_sync_proxy_rules_last_queued_timestamp_seconds",
                "When the last change of a service or an endpoint slice was received",
            ),
            programming: all.add(
                "kubeproxy_network_programming_duration_seconds",
                "Time from a change of endpoints, as the slice's annotation says it, until the table has it",
                Histogram::new(programming_buckets()),
            ),
            pending_services: all.add_default(
                "kubeproxy_sync_proxy_rules_service_changes_pending",
                "Changes of services that the table does not have yet",
            ),
            pending_slices: all.add_default(
                "kubeproxy_sync_proxy_rules_endpoint_changes_pending",
                "Changes of endpoint slices that the table does not have yet",
            ),
            services: all.add_default(
                "kubeproxy_sync_proxy_rules_service_changes",
                "Changes of services that were received",
            ),
            slices: all.add_default(
                "kubeproxy_sync_proxy_rules_endpoint_changes",
                "Changes of endpoint slices that were received",
            ),
            no_local_endpoints: all.add_default(
                "kubeproxy_sync_proxy_rules_no_local_endpoints_total",
                "Services with a traffic policy Local and no endpoint on this node",
            ),
            healthz: all.add_default("kubeproxy_proxy_healthz", "Answers of /healthz by their status"),
            livez: all.add_default("kubeproxy_proxy_livez", "Answers of /livez by their status"),
            conntrack: all.add(
                "kubeproxy_conntrack_reconciler_sync_duration_seconds",
                "Time to list tracked flows and to delete those UDP flows that are stale, by family",
                Durations::new_with_constructor(|| {
                    Histogram::new(exponential_buckets(0.001, 2.0, 15))
                }),
            ),
            flows_deleted: all.add_default(
                "kubeproxy_conntrack_reconciler_deleted_entries",
                "Stale UDP flows that were deleted, by family",
            ),
            watch_failures: all.add_default(
                "node_proxy_watch_failures",
                "Failures of lists and watches of the API, by resource",
            ),
            watch_up: all.add_default(
                "node_proxy_watch_up",
                "Whether the API server answers the watch, by resource",
            ),
            skipped: all.add_default(
                "node_proxy_skipped",
                "What is left out of the table, by reason; the log names each",
            ),
            not_served: all.add_default(
                "node_proxy_not_served",
                "Virtual services of the cluster that are not served, by reason; the log names each",
            ),
            firewall_usable: all.add_default(
                "node_proxy_firewall_usable",
                "Whether nft can be used, and did what it was asked for last",
            ),
            table_events: all.add_default("node_proxy_table_events", "Events of the table, by their names"),
            draining: all.add_default("node_proxy_draining_destinations", "Destinations that drain"),
            drains_ended: all.add_default("node_proxy_drains_ended", "Drains that have ended, by how"),
            service_sockets: all.add_default(
                "node_proxy_health_check_node_ports",
                "Sockets of health check node ports that are open, and that cannot be opened",
            ),
            local_policies: Mutex::default(),
            service_names: Mutex::default(),
            apply: Mutex::default(),
            registry: Registry::default(),
        };
        for policy in Policy::ALL {
            drop(metrics.no_local_endpoints.get_or_create(&[("traffic_policy", policy.name())]));
        }
        for code in ["200", "503"] {
            drop(metrics.healthz.get_or_create(&[("code", code)]));
            drop(metrics.livez.get_or_create(&[("code", code)]));
        }
        for family in [AddressFamily::Ipv4, AddressFamily::Ipv6] {
            let label = [("ip_family", ip_family(family))];
            drop(metrics.conntrack.get_or_create(&label));
            drop(metrics.flows_deleted.get_or_create(&label));
        }
        for source in [Source::Services, Source::Slices, Source::Node, Source::Pods] {
            drop(metrics.watch_failures.get_or_create(&[("resource", resource(source))]));
        }
        for reason in NotServed::REASONS {
            drop(metrics.not_served.get_or_create(&[("reason", reason)]));
        }
        let build: Family<Label, Gauge> =
            all.add_default("node_proxy_build_info", "The version of the program, always 1");
        build.get_or_create(&[("version", env!("CARGO_PKG_VERSION"))]).set(1);
        let start: Seconds =
            all.add_default("process_start_time_seconds", "When the program started");
        start.set(timestamp(SystemTime::now()));
        Self { registry: all.0, ..metrics }
    }
}

/// The buckets of kube-proxy: to a minute by seconds, to two minutes by 5 s, to five by 30 s.
fn programming_buckets() -> impl Iterator<Item = f64> {
    let first = linear_buckets(0.25, 0.25, 2).chain(linear_buckets(1.0, 1.0, 59));
    first.chain(linear_buckets(60.0, 5.0, 12)).chain(linear_buckets(120.0, 30.0, 7))
}

pub(super) const fn resource(source: Source) -> &'static str {
    match source {
        Source::Services => "services",
        Source::Slices => "endpointslices",
        Source::Node => "nodes",
        Source::Pods => "pods",
    }
}

pub(super) const fn ip_family(family: AddressFamily) -> &'static str {
    match family {
        AddressFamily::Ipv4 => "IPv4",
        AddressFamily::Ipv6 => "IPv6",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_buckets_are_those_of_kube_proxy() {
        let buckets: Vec<_> = programming_buckets().collect();
        assert_eq!(buckets.len(), 80);
        assert!(buckets.is_sorted() && buckets.ends_with(&[270.0, 300.0]));
    }
}

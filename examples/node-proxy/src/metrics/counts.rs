//! The counters.

use std::sync::atomic::AtomicU64;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ipvs_netlink::kubernetes::{Changes, Event};
use ipvs_netlink::metrics::ApplyCounts;
use ipvs_netlink::table::controller::{self, DrainEnd};
use prometheus_client::encoding::prometheus_text;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use super::local_policies::{LocalPolicies, Policy};
use super::registered::{ip_family, resource};
use super::service_names::ServiceNames;
use crate::cluster::Source;
use crate::host::Cleaned;
use crate::serving::{ClusterChanges, Moment, NotServed, Round};

/// One label.
pub(super) type Label = [(&'static str, &'static str); 1];

/// No label.
pub(super) type NoLabel = [(&'static str, &'static str); 0];

/// A time, or a duration, in seconds.
pub(super) type Seconds = Gauge<f64, AtomicU64>;

/// Durations in seconds.
pub(super) type Durations = Family<Label, Histogram, fn() -> Histogram>;

/// Everything that is counted.
#[derive(Debug)]
pub(crate) struct Metrics {
    pub(super) registry: Registry,
    pub(super) synchronization: Histogram,
    pub(super) last_synchronized: Seconds,
    pub(super) last_queued: Seconds,
    pub(super) programming: Histogram,
    pub(super) pending_services: Gauge,
    pub(super) pending_slices: Gauge,
    pub(super) services: Counter,
    pub(super) slices: Counter,
    pub(super) no_local_endpoints: Family<Label, Gauge>,
    pub(super) healthz: Family<Label, Counter>,
    pub(super) livez: Family<Label, Counter>,
    pub(super) conntrack: Durations,
    pub(super) flows_deleted: Family<Label, Counter>,
    pub(super) watch_failures: Family<Label, Counter>,
    pub(super) watch_up: Family<Label, Gauge>,
    pub(super) skipped: Family<Label, Gauge>,
    pub(super) not_served: Family<Label, Gauge>,
    /// Without a series until `nft` was tried.
    pub(super) firewall_usable: Family<NoLabel, Gauge>,
    pub(super) table_events: Family<Label, Counter>,
    pub(super) draining: Gauge,
    pub(super) drains_ended: Family<Label, Counter>,
    pub(super) service_sockets: Family<Label, Gauge>,
    pub(super) local_policies: Mutex<LocalPolicies>,
    pub(super) service_names: Mutex<ServiceNames>,
    pub(super) apply: Mutex<ApplyCounts>,
}

impl Metrics {
    /// Counts a change of the cluster.
    pub(crate) fn cluster_changed(&self, event: &Event, now: Moment) {
        match event {
            Event::Service(_) | Event::ServiceDeleted(_) => self.services.inc(),
            Event::Slice(_) | Event::SliceDeleted(_) => self.slices.inc(),
            _ => return,
        };
        self.last_queued.set(timestamp(now.time));
    }

    /// Counts a failure of a list or a watch.
    pub(crate) fn watch_failed(&self, source: Source) {
        self.watch_failures.get_or_create(&[("resource", resource(source))]).inc();
        self.watch_up.get_or_create(&[("resource", resource(source))]).set(0);
    }

    /// Notes that the API server has begun to answer a watch.
    pub(crate) fn watch_goes(&self, source: Source) {
        self.watch_up.get_or_create(&[("resource", resource(source))]).set(1);
    }

    /// Sets how many virtual services are not served, by reason.
    pub(crate) fn set_not_served(&self, not_served: &NotServed) {
        for reason in NotServed::REASONS {
            let count = not_served.count(reason) as u64;
            self.not_served.get_or_create(&[("reason", reason)]).set(number(count));
        }
    }

    /// Sets whether `nft` works.
    pub(crate) fn set_firewall_usable(&self, usable: bool) {
        self.firewall_usable.get_or_create(&[]).set(usable.into());
    }

    /// Sets how many changes of services, and of slices, the table does not have yet.
    pub(crate) fn set_pending(&self, (services, slices): (u64, u64)) {
        self.pending_services.set(number(services));
        self.pending_slices.set(number(slices));
    }

    /// Counts what a conversion left out, and services without endpoints on this node.
    pub(crate) fn converted(&self, changes: &Changes) {
        for (skipped, sign) in [(&changes.skipped_added, 1), (&changes.skipped_removed, -1)] {
            for it in skipped {
                let count = self.skipped.get_or_create(&[("reason", it.reason.name())]);
                count.inc_by(sign * number(it.count as u64));
            }
        }
        lock(&self.service_names).take(changes);
        let mut policies = lock(&self.local_policies);
        policies.take(changes);
        for policy in Policy::ALL {
            let label = [("traffic_policy", policy.name())];
            let count = policies.count(policy) as u64;
            self.no_local_endpoints.get_or_create(&label).set(number(count));
        }
    }

    /// Counts a round of changes that has ended.
    pub(crate) fn round_ended(&self, round: &Round<ClusterChanges>, now: Moment) {
        self.synchronization.observe(now.since(round.begun).as_secs_f64());
        if round.succeeded {
            self.last_synchronized.set(timestamp(now.time));
            for trigger in &round.load.triggers {
                // The clock of the control plane may be ahead.
                let took = now.time.duration_since(*trigger).unwrap_or_default();
                self.programming.observe(took.as_secs_f64());
            }
        }
    }

    /// Counts an event of the controller.
    pub(crate) fn table_event(&self, event: &controller::Event, now: Moment) {
        use controller::Event::{Done, DrainBegun, DrainEnded, Failed, Resynchronized, Unknown};
        self.table_events.get_or_create(&[("event", event.name())]).inc();
        match event {
            Done(change) => lock(&self.apply).record(change.operation(), true),
            Failed { change, .. } | Unknown { change, .. } => {
                lock(&self.apply).record(change.operation(), false);
            }
            DrainBegun { .. } => {
                self.draining.inc();
            }
            DrainEnded { end, .. } => {
                self.draining.dec();
                self.drains_ended.get_or_create(&[("end", drain_end(end))]).inc();
            }
            Resynchronized { differed: 0, .. } => {
                self.last_synchronized.set(timestamp(now.time));
            }
            _ => {}
        }
    }

    /// Counts what was done about the stale flows of one family.
    pub(crate) fn flows_cleaned(&self, cleaned: &Cleaned) {
        let label = [("ip_family", ip_family(cleaned.family))];
        self.conntrack.get_or_create(&label).observe(cleaned.took.as_secs_f64());
        self.flows_deleted.get_or_create(&label).inc_by(cleaned.deleted as u64);
    }

    /// Counts an answer of `/healthz`, or else of `/livez`.
    pub(crate) fn health_answered(&self, with_node: bool, is_ok: bool) {
        let family = if with_node { &self.healthz } else { &self.livez };
        family.get_or_create(&[("code", if is_ok { "200" } else { "503" })]).inc();
    }

    /// Sets how many sockets of services are open, and how many cannot be opened.
    pub(crate) fn set_service_sockets(&self, (open, failed): (usize, usize)) {
        for (state, count) in [("open", open), ("failed", failed)] {
            self.service_sockets.get_or_create(&[("state", state)]).set(number(count as u64));
        }
    }

    /// Returns how many writes were done.
    pub(super) fn apply_counts(&self) -> ApplyCounts {
        lock(&self.apply).clone()
    }

    /// Prints all of it in the text format of Prometheus.
    ///
    /// # Errors
    ///
    /// The memory is too small.
    pub(super) fn text(&self) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        prometheus_text::encode(&mut text, &self.registry)?;
        lock(&self.service_names).write(&mut text)?;
        Ok(text)
    }
}

pub(super) fn timestamp(time: SystemTime) -> f64 {
    time.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs_f64()
}

fn number(count: u64) -> i64 {
    count.try_into().unwrap_or(i64::MAX)
}

const fn drain_end(end: &DrainEnd) -> &'static str {
    match end {
        DrainEnd::Emptied => "emptied",
        DrainEnd::Cut(_) => "cut",
        DrainEnd::WantedAgain => "wanted_again",
        DrainEnd::DeletedByOthers => "deleted_by_others",
        _ => "other",
    }
}

/// Nothing is half done under these locks.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use ipvs_netlink::kubernetes::{Converter, Options, Service};
    use ipvs_netlink::table::controller::Event as TableEvent;
    use ipvs_netlink::{AddressFamily, ServiceId};

    use super::*;

    #[track_caller]
    fn sample(metrics: &Metrics, name: &str) -> f64 {
        let text = metrics.text().unwrap();
        let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        value.unwrap_or_else(|| panic!("no {name} in\n{text}")).parse().unwrap()
    }

    #[test]
    fn rounds_are_measured() {
        let (metrics, start) = (Metrics::new(), Moment::now());
        let now = start.after(1500);
        // The second change began on a clock that is ahead.
        let triggers = vec![start.time, now.time + Duration::from_secs(5)];
        let load = ClusterChanges { services: 0, slices: 2, triggers };
        let mut round = Round { begun: start, succeeded: false, load };
        metrics.round_ended(&round, now);
        let duration = "kubeproxy_sync_proxy_rules_duration_seconds";
        assert_eq!(sample(&metrics, &format!("{duration}_bucket{{le=\"1.024\"}}")), 0.0);
        assert_eq!(sample(&metrics, &format!("{duration}_bucket{{le=\"2.048\"}}")), 1.0);
        assert_eq!(sample(&metrics, &format!("{duration}_bucket{{le=\"16.384\"}}")), 1.0);
        let last = "kubeproxy_sync_proxy_rules_last_timestamp_seconds";
        assert_eq!(sample(&metrics, last), 0.0);
        let programming = "kubeproxy_network_programming_duration_seconds";
        assert_eq!(sample(&metrics, &format!("{programming}_count")), 0.0);

        round.succeeded = true;
        metrics.round_ended(&round, now);
        assert_eq!(sample(&metrics, last), timestamp(now.time));
        assert_eq!(sample(&metrics, &format!("{programming}_count")), 2.0);
        assert_eq!(sample(&metrics, &format!("{programming}_sum")), 1.5);
        for (bucket, expected) in [("0.25", 1.0), ("1", 1.0), ("2", 2.0), ("300", 2.0)] {
            let name = format!("{programming}_bucket{{le=\"{bucket}\"}}");
            assert_eq!(sample(&metrics, &name), expected, "{bucket}");
        }
    }

    #[test]
    fn what_is_left_out_is_counted_by_its_reason() {
        let (metrics, mut converter) = (Metrics::new(), Converter::new(&Options::new("node-a")));
        let mut service = Service::new("shop", "web");
        service.spec.cluster_ip = "None".into();
        metrics.converted(&converter.apply(Event::Service(service.clone())));
        assert_eq!(sample(&metrics, "node_proxy_skipped{reason=\"headless\"}"), 1.0);
        let name = service.metadata.object_name();
        metrics.converted(&converter.apply(Event::ServiceDeleted(name)));
        assert_eq!(sample(&metrics, "node_proxy_skipped{reason=\"headless\"}"), 0.0);
    }

    /// The alert would otherwise call `nft` unusable while the first lists are awaited.
    #[test]
    fn nothing_is_said_about_the_firewall_until_it_was_tried() {
        let metrics = Metrics::new();
        assert!(!metrics.text().unwrap().contains("node_proxy_firewall_usable"));
        for usable in [false, true] {
            metrics.set_firewall_usable(usable);
            assert_eq!(sample(&metrics, "node_proxy_firewall_usable"), f64::from(usable));
        }
    }

    #[test]
    fn stale_flows_are_counted_by_family() {
        let metrics = Metrics::new();
        for (family, deleted, millis) in
            [(AddressFamily::Ipv4, 2, 3), (AddressFamily::Ipv4, 0, 1), (AddressFamily::Ipv6, 1, 9)]
        {
            let took = Duration::from_millis(millis);
            metrics.flows_cleaned(&Cleaned { family, deleted, took });
        }
        for (name, v4, v6) in [
            ("deleted_entries_total", 2.0, 1.0),
            ("sync_duration_seconds_count", 2.0, 1.0),
            ("sync_duration_seconds_sum", 0.004, 0.009),
        ] {
            for (family, expected) in [("IPv4", v4), ("IPv6", v6)] {
                let name =
                    format!("kubeproxy_conntrack_reconciler_{name}{{ip_family=\"{family}\"}}");
                assert_eq!(sample(&metrics, &name), expected, "{name}");
            }
        }
    }

    #[test]
    fn changes_and_answers_are_counted() {
        let (metrics, now) = (Metrics::new(), Moment::now());
        metrics.cluster_changed(&Event::Service(Service::new("shop", "web")), now);
        metrics.cluster_changed(&Event::NodeDeleted("node-a".into()), now.after(5000));
        assert_eq!(sample(&metrics, "kubeproxy_sync_proxy_rules_service_changes_total"), 1.0);
        let queued = "kubeproxy_sync_proxy_rules_last_queued_timestamp_seconds";
        assert_eq!(sample(&metrics, queued), timestamp(now.time));
        metrics.health_answered(true, false);
        metrics.health_answered(false, true);
        assert_eq!(sample(&metrics, "kubeproxy_proxy_healthz_total{code=\"503\"}"), 1.0);
        assert_eq!(sample(&metrics, "kubeproxy_proxy_healthz_total{code=\"200\"}"), 0.0);
        assert_eq!(sample(&metrics, "kubeproxy_proxy_livez_total{code=\"200\"}"), 1.0);
        let id = ServiceId::tcp(([10, 96, 0, 10], 80).into());
        metrics.table_event(&TableEvent::Settled(id), now);
        assert_eq!(sample(&metrics, "node_proxy_table_events_total{event=\"settled\"}"), 1.0);
    }
}

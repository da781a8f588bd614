//! The answers of `/healthz` and `/livez`.

use std::collections::BTreeMap;
use std::time::{Duration, Instant, SystemTime};

use ipvs_netlink::AddressFamily;
use jiff::Timestamp;
use serde::Serialize;

use super::Moment;

/// How long a change may wait for the kernel's table until the program counts as unhealthy: twice the interval at
/// which kube-proxy synchronizes by default.
///
/// Source: `cmd/kube-proxy/app/server.go:newProxyServer`.
pub(crate) const HEALTHY_TIME: Duration = Duration::from_secs(60);

/// Whether the program keeps up with the cluster.
///
/// Source: `pkg/proxy/healthcheck/proxy_health.go:ProxyHealthServer`.
#[derive(Clone, Debug, Default)]
pub(crate) struct ProxyHealth {
    /// When the table had all changes last. `None` until it has had all of them once.
    updated: Option<SystemTime>,
    /// When the oldest change was converted that the table does not have yet.
    waiting: Option<Instant>,
    /// When the main loop began what it does now. A loop that hangs takes in no changes that could wait.
    busy: Option<Instant>,
}

impl ProxyHealth {
    /// Says when the oldest change began to wait, or that none waits, which was so at `now`.
    pub(crate) fn set_waiting(&mut self, oldest: Option<Moment>, now: Moment) {
        self.waiting = oldest.map(|oldest| oldest.instant);
        if oldest.is_none() {
            self.updated = Some(now.time);
        }
    }

    /// Says when the main loop began to work, or that it waits for something to do.
    pub(crate) fn set_busy(&mut self, since: Option<Moment>) {
        self.busy = since.map(|since| since.instant);
    }

    /// Returns `true` if no change waits for [`HEALTHY_TIME`] or longer. A program that starts is healthy until
    /// the table has been right once, as kube-proxy is.
    pub(crate) fn is_healthy(&self, now: Instant) -> bool {
        let is_late = |since: &Instant| now.saturating_duration_since(*since) >= HEALTHY_TIME;
        self.updated.is_none() || ![self.waiting, self.busy].iter().flatten().any(is_late)
    }

    /// Returns the answer of `/livez`, which does not look at the node, or with what the node says, of
    /// `/healthz`.
    pub(crate) fn report(
        &self,
        is_eligible: Option<bool>,
        families: &[AddressFamily],
        now: Moment,
    ) -> Report {
        let healthy = self.is_healthy(now.instant);
        let is_ok = healthy && is_eligible != Some(false);
        let of_family = FamilyReport { last_updated: text(self.updated), healthy };
        let known = families.iter().filter(|_| self.updated.is_some());
        Report {
            is_ok,
            last_updated: text(if is_ok { Some(now.time) } else { self.updated }),
            current_time: text(Some(now.time)),
            node_eligible: is_eligible,
            healthy,
            status: known.map(|family| (name(*family), of_family.clone())).collect(),
        }
    }
}

/// An answer, with the fields of kube-proxy 1.35.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Report {
    /// `true` for the status 200, `false` for 503.
    #[serde(skip)]
    pub(crate) is_ok: bool,
    /// The current time if all is well. kube-proxy keeps to that for older clients.
    last_updated: String,
    current_time: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    node_eligible: Option<bool>,
    /// Without regard to the node.
    healthy: bool,
    /// By family. Both are the same, because one controller keeps the services of both.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    status: BTreeMap<&'static str, FamilyReport>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct FamilyReport {
    last_updated: String,
    healthy: bool,
}

const fn name(family: AddressFamily) -> &'static str {
    match family {
        AddressFamily::Ipv4 => "IPv4",
        AddressFamily::Ipv6 => "IPv6",
    }
}

/// Returns a time as RFC 3339 has it, and Go's time zero for none.
fn text(time: Option<SystemTime>) -> String {
    let time = time.and_then(|time| Timestamp::try_from(time).ok());
    time.map_or_else(|| "0001-01-01T00:00:00Z".to_owned(), |time| time.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOTH: [AddressFamily; 2] = [AddressFamily::Ipv4, AddressFamily::Ipv6];

    fn moment() -> Moment {
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_910_400);
        Moment { instant: Instant::now(), time }
    }

    fn json(report: &Report) -> String {
        serde_json::to_string(report).unwrap()
    }

    #[test]
    fn a_change_may_wait_for_a_minute() {
        let (mut health, start) = (ProxyHealth::default(), moment());
        health.set_waiting(None, start);
        assert!(health.is_healthy(start.after(3_600_000).instant));
        health.set_waiting(Some(start.after(1000)), start.after(1000));
        assert!(health.is_healthy(start.after(60_999).instant));
        assert!(!health.is_healthy(start.after(61_000).instant));
        // A younger change waits: the older one is done.
        health.set_waiting(Some(start.after(59_000)), start.after(61_000));
        assert!(health.is_healthy(start.after(61_000).instant));
        health.set_waiting(None, start.after(62_000));
        assert!(health.is_healthy(start.after(3_600_000).instant));
    }

    #[test]
    fn a_loop_that_hangs_is_unhealthy() {
        let (mut health, start) = (ProxyHealth::default(), moment());
        health.set_waiting(None, start);
        health.set_busy(Some(start));
        assert!(health.is_healthy(start.after(59_999).instant));
        assert!(!health.is_healthy(start.after(60_000).instant));
        health.set_busy(None);
        assert!(health.is_healthy(start.after(60_000).instant));
    }

    #[test]
    fn a_program_that_starts_is_healthy() {
        let (mut health, start) = (ProxyHealth::default(), moment());
        health.set_busy(Some(start));
        health.set_waiting(Some(start), start);
        let report = health.report(Some(true), &BOTH, start.after(90_000));
        assert!(report.is_ok);
        assert_eq!(
            json(&report),
            r#"{"lastUpdated":"2026-11-29T00:01:30Z","currentTime":"2026-11-29T00:01:30Z","nodeEligible":true,"healthy":true}"#
        );
    }

    #[test]
    fn a_node_that_leaves_counts_for_healthz_only() {
        let (mut health, start) = (ProxyHealth::default(), moment());
        health.set_waiting(None, start);
        let now = start.after(5500);
        let report = health.report(Some(false), &BOTH[..1], now);
        assert!(!report.is_ok);
        assert_eq!(
            json(&report),
            concat!(
                r#"{"lastUpdated":"2026-11-29T00:00:00Z","currentTime":"2026-11-29T00:00:05.5Z","#,
                r#""nodeEligible":false,"healthy":true,"#,
                r#""status":{"IPv4":{"lastUpdated":"2026-11-29T00:00:00Z","healthy":true}}}"#
            )
        );
        assert!(health.report(None, &BOTH, now).is_ok);
    }

    #[test]
    fn an_unhealthy_answer_says_since_when() {
        let (mut health, start) = (ProxyHealth::default(), moment());
        health.set_waiting(None, start);
        health.set_waiting(Some(start.after(1000)), start.after(1000));
        let report = health.report(None, &BOTH, start.after(61_000));
        assert!(!report.is_ok);
        assert_eq!(
            json(&report),
            concat!(
                r#"{"lastUpdated":"2026-11-29T00:00:00Z","currentTime":"2026-11-29T00:01:01Z","healthy":false,"#,
                r#""status":{"IPv4":{"lastUpdated":"2026-11-29T00:00:00Z","healthy":false},"#,
                r#""IPv6":{"lastUpdated":"2026-11-29T00:00:00Z","healthy":false}}}"#
            )
        );
    }
}

//! What is known of targets and services.

use std::collections::BTreeMap;
#[cfg(feature = "health")]
use std::ops::Bound;
use std::sync::Arc;
use std::time::Instant;

use crate::health::monitor::Monitor;
use crate::health::monitor::target::{Phase, Target};
use crate::health::{Pace, PoolStatus, Share, Verdict};
use crate::model::{DestinationId, ServiceId};

/// What is known of one target: of a destination, by one check.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TargetStatus {
    /// The verdict.
    pub verdict: Verdict,
    /// When the verdict changed last; `None` if no check has decided yet.
    pub since: Option<Instant>,
    /// Why the last check failed or was not done; empty if it passed or if there was none.
    pub reason: String,
    /// Whether the last check passed, without those that were not done; `None` if there was none.
    pub passed: Option<bool>,
    /// How many of the last results in a row were the same.
    pub row: u32,
    /// How many of the last results in a row count for the next change of the verdict.
    pub counted: u32,
    /// How many results in a row change the verdict next: failures if it is up, successes if it is
    /// down, and either if it is unknown.
    pub needed: u32,
    /// Until when [`needed`](Self::needed) is more than [`Pace::rise`], because the target went down
    /// too often, if it goes down no more. `None` if the target is not
    /// [damped](crate::health::Damping).
    pub damped_until: Option<Instant>,
    /// The part of its weight that the last passed check asked for.
    pub share: Share,
    /// When the last check ended, also if it was not done.
    pub ended: Option<Instant>,
    /// When the next check is due; `None` while one runs.
    pub due: Option<Instant>,
    /// When the target is checked, and how many results in a row decide.
    pub pace: Pace,
}

/// What is known of a service: what its pool has decided, and what each check says of each
/// destination.
///
/// ```
/// use std::time::Instant;
///
/// use ipvs_netlink::health::{Monitor, Outcome, Pace, Verdict, Watched};
/// use ipvs_netlink::table::TableService;
/// use ipvs_netlink::{Destination, Service};
///
/// let mut now = Instant::now();
/// let mut monitor = Monitor::new(0);
/// let web = TableService::new(Service::tcp("192.0.2.10:80".parse()?))
///     .with(Destination::masquerade("10.0.0.2:8080".parse()?));
/// let id = web.id();
/// monitor.watch(Watched::new(web).check("connect", Pace::new()), None, now);
/// monitor.wishes(now);
/// for _ in 0..3 {
///     now = monitor.next(now).expect("a check is due some time");
///     let check = monitor.due(now).expect("it is due now");
///     monitor.finished(&check, Outcome::failed("connection refused"), now);
///     monitor.wishes(now);
/// }
/// let status = monitor.service_status(id, now).expect("the service is watched");
/// for (destination, member) in &status.pool.members {
///     for (check, target) in status.checks(*destination) {
///         let line = format!(
///             "{destination} is {}: {check}: {} in a row failed, {}",
///             member.verdict, target.row, target.reason
///         );
///         assert_eq!(line, "10.0.0.2:8080 is down: connect: 3 in a row failed, connection refused");
///     }
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServiceStatus<C> {
    /// What the pool has decided, with each destination.
    pub pool: PoolStatus,
    /// What each check says of each desired destination. A destination without a check is not there.
    pub targets: BTreeMap<DestinationId, Vec<(Arc<C>, TargetStatus)>>,
}

impl<C> ServiceStatus<C> {
    /// Returns what each check says of a destination, in the order of the checks in
    /// [`Watched`](crate::health::Watched).
    #[must_use]
    pub fn checks(&self, destination: DestinationId) -> &[(Arc<C>, TargetStatus)] {
        self.targets.get(&destination).map_or(&[], Vec::as_slice)
    }
}

impl<C> Target<C> {
    fn status(&self, now: Instant) -> TargetStatus {
        let (counted, needed) = self.tracker.change(now);
        TargetStatus {
            verdict: self.tracker.verdict(),
            since: self.tracker.since(),
            reason: self.reason.clone(),
            passed: self.tracker.passed(),
            row: self.tracker.row(),
            counted,
            needed,
            damped_until: self.tracker.damped_until(now),
            share: self.share,
            ended: self.ended,
            due: match self.phase {
                Phase::Waits(due) => Some(due),
                Phase::Runs(_) => None,
            },
            pace: self.tracker.pace(),
        }
    }
}

impl<C: Ord> Monitor<C> {
    /// Returns what is known of a destination at the time `now`, by each of its checks, in the order in
    /// which services first had the checks.
    pub fn status(
        &self,
        destination: DestinationId,
        now: Instant,
    ) -> impl Iterator<Item = (&C, TargetStatus)> {
        let targets = self.targets.at(destination).filter_map(|id| self.targets.get(id));
        let watched = targets.filter(|target| !target.services.is_empty());
        watched.map(move |target| (&*target.check, target.status(now)))
    }

    /// Returns what is known of a service at the time `now`. Its pool knows the results that there were
    /// when the last [`wishes`](Self::wishes) were taken.
    #[must_use]
    pub fn service_status(&self, id: ServiceId, now: Instant) -> Option<ServiceStatus<C>> {
        let state = self.services.get(&id)?;
        let statuses = state.pool.desired().destinations().filter_map(|destination| {
            let checks = state.checks.of(destination.id()).checks.iter().filter_map(|check| {
                let target = self.targets.get(self.targets.find(destination.id(), check.id)?)?;
                Some((Arc::clone(&check.check), target.status(now)))
            });
            let checks: Vec<_> = checks.collect();
            (!checks.is_empty()).then(|| (destination.id(), checks))
        });
        Some(ServiceStatus { pool: state.pool.status(now), targets: statuses.collect() })
    }

    /// Returns the services that are watched, in their order.
    pub fn services(&self) -> impl Iterator<Item = ServiceId> {
        self.services.keys().copied()
    }

    /// Returns the service that follows another one, or the first one.
    #[cfg(feature = "health")]
    pub(in crate::health) fn service_after(&self, service: Option<ServiceId>) -> Option<ServiceId> {
        let after = service.map_or(Bound::Unbounded, Bound::Excluded);
        self.services.range((after, Bound::Unbounded)).next().map(|(id, _)| *id)
    }
}

//! Which checks are due, and what their results mean for every service.

mod membership;
mod status;
mod target;
mod targets;
#[cfg(test)]
mod tests;
mod watched;

use std::collections::{BTreeMap, BTreeSet};
use std::mem;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::health::monitor::target::Phase;
use crate::health::monitor::targets::{CheckId, TargetId, Targets};
use crate::health::{Combination, Maintenance, Outcome, Pace, Pool, PoolEvent, Share, Verdict};
use crate::model::{DestinationId, ServiceId};
use crate::random::Random;
use crate::table::controller::{Agenda, Wish};

pub use status::{ServiceStatus, TargetStatus};
pub use watched::{Checks, Watched};

/// What is known of a target is kept for this time after the last service has left it, so that a
/// destination can move to another service in two steps.
const KEPT: Duration = Duration::from_secs(10);

/// Says which checks are due, and makes wishes of their results.
///
/// A monitor has no socket, no clock and no thread: a runner takes the checks that are
/// [due](Self::due), does them, and hands the results [back](Self::finished). The
/// [`wishes`](Self::wishes) go to a [`Controller`](crate::table::controller::Controller).
///
/// ```
/// use std::time::Instant;
///
/// use ipvs_netlink::health::{Monitor, Outcome, Pace, Watched};
/// use ipvs_netlink::table::TableService;
/// use ipvs_netlink::{Destination, Service};
///
/// let mut now = Instant::now();
/// let mut monitor = Monitor::new(0);
/// let web = TableService::new(Service::tcp("192.0.2.10:80".parse()?))
///     .with(Destination::masquerade("10.0.0.2:8080".parse()?));
/// monitor.watch(Watched::new(web).check("connect", Pace::new()), None, now);
/// assert_eq!(monitor.wishes(now)[0].service().destinations().len(), 0);
/// now = monitor.next(now).expect("a check is due some time");
/// let check = monitor.due(now).expect("it is due now");
/// assert_eq!(*check.check, "connect");
/// monitor.finished(&check, Outcome::passed(), now);
/// assert_eq!(monitor.wishes(now)[0].service().destinations().len(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Monitor<C> {
    random: Random,
    services: BTreeMap<ServiceId, ServiceState<C>>,
    targets: Targets<C>,
    /// The services whose wish may have changed, and when pools change by themselves.
    agenda: Agenda,
    /// The services whose pools may have events.
    eventful: BTreeSet<ServiceId>,
}

#[derive(Debug)]
struct ServiceState<C> {
    pool: Pool,
    /// `true` until the program is told that the pool was available at the start.
    begins_available: bool,
    checks: ServiceChecks<C>,
    /// The destinations with results that the pool does not know yet.
    unjudged: BTreeSet<DestinationId>,
}

/// How the destinations of a service are checked.
#[derive(Debug)]
struct ServiceChecks<C> {
    each: Combined<C>,
    /// The destinations that are checked otherwise.
    otherwise: BTreeMap<DestinationId, Combined<C>>,
}

/// The checks of a destination, and how many must pass.
#[derive(Debug)]
struct Combined<C> {
    checks: Vec<ServiceCheck<C>>,
    combination: Combination,
}

impl<C> ServiceChecks<C> {
    /// Returns the checks of a destination.
    fn of(&self, destination: DestinationId) -> &Combined<C> {
        self.otherwise.get(&destination).unwrap_or(&self.each)
    }

    fn all(&self) -> impl Iterator<Item = &ServiceCheck<C>> {
        let otherwise = self.otherwise.values().flat_map(|combined| &combined.checks);
        self.each.checks.iter().chain(otherwise)
    }
}

#[derive(Debug)]
struct ServiceCheck<C> {
    id: CheckId,
    check: Arc<C>,
    pace: Pace,
}

/// A check that is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Check<C> {
    /// The destination.
    pub destination: DestinationId,
    /// What is checked.
    pub check: Arc<C>,
    /// When the check was due.
    pub due: Instant,
    target: TargetId,
}

impl<C: Ord> Monitor<C> {
    /// Creates a monitor that watches nothing. The seed determines how checks are spread over time.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self {
            random: Random::new(seed),
            services: BTreeMap::new(),
            targets: Targets::new(),
            agenda: Agenda::new(),
            eventful: BTreeSet::new(),
        }
    }

    /// Takes out a check that is due at the time `now`, the longest due one first. Returns `None`
    /// if none is due. The target is not checked again before the result is
    /// [handed back](Self::finished).
    pub fn due(&mut self, now: Instant) -> Option<Check<C>> {
        let (due, id, target) = loop {
            let (due, id) = self.targets.take_due(now)?;
            match self.targets.get(id) {
                Some(target) if target.services.is_empty() => self.targets.remove(id),
                _ => break (due, id, self.targets.get_mut(id)?),
            }
        };
        // A check that begins late does not make the next one late, too, unless it is so late that
        // the two would come close to each other.
        let slack = target.tracker.pace().changing / 2;
        let began = now.checked_sub(slack).map_or(due, |earliest| due.max(earliest));
        target.phase = Phase::Runs(began);
        let (destination, check) = (target.destination, Arc::clone(&target.check));
        Some(Check { destination, check, due, target: id })
    }

    /// Hands back the result of a check. The result for a target that is not watched any more is
    /// ignored, and so is a second result.
    ///
    /// A pool decides once about all results that came since the last [`wishes`](Self::wishes).
    pub fn finished(&mut self, check: &Check<C>, outcome: Outcome, now: Instant) {
        let Some(target) = self.targets.get_mut(check.target) else { return };
        let Phase::Runs(began) = target.phase else { return };
        let share = target.share;
        target.ended = Some(now);
        let mut changed = match outcome {
            Outcome::NotDone(_) => {
                target.tracker.postpone(now);
                false
            }
            _ => target.tracker.record(outcome.is_passed(), began, now).is_some(),
        };
        match outcome {
            Outcome::Passed(share) => {
                target.share = share;
                target.reason = String::new();
            }
            Outcome::Failed(reason) | Outcome::NotDone(reason) => target.set_reason(reason),
        }
        changed |= share != target.share;
        if target.services.is_empty() {
            self.targets.set_due(check.target, now + KEPT);
            return;
        }
        // A little earlier each time, so that the checks of many targets do not meet.
        let next = target.tracker.next();
        let early = self.random.up_to(next.saturating_duration_since(began) / 20);
        let due = next.checked_sub(early).unwrap_or(next).max(now);
        let services = if changed { target.services.iter().copied().collect() } else { Vec::new() };
        self.targets.set_due(check.target, due);
        for id in services {
            if let Some(state) = self.services.get_mut(&id) {
                state.unjudged.insert(check.destination);
                self.touch(id);
            }
        }
    }

    /// Returns why the check of this target failed, or was not done, last; `None` if nobody wants to
    /// know any more.
    #[cfg(feature = "health")]
    pub(in crate::health) fn reason(&self, check: &Check<C>) -> Option<&str> {
        let target = self.targets.get(check.target)?;
        Some(target.reason.as_str())
    }

    /// Returns the services that have the target of this check.
    #[cfg(feature = "health")]
    pub(in crate::health) fn services_of(
        &self,
        check: &Check<C>,
    ) -> impl Iterator<Item = ServiceId> {
        self.targets
            .get(check.target)
            .into_iter()
            .flat_map(|target| target.services.iter().copied())
    }

    /// Makes the next checks of a destination due now, because something else says that it may not
    /// work. No verdict changes. See [`Tracker::hasten`](crate::health::Tracker::hasten).
    pub fn hasten(&mut self, destination: DestinationId, now: Instant) {
        let targets: Vec<_> = self.targets.at(destination).collect();
        for id in targets {
            let Some(target) = self.targets.get_mut(id) else { continue };
            target.tracker.hasten(now);
            let next = target.tracker.next();
            let waits = matches!(target.phase, Phase::Waits(due) if due > next);
            if waits && !target.services.is_empty() {
                self.targets.set_due(id, next);
            }
        }
    }

    /// Begins an operator's maintenance. See [`Pool::maintain`].
    pub fn maintain(
        &mut self,
        service: ServiceId,
        destination: DestinationId,
        maintenance: Maintenance,
        now: Instant,
    ) {
        self.catch_up(service, now);
        if let Some(state) = self.services.get_mut(&service) {
            state.pool.maintain(destination, maintenance, now);
            self.touch(service);
        }
    }

    /// Ends an operator's maintenance. See [`Pool::end_maintenance`].
    pub fn end_maintenance(
        &mut self,
        service: ServiceId,
        destination: DestinationId,
        now: Instant,
    ) {
        self.catch_up(service, now);
        if let Some(state) = self.services.get_mut(&service) {
            state.pool.end_maintenance(destination, now);
            self.touch(service);
        }
    }

    /// Returns the wishes that have changed since the last call, in the order of their services.
    pub fn wishes(&mut self, now: Instant) -> Vec<Wish> {
        let mut wishes = Vec::new();
        for id in self.agenda.take(usize::MAX, now) {
            self.catch_up(id, now);
            let Some(state) = self.services.get_mut(&id) else { continue };
            wishes.extend(state.pool.wish(now));
            self.eventful.insert(id);
            if let Some(next) = state.pool.next(now) {
                self.agenda.at(id, next);
            }
        }
        wishes
    }

    /// Returns when a check is due or a wish changes by itself. Checks that run have no time.
    #[must_use]
    pub fn next(&self, now: Instant) -> Option<Instant> {
        self.next_check().into_iter().chain(self.next_wish(now)).min()
    }

    /// Returns when a check is due.
    pub(in crate::health) fn next_check(&self) -> Option<Instant> {
        self.targets.next()
    }

    /// Returns when a wish may change: at the time `now`, or by itself later.
    pub(in crate::health) fn next_wish(&self, now: Instant) -> Option<Instant> {
        if self.agenda.has_now() { Some(now) } else { self.agenda.next() }
    }

    /// Returns the pool of a service. It learns of results when the next [`wishes`](Self::wishes)
    /// are taken.
    #[must_use]
    pub fn pool(&self, id: ServiceId) -> Option<&Pool> {
        self.services.get(&id).map(|state| &state.pool)
    }

    /// Takes out the events of all pools, in the order of their services. The first one of a pool that
    /// is available at the start, by what the table held, is [`PoolEvent::Available`]. Results cause
    /// events when the next [`wishes`](Self::wishes) are taken.
    pub fn events(&mut self) -> Vec<(ServiceId, PoolEvent)> {
        let mut events = Vec::new();
        for id in mem::take(&mut self.eventful) {
            let Some(state) = self.services.get_mut(&id) else { continue };
            let begins = mem::take(&mut state.begins_available);
            events.extend(begins.then_some((id, PoolEvent::Available)));
            let checks = &state.checks;
            events.extend(state.pool.events().map(|mut event| {
                if let PoolEvent::Verdict { destination, verdict: Verdict::Down, reason } =
                    &mut event
                {
                    *reason = reasons(&self.targets, *destination, checks.of(*destination));
                }
                (id, event)
            }));
        }
        events
    }

    /// Tells a service of the results that its pool does not know yet.
    fn catch_up(&mut self, service: ServiceId, now: Instant) {
        let Some(state) = self.services.get_mut(&service) else { return };
        let unjudged = mem::take(&mut state.unjudged);
        if !unjudged.is_empty() {
            self.judge(service, unjudged, now);
        }
    }

    /// Tells a service what its checks say of destinations.
    fn judge(
        &mut self,
        service: ServiceId,
        destinations: impl IntoIterator<Item = DestinationId>,
        now: Instant,
    ) {
        let Some(state) = self.services.get_mut(&service) else { return };
        let judged = destinations.into_iter().map(|destination| {
            let Combined { checks, combination } = state.checks.of(destination);
            let ids = checks.iter().map(|check| self.targets.find(destination, check.id));
            let targets: Vec<_> = ids.flatten().filter_map(|id| self.targets.get(id)).collect();
            let verdicts = targets.iter().map(|target| target.tracker.verdict());
            // What a check said before it failed counts no more. One that has not decided yet may
            // ask for any share.
            let mut passing = targets.iter().filter(|it| it.tracker.verdict() != Verdict::Down);
            let share = passing.try_fold(Share::FULL, |share, target| {
                (target.tracker.verdict() == Verdict::Up).then(|| share * target.share)
            });
            (destination, combination.of(verdicts), share)
        });
        state.pool.judge(judged, now);
    }

    /// Notes that something has happened in a pool.
    fn touch(&mut self, service: ServiceId) {
        self.agenda.now(service);
        self.eventful.insert(service);
    }
}

/// Returns why the checks of a destination have failed last.
fn reasons<C: Ord>(
    targets: &Targets<C>,
    destination: DestinationId,
    combined: &Combined<C>,
) -> String {
    let checks = combined.checks.iter();
    let of = checks.filter_map(|check| targets.get(targets.find(destination, check.id)?));
    let reasons = of.map(|target| target.reason.as_str()).filter(|reason| !reason.is_empty());
    reasons.collect::<Vec<_>>().join("; ")
}

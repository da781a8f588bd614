//! Which checks are due, and what their results mean for every service.

mod target;
#[cfg(test)]
mod tests;
mod watched;

use std::collections::{BTreeMap, BTreeSet};
use std::mem;
use std::sync::Arc;
use std::time::Instant;

use crate::health::monitor::target::TargetState;
use crate::health::{
    Combination, Maintenance, Outcome, Pace, Pool, PoolEvent, Share, Tracker, Verdict,
};
use crate::model::{DestinationId, ServiceId, ServiceSnapshot};
use crate::random::Random;
use crate::table::controller::Wish;

pub use watched::Watched;

/// With fewer targets than this, the first checks of all begin within [`Pace::changing`]; with more
/// within [`Pace::interval`].
const FEW: usize = 1000;

/// A destination, and what is checked there.
type Target<C> = (DestinationId, Arc<C>);

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
    targets: BTreeMap<Target<C>, TargetState>,
    /// The targets that are not being checked, by the time of their next check.
    queue: BTreeSet<(Instant, Target<C>)>,
    /// The services whose wish may have changed.
    changed: BTreeSet<ServiceId>,
    /// When pools change by themselves.
    times: BTreeMap<ServiceId, Instant>,
}

#[derive(Debug)]
struct ServiceState<C> {
    pool: Pool,
    checks: Vec<(Arc<C>, Pace)>,
    combination: Combination,
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
}

/// What is known of one target.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TargetStatus {
    /// The verdict.
    pub verdict: Verdict,
    /// Why the last check failed; empty if it passed or if none was done.
    pub reason: String,
    /// The part of its weight that the last passed check asked for.
    pub share: Share,
}

impl<C: Ord> Monitor<C> {
    /// Creates a monitor that watches nothing. The seed determines how checks are spread over time.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self {
            random: Random::new(seed),
            services: BTreeMap::new(),
            targets: BTreeMap::new(),
            queue: BTreeSet::new(),
            changed: BTreeSet::new(),
            times: BTreeMap::new(),
        }
    }

    /// Watches a service, or replaces what is watched of it. What is known of its targets stays,
    /// also if another service had them before and has them still.
    ///
    /// `held` is the service as the table holds it now, at the start of the program. See
    /// [`Pool::new`].
    pub fn watch(&mut self, watched: Watched<C>, held: Option<&ServiceSnapshot>, now: Instant) {
        let Watched { service, policy, checks, combination } = watched;
        let id = service.id();
        let checks: Vec<_> =
            checks.into_iter().map(|(check, pace)| (Arc::new(check), pace)).collect();
        let mut unwatched = self.targets_of(id);
        let pool = match self.services.remove(&id) {
            Some(mut known) => {
                known.pool.set_desired(service, policy, now);
                known.pool
            }
            None => Pool::new(service, policy, held),
        };
        let destinations: Vec<_> =
            pool.desired().destinations().map(|destination| destination.id()).collect();
        for destination in &destinations {
            for (check, pace) in &checks {
                let target = (*destination, Arc::clone(check));
                unwatched.remove(&target);
                self.add_target(target, *pace, id, now);
            }
        }
        unwatched.into_iter().for_each(|target| self.drop_target(&target, id));
        self.services.insert(id, ServiceState { pool, checks, combination });
        destinations.into_iter().for_each(|destination| self.judge(id, destination, now));
        self.changed.insert(id);
    }

    /// Watches a service no more. The program takes the wish for it back itself.
    pub fn forget(&mut self, id: ServiceId) {
        for target in self.targets_of(id) {
            self.drop_target(&target, id);
        }
        self.services.remove(&id);
        self.changed.remove(&id);
        self.times.remove(&id);
    }

    /// Takes out a check that is due at the time `now`, the longest due one first. Returns `None`
    /// if none is due. The target is not checked again before the result is
    /// [handed back](Self::finished).
    pub fn due(&mut self, now: Instant) -> Option<Check<C>> {
        if self.queue.first()?.0 > now {
            return None;
        }
        let (due, target) = self.queue.pop_first()?;
        if let Some(state) = self.targets.get_mut(&target) {
            (state.due, state.began) = (None, Some(now));
        }
        let (destination, check) = target;
        Some(Check { destination, check, due })
    }

    /// Hands back the result of a check. The result for a target that is not watched any more is
    /// ignored, and so is a second result.
    pub fn finished(&mut self, check: &Check<C>, outcome: Outcome, now: Instant) {
        let target = (check.destination, Arc::clone(&check.check));
        let Some(state) = self.targets.get_mut(&target) else { return };
        let Some(began) = state.began.take() else { return };
        let share = state.share;
        let mut changed = state.tracker.record(outcome.is_passed(), began, now).is_some();
        match outcome {
            Outcome::Passed(share) => {
                state.share = share;
                state.reason.clear();
            }
            Outcome::Failed(reason) => state.set_reason(reason),
        }
        changed |= share != state.share;
        // A little earlier each time, so that the checks of many targets do not meet.
        let next = state.tracker.next();
        let early = self.random.up_to(next.saturating_duration_since(began) / 20);
        let due = next.checked_sub(early).unwrap_or(next).max(now);
        state.due = Some(due);
        let services = if changed { state.services.iter().copied().collect() } else { Vec::new() };
        self.queue.insert((due, target));
        services.into_iter().for_each(|id| self.judge(id, check.destination, now));
    }

    /// Makes the next checks of a destination due now, because something else says that it may not
    /// work. No verdict changes.
    pub fn hasten(&mut self, destination: DestinationId, now: Instant) {
        let of = self.targets.iter_mut().filter(|((id, _), _)| *id == destination);
        for (target, state) in of {
            state.tracker.hasten(now);
            if let Some(due) = state.due.filter(|due| *due > now) {
                self.queue.remove(&(due, target.clone()));
                self.queue.insert((now, target.clone()));
                state.due = Some(now);
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
        if let Some(state) = self.services.get_mut(&service) {
            state.pool.maintain(destination, maintenance, now);
            self.changed.insert(service);
        }
    }

    /// Ends an operator's maintenance. See [`Pool::end_maintenance`].
    pub fn end_maintenance(
        &mut self,
        service: ServiceId,
        destination: DestinationId,
        now: Instant,
    ) {
        if let Some(state) = self.services.get_mut(&service) {
            state.pool.end_maintenance(destination, now);
            self.changed.insert(service);
        }
    }

    /// Returns the wishes that have changed since the last call, in the order of their services.
    pub fn wishes(&mut self, now: Instant) -> Vec<Wish> {
        let due = self.times.iter().filter(|(_, time)| **time <= now);
        self.changed.extend(due.map(|(id, _)| *id));
        let mut wishes = Vec::new();
        for id in mem::take(&mut self.changed) {
            let Some(state) = self.services.get_mut(&id) else { continue };
            wishes.extend(state.pool.wish(now));
            match state.pool.next(now) {
                Some(next) => self.times.insert(id, next),
                None => self.times.remove(&id),
            };
        }
        wishes
    }

    /// Returns when a check is due or a wish changes by itself. Checks that run have no time.
    #[must_use]
    pub fn next(&self, now: Instant) -> Option<Instant> {
        if !self.changed.is_empty() {
            return Some(now);
        }
        let check = self.queue.first().map(|(due, _)| *due);
        check.into_iter().chain(self.times.values().copied()).min()
    }

    /// Returns what is known of a destination, by each of its checks.
    pub fn status(&self, destination: DestinationId) -> impl Iterator<Item = (&C, TargetStatus)> {
        let of = self.targets.iter().filter(move |((id, _), _)| *id == destination);
        of.map(|((_, check), state)| {
            let TargetState { tracker, reason, share, .. } = state;
            let reason = reason.clone();
            (&**check, TargetStatus { verdict: tracker.verdict(), reason, share: *share })
        })
    }

    /// Returns the pool of a service.
    #[must_use]
    pub fn pool(&self, id: ServiceId) -> Option<&Pool> {
        self.services.get(&id).map(|state| &state.pool)
    }

    /// Takes out the events of all pools.
    pub fn events(&mut self) -> Vec<(ServiceId, PoolEvent)> {
        let pools = self.services.iter_mut();
        pools.flat_map(|(id, state)| state.pool.events().map(move |event| (*id, event))).collect()
    }

    /// Returns the targets of a service.
    fn targets_of(&self, id: ServiceId) -> BTreeSet<Target<C>> {
        let Some(state) = self.services.get(&id) else { return BTreeSet::new() };
        let checks = |destination| {
            state.checks.iter().map(move |(check, _)| (destination, Arc::clone(check)))
        };
        let destinations = state.pool.desired().destinations();
        destinations.flat_map(|destination| checks(destination.id())).collect()
    }

    /// Notes that a service has a target.
    fn add_target(&mut self, target: Target<C>, pace: Pace, service: ServiceId, now: Instant) {
        if let Some(state) = self.targets.get_mut(&target) {
            state.services.insert(service);
            state.tracker.set_pace(pace, now);
            return;
        }
        let window = if self.targets.len() < FEW { pace.changing } else { pace.interval };
        let due = now + self.random.up_to(window);
        self.queue.insert((due, target.clone()));
        self.targets.insert(target, TargetState::new(Tracker::new(pace, due), service));
    }

    /// Notes that a service has a target no more.
    fn drop_target(&mut self, target: &Target<C>, service: ServiceId) {
        let Some(state) = self.targets.get_mut(target) else { return };
        state.services.remove(&service);
        if state.services.is_empty() {
            if let Some(due) = state.due {
                self.queue.remove(&(due, target.clone()));
            }
            self.targets.remove(target);
        }
    }

    /// Tells a service what its checks say of a destination.
    fn judge(&mut self, service: ServiceId, destination: DestinationId, now: Instant) {
        let Some(state) = self.services.get_mut(&service) else { return };
        let checks = state.checks.iter();
        let targets =
            checks.filter_map(|(check, _)| self.targets.get(&(destination, Arc::clone(check))));
        let targets: Vec<&TargetState> = targets.collect();
        let verdict = state.combination.of(targets.iter().map(|target| target.tracker.verdict()));
        let share = targets.iter().fold(Share::FULL, |share, target| share * target.share);
        state.pool.share(destination, share, now);
        state.pool.verdict(destination, verdict, now);
        self.changed.insert(service);
    }
}

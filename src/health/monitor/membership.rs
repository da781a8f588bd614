//! Which services are watched, and which targets they have.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

use crate::health::monitor::target::Phase;
use crate::health::monitor::targets::CheckId;
use crate::health::monitor::{
    Checks, Combined, KEPT, Monitor, ServiceCheck, ServiceChecks, ServiceState, Watched,
};
use crate::health::{Pool, Tracker};
use crate::model::{DestinationId, ServiceId, ServiceSnapshot};

/// While fewer targets than this wait for their first checks, those of new ones begin within
/// [`Pace::changing`]; while more wait, within [`Pace::interval`].
const FEW: usize = 1000;

impl<C: Ord> Monitor<C> {
    /// Watches a service, or replaces what is watched of it. What is known of its targets stays,
    /// also if another service had them before. If services have the same target with different
    /// paces, the pace that was given last counts.
    ///
    /// `held` is the service as the table holds it now, at the start of the program. See
    /// [`Pool::new`].
    pub fn watch(&mut self, watched: Watched<C>, held: Option<&ServiceSnapshot>, now: Instant) {
        let Watched { service, policy, checks, combination, checks_of } = watched;
        let id = service.id();
        self.catch_up(id, now);
        let each = self.use_checks(Checks { checks, combination });
        let otherwise = checks_of
            .into_iter()
            .map(|(destination, checks)| (destination, self.use_checks(checks)));
        let checks = ServiceChecks { otherwise: otherwise.collect(), each };
        let mut unwatched = self.targets_of(id);
        let (pool, begins_available, former_checks) = match self.services.remove(&id) {
            Some(ServiceState { mut pool, begins_available, checks, .. }) => {
                pool.set_desired(service, policy, now);
                (pool, begins_available, Some(checks))
            }
            None => {
                let pool = Pool::new(service, policy, held);
                let is_available = pool.is_available();
                (pool, is_available, None)
            }
        };
        let destinations: Vec<_> =
            pool.desired().destinations().map(|destination| destination.id()).collect();
        for destination in &destinations {
            for check in &checks.of(*destination).checks {
                unwatched.remove(&(*destination, check.id));
                self.add_target(*destination, check, id, now);
            }
        }
        unwatched.into_iter().for_each(|target| self.drop_target(target, id, now));
        if let Some(former) = former_checks {
            self.leave_checks(&former);
        }
        let unjudged = BTreeSet::new();
        let state = ServiceState { pool, begins_available, checks, unjudged };
        self.services.insert(id, state);
        self.judge(id, destinations, now);
        self.touch(id);
    }

    /// Watches a service no more. The program takes the wish for it back itself.
    ///
    /// What is known of its destinations is kept for 10 s: it is known of them in a service that
    /// has them and the same checks by then. Nobody checks them meanwhile.
    pub fn forget(&mut self, id: ServiceId, now: Instant) {
        for target in self.targets_of(id) {
            self.drop_target(target, id, now);
        }
        let Some(state) = self.services.remove(&id) else { return };
        self.leave_checks(&state.checks);
        self.agenda.cancel(id);
        self.eventful.remove(&id);
    }

    /// Notes one more use of each of these checks.
    fn use_checks(&mut self, checks: Checks<C>) -> Combined<C> {
        let Checks { checks, combination } = checks;
        let checks = checks.into_iter().map(|(check, pace)| {
            let (id, check) = self.targets.use_check(check);
            ServiceCheck { id, check, pace }
        });
        Combined { checks: checks.collect(), combination }
    }

    /// Notes that a use of each of these checks has ended.
    fn leave_checks(&mut self, checks: &ServiceChecks<C>) {
        checks.all().for_each(|check| self.targets.leave_check(check.id, &check.check));
    }

    /// Returns the targets of a service.
    fn targets_of(&self, id: ServiceId) -> BTreeSet<(DestinationId, CheckId)> {
        let Some(state) = self.services.get(&id) else { return BTreeSet::new() };
        let destinations = state.pool.desired().destinations();
        let targets = destinations.flat_map(|destination| {
            let checks = &state.checks.of(destination.id()).checks;
            checks.iter().map(move |check| (destination.id(), check.id))
        });
        targets.collect()
    }

    /// Notes that a service has a target.
    fn add_target(
        &mut self,
        destination: DestinationId,
        check: &ServiceCheck<C>,
        service: ServiceId,
        now: Instant,
    ) {
        let pace = check.pace;
        let Some(id) = self.targets.find(destination, check.id) else {
            let window =
                if self.targets.first_checks() < FEW { pace.changing } else { pace.interval };
            let tracker = Tracker::new(pace, now + self.random.up_to(window));
            let target = (check.id, Arc::clone(&check.check));
            self.targets.add(destination, target, tracker, service);
            return;
        };
        let Some(target) = self.targets.get_mut(id) else { return };
        let is_kept = target.services.is_empty();
        target.services.insert(service);
        if target.tracker.pace() == pace && !is_kept {
            return;
        }
        target.tracker.set_pace(pace, now);
        let next = target.tracker.next();
        if is_kept && next <= now {
            // Spread the checks that were not done meanwhile.
            let due = now + self.random.up_to(pace.changing);
            if let Phase::Waits(_) = target.phase {
                self.targets.set_due(id, due);
            }
            return;
        }
        if matches!(target.phase, Phase::Waits(due) if due > next) {
            // Spread again: a reload may give all targets another pace.
            let window = next.saturating_duration_since(now);
            self.targets.set_due(id, now + self.random.up_to(window));
        }
    }

    /// Notes that a service has a target no more.
    fn drop_target(
        &mut self,
        (destination, check): (DestinationId, CheckId),
        service: ServiceId,
        now: Instant,
    ) {
        let Some(id) = self.targets.find(destination, check) else { return };
        let Some(target) = self.targets.get_mut(id) else { return };
        target.services.remove(&service);
        if target.services.is_empty() && matches!(target.phase, Phase::Waits(_)) {
            self.targets.set_due(id, now + KEPT);
            self.targets.abandon(id);
        }
    }
}

//! All targets, found by number, by name and by time.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Instant;

use crate::health::Tracker;
use crate::health::monitor::target::{Phase, Target};
use crate::model::{DestinationId, ServiceId};

/// The number of a target. None is used twice, so that nothing late is taken for another target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct TargetId(u64);

/// The number of a check. Checks are compared by their values only when a service is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct CheckId(u64);

/// The targets. Nothing searches: each call takes logarithmic time for each target it touches.
#[derive(Debug)]
pub(super) struct Targets<C> {
    all: BTreeMap<TargetId, Target<C>>,
    names: BTreeMap<(DestinationId, CheckId), TargetId>,
    /// The targets that wait, by the time of their next check.
    queue: BTreeSet<(Instant, TargetId)>,
    /// Those that wait for their first check.
    first: BTreeSet<TargetId>,
    checks: BTreeMap<Arc<C>, CheckId>,
    /// How many services and targets have each check.
    uses: BTreeMap<CheckId, usize>,
    /// The last number that was given.
    last: u64,
}

impl<C: Ord> Targets<C> {
    pub(super) const fn new() -> Self {
        Self {
            all: BTreeMap::new(),
            names: BTreeMap::new(),
            queue: BTreeSet::new(),
            first: BTreeSet::new(),
            checks: BTreeMap::new(),
            uses: BTreeMap::new(),
            last: 0,
        }
    }

    /// Returns how many targets wait for their first check.
    pub(super) fn first_checks(&self) -> usize {
        self.first.len()
    }

    /// Notes that nobody waits for the first check of a target any more.
    pub(super) fn abandon(&mut self, id: TargetId) {
        self.first.remove(&id);
    }

    /// Notes one more use of a check. Returns the one of this value that all share.
    pub(super) fn use_check(&mut self, check: C) -> (CheckId, Arc<C>) {
        let (number, check) = match self.checks.entry(Arc::new(check)) {
            Entry::Occupied(entry) => (*entry.get(), Arc::clone(entry.key())),
            Entry::Vacant(entry) => {
                self.last += 1;
                let check = Arc::clone(entry.key());
                (*entry.insert(CheckId(self.last)), check)
            }
        };
        *self.uses.entry(number).or_default() += 1;
        (number, check)
    }

    /// Notes that a use of a check has ended.
    pub(super) fn leave_check(&mut self, number: CheckId, check: &Arc<C>) {
        let Some(uses) = self.uses.get_mut(&number) else { return };
        *uses -= 1;
        if *uses == 0 {
            self.uses.remove(&number);
            self.checks.remove(check);
        }
    }

    /// Adds a target that is not there yet. The first check is due when the tracker says.
    pub(super) fn add(
        &mut self,
        destination: DestinationId,
        (number, check): (CheckId, Arc<C>),
        tracker: Tracker,
        service: ServiceId,
    ) {
        *self.uses.entry(number).or_default() += 1;
        self.last += 1;
        let id = TargetId(self.last);
        self.queue.insert((tracker.next(), id));
        self.first.insert(id);
        self.names.insert((destination, number), id);
        let mut target = Target::new(destination, number, check, tracker);
        target.services.insert(service);
        self.all.insert(id, target);
    }

    /// Removes a target.
    pub(super) fn remove(&mut self, id: TargetId) {
        let Some(target) = self.all.remove(&id) else { return };
        self.names.remove(&(target.destination, target.number));
        if let Phase::Waits(due) = target.phase {
            self.queue.remove(&(due, id));
        }
        self.first.remove(&id);
        self.leave_check(target.number, &target.check);
    }
}

impl<C> Targets<C> {
    /// Returns the number of the check at a destination.
    pub(super) fn find(&self, destination: DestinationId, check: CheckId) -> Option<TargetId> {
        self.names.get(&(destination, check)).copied()
    }

    /// Returns the targets at a destination.
    pub(super) fn at(&self, destination: DestinationId) -> impl Iterator<Item = TargetId> {
        let checks = (destination, CheckId(0))..=(destination, CheckId(u64::MAX));
        self.names.range(checks).map(|(_, id)| *id)
    }

    pub(super) fn get(&self, id: TargetId) -> Option<&Target<C>> {
        self.all.get(&id)
    }

    pub(super) fn get_mut(&mut self, id: TargetId) -> Option<&mut Target<C>> {
        self.all.get_mut(&id)
    }

    /// Makes the next check of a target due at a time.
    pub(super) fn set_due(&mut self, id: TargetId, due: Instant) {
        let Some(target) = self.all.get_mut(&id) else { return };
        if let Phase::Waits(before) = target.phase {
            self.queue.remove(&(before, id));
        }
        target.phase = Phase::Waits(due);
        self.queue.insert((due, id));
    }

    /// Returns when the next check is due.
    pub(super) fn next(&self) -> Option<Instant> {
        self.queue.first().map(|(due, _)| *due)
    }

    /// Takes out the target that has been due the longest at the time `now`. The caller says when
    /// the check began.
    pub(super) fn take_due(&mut self, now: Instant) -> Option<(Instant, TargetId)> {
        if self.next()? > now {
            return None;
        }
        let (due, id) = self.queue.pop_first()?;
        self.first.remove(&id);
        Some((due, id))
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    #[cfg(test)]
    pub(super) fn has_no_checks(&self) -> bool {
        self.checks.is_empty() && self.uses.is_empty()
    }

    #[cfg(test)]
    pub(super) fn waiting(&self) -> usize {
        assert!(self.first.len() <= self.queue.len());
        self.queue.len()
    }
}

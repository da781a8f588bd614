//! When services are due.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use crate::model::ServiceId;

/// Services that are to be looked at, each at its time. Nothing searches: each call takes
/// logarithmic time for each service it touches.
#[derive(Clone, Debug)]
pub(crate) struct Agenda {
    /// Services that are due now, as soon as possible.
    now: BTreeSet<ServiceId>,
    /// The time of each other service.
    times: BTreeMap<ServiceId, Instant>,
    later: BTreeSet<(Instant, ServiceId)>,
}

impl Agenda {
    /// Creates an agenda without services.
    pub(crate) const fn new() -> Self {
        Self { now: BTreeSet::new(), times: BTreeMap::new(), later: BTreeSet::new() }
    }

    /// Makes a service due now.
    pub(crate) fn now(&mut self, id: ServiceId) {
        if self.now.insert(id) {
            self.cancel_later(id);
        }
    }

    /// Makes services due now. In order they cost less than one by one.
    pub(crate) fn all_now(&mut self, ids: Vec<ServiceId>) {
        if !self.times.is_empty() {
            ids.iter().for_each(|id| self.cancel_later(*id));
        }
        match self.now.is_empty() {
            true => self.now = BTreeSet::from_iter(ids),
            false => self.now.extend(ids),
        }
    }

    /// Makes a service due at a time, unless it is due earlier.
    pub(crate) fn at(&mut self, id: ServiceId, time: Instant) {
        if self.now.contains(&id) || self.times.get(&id).is_some_and(|earlier| *earlier <= time) {
            return;
        }
        self.cancel(id);
        self.times.insert(id, time);
        self.later.insert((time, id));
    }

    /// Removes a service.
    pub(crate) fn cancel(&mut self, id: ServiceId) {
        self.now.remove(&id);
        self.cancel_later(id);
    }

    fn cancel_later(&mut self, id: ServiceId) {
        if let Some(time) = self.times.remove(&id) {
            self.later.remove(&(time, id));
        }
    }

    /// Removes all services that are due now.
    pub(crate) fn cancel_now(&mut self) {
        self.now.clear();
    }

    /// Returns the number of services that are due at `now`, without those whose time is to come.
    pub(crate) fn due_now(&mut self, now: Instant) -> usize {
        while let Some((time, id)) = self.later.first().copied() {
            if time > now {
                break;
            }
            self.now(id);
        }
        self.now.len()
    }

    /// Takes out at most `most` services that are due at `now`.
    pub(crate) fn take(&mut self, most: usize, now: Instant) -> Vec<ServiceId> {
        let due = self.due_now(now);
        if due <= most {
            return std::mem::take(&mut self.now).into_iter().collect();
        }
        (0..most).filter_map(|_| self.now.pop_first()).collect()
    }

    /// Returns `true` if no service is due at any time.
    pub(crate) fn is_empty(&self) -> bool {
        self.now.is_empty() && self.later.is_empty()
    }

    /// Returns `true` if a service was made due now.
    pub(crate) fn has_now(&self) -> bool {
        !self.now.is_empty()
    }

    /// Returns the earliest time to come. Services that are due now have none.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.later.first().map(|(time, _)| *time)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_service_is_due_once_at_its_earliest_time() {
        let id = |port| ServiceId::tcp(([192, 0, 2, 1], port).into());
        let begin = Instant::now();
        let after = |seconds| begin + Duration::from_secs(seconds);
        let mut agenda = Agenda::new();
        agenda.at(id(1), after(5));
        agenda.at(id(1), after(3));
        agenda.at(id(1), after(9));
        agenda.at(id(2), after(2));
        assert_eq!(agenda.next(), Some(after(2)));
        assert_eq!(agenda.take(9, after(1)), []);
        assert_eq!(agenda.take(9, after(3)), [id(1), id(2)]);
        assert_eq!((agenda.next(), agenda.due_now(after(99))), (None, 0));
        agenda.at(id(1), after(5));
        agenda.now(id(1));
        agenda.at(id(1), after(6));
        agenda.now(id(3));
        assert_eq!(agenda.take(1, begin), [id(1)]);
        agenda.cancel(id(3));
        assert_eq!(agenda.take(1, after(99)), []);
        agenda.at(id(4), after(5));
        agenda.all_now(vec![id(5), id(4), id(5)]);
        agenda.all_now(vec![id(6), id(4)]);
        assert_eq!((agenda.next(), agenda.take(9, begin)), (None, vec![id(4), id(5), id(6)]));
    }
}

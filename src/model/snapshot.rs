use std::slice;

use crate::model::{DestinationEntry, DestinationId, ServiceEntry, ServiceId};

/// The whole table of a network namespace, as `Client::snapshot` reads it.
///
/// Services are ordered by their identity, as [`ServiceId`] is; the destinations of
/// each too.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    services: Vec<ServiceSnapshot>,
    consistent: bool,
}

/// A service in a [`Snapshot`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServiceSnapshot {
    /// The service with its counters.
    pub entry: ServiceEntry,
    /// Its destinations with theirs, ordered by their identity.
    pub destinations: Vec<DestinationEntry>,
}

impl ServiceSnapshot {
    /// A service with its destinations, which are put in order.
    #[must_use]
    pub fn new(entry: ServiceEntry, mut destinations: Vec<DestinationEntry>) -> Self {
        destinations.sort_by_key(|entry| entry.destination.id);
        Self::in_order(entry, destinations)
    }

    pub(crate) const fn in_order(entry: ServiceEntry, destinations: Vec<DestinationEntry>) -> Self {
        Self { entry, destinations }
    }

    /// The destination named `id`.
    #[must_use]
    pub fn destination(&self, id: DestinationId) -> Option<&DestinationEntry> {
        let at = self.destinations.binary_search_by_key(&id, |entry| entry.destination.id);
        at.ok().and_then(|at| self.destinations.get(at))
    }
}

impl Snapshot {
    /// `services` are ordered and have no identity twice.
    pub(crate) const fn new(services: Vec<ServiceSnapshot>, consistent: bool) -> Self {
        Self { services, consistent }
    }

    /// Whether two readings agreed on which services there are and in which order, and on
    /// the destinations of each for which one datagram may not have had room. False when
    /// others kept writing for so long that none did; then some may be missing.
    ///
    /// A snapshot that a program put together itself is not consistent.
    #[must_use]
    pub const fn is_consistent(&self) -> bool {
        self.consistent
    }

    /// How many services there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.services.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.services.is_empty()
    }

    /// The services in their order.
    pub fn services(&self) -> slice::Iter<'_, ServiceSnapshot> {
        self.services.iter()
    }

    /// The service named `id`.
    #[must_use]
    pub fn service(&self, id: ServiceId) -> Option<&ServiceSnapshot> {
        let at = self.services.binary_search_by_key(&id, |service| service.entry.service.id);
        at.ok().and_then(|at| self.services.get(at))
    }
}

impl FromIterator<ServiceSnapshot> for Snapshot {
    /// Of services with the same identity the last one stays. Destinations are put in
    /// order.
    fn from_iter<I: IntoIterator<Item = ServiceSnapshot>>(services: I) -> Self {
        let in_order =
            |ServiceSnapshot { entry, destinations }| ServiceSnapshot::new(entry, destinations);
        let mut services: Vec<_> = services.into_iter().map(in_order).collect();
        services.reverse();
        services.sort_by_key(|service| service.entry.service.id);
        services.dedup_by_key(|service| service.entry.service.id);
        Self::new(services, false)
    }
}

impl IntoIterator for Snapshot {
    type Item = ServiceSnapshot;
    type IntoIter = std::vec::IntoIter<ServiceSnapshot>;

    fn into_iter(self) -> Self::IntoIter {
        self.services.into_iter()
    }
}

impl<'s> IntoIterator for &'s Snapshot {
    type Item = &'s ServiceSnapshot;
    type IntoIter = slice::Iter<'s, ServiceSnapshot>;

    fn into_iter(self) -> Self::IntoIter {
        self.services.iter()
    }
}

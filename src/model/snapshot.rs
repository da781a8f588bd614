use std::time::Instant;

use crate::model::iter::{IntoIter, Iter};
use crate::model::{DestinationEntry, DestinationId, ServiceEntry, ServiceId};

/// The services of a network namespace with their destinations and counters, read together:
/// all services with `Client::snapshot`, or some with `Client::snapshot_of`.
///
/// The services are ordered by [`ServiceId`]. The destinations of each service are
/// ordered by [`DestinationId`].
///
/// A program can build a snapshot itself, by `collect` from [`ServiceSnapshot`]s. Such a
/// snapshot is not [complete](Self::is_complete) and has no [time of
/// reading](Self::read_at).
///
/// Two snapshots are equal if their services, counters and completeness are equal. The
/// time of reading is not compared.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    services: Vec<ServiceSnapshot>,
    complete: bool,
    read_at: Option<Instant>,
}

/// A service in a [`Snapshot`], with its destinations.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServiceSnapshot {
    /// The service and its counters.
    pub entry: ServiceEntry,
    /// The destinations and their counters, ordered by [`DestinationId`].
    pub destinations: Vec<DestinationEntry>,
}

impl ServiceSnapshot {
    /// Creates the snapshot of a service from its parts. Sorts `destinations`.
    #[must_use]
    pub fn new(entry: ServiceEntry, mut destinations: Vec<DestinationEntry>) -> Self {
        destinations.sort_by_key(DestinationEntry::id);
        Self::in_order(entry, destinations)
    }

    pub(crate) const fn in_order(entry: ServiceEntry, destinations: Vec<DestinationEntry>) -> Self {
        Self { entry, destinations }
    }

    /// Returns the identity of the service.
    #[must_use]
    pub const fn id(&self) -> ServiceId {
        self.entry.id()
    }

    /// Returns the destination named `id`, or `None` if the service has no such
    /// destination.
    #[must_use]
    pub fn destination(&self, id: DestinationId) -> Option<&DestinationEntry> {
        let at = self.destinations.binary_search_by_key(&id, DestinationEntry::id);
        at.ok().and_then(|at| self.destinations.get(at))
    }
}

impl Snapshot {
    /// `services` must be sorted by identity, without duplicates.
    pub(crate) const fn new(
        services: Vec<ServiceSnapshot>,
        complete: bool,
        read_at: Option<Instant>,
    ) -> Self {
        Self { services, complete, read_at }
    }

    /// Returns `true` if no entry can be missing.
    ///
    /// The kernel continues a long list by position. If another program deletes an entry
    /// meanwhile, the kernel skips another entry and does not report that. So the client
    /// reads each list that may not fit one datagram again, until two readings agree. This
    /// returns `false` if other programs wrote so often that no two readings agreed.
    ///
    /// A snapshot that the program built itself is not complete.
    #[must_use]
    pub const fn is_complete(&self) -> bool {
        self.complete
    }

    /// The former name of [`is_complete`](Self::is_complete).
    #[deprecated(note = "write `is_complete`")]
    #[must_use]
    pub const fn is_consistent(&self) -> bool {
        self.is_complete()
    }

    /// Returns the time at which reading began, or `None` if the program built the snapshot
    /// itself.
    ///
    /// The client took the time before it requested the list of services that this snapshot
    /// contains. The counters of destinations were read later, one service after the other.
    ///
    /// The time is an [`Instant`], because the time between two snapshots must be right even
    /// if the host's clock is set meanwhile:
    ///
    /// ```no_run
    /// # let mut ipvs = ipvs_netlink::Client::connect()?;
    /// let before = ipvs.snapshot()?;
    /// std::thread::sleep(std::time::Duration::from_secs(10));
    /// let after = ipvs.snapshot()?;
    /// if let (Some(from), Some(to)) = (before.read_at(), after.read_at()) {
    ///     println!("{:.1} s between the snapshots", (to - from).as_secs_f64());
    /// }
    /// # Ok::<(), ipvs_netlink::Error>(())
    /// ```
    ///
    /// For the time of day write `SystemTime::now() - snapshot.read_at()?.elapsed()`.
    ///
    /// `Client::apply_from` reads only some services again. It sets the time of that reading;
    /// the counters of the other services are older.
    #[must_use]
    pub const fn read_at(&self) -> Option<Instant> {
        self.read_at
    }

    /// Returns the number of services.
    #[must_use]
    pub fn len(&self) -> usize {
        self.services.len()
    }

    /// Returns `true` if the snapshot has no service.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.services.is_empty()
    }

    /// Returns an iterator over the services, in their order.
    pub fn services(&self) -> Iter<'_, ServiceSnapshot> {
        Iter::new(&self.services)
    }

    /// Returns the service named `id`, or `None` if there is no such service.
    #[must_use]
    pub fn service(&self, id: ServiceId) -> Option<&ServiceSnapshot> {
        let at = self.services.binary_search_by_key(&id, ServiceSnapshot::id);
        at.ok().and_then(|at| self.services.get(at))
    }
}

impl PartialEq for Snapshot {
    fn eq(&self, other: &Self) -> bool {
        let Self { services, complete, read_at: _ } = self;
        *complete == other.complete && *services == other.services
    }
}

impl Eq for Snapshot {}

impl FromIterator<ServiceSnapshot> for Snapshot {
    /// Sorts the services and their destinations. If several services have the same
    /// identity, the last one is kept.
    fn from_iter<I: IntoIterator<Item = ServiceSnapshot>>(services: I) -> Self {
        let in_order =
            |ServiceSnapshot { entry, destinations }| ServiceSnapshot::new(entry, destinations);
        let mut services: Vec<_> = services.into_iter().map(in_order).collect();
        services.reverse();
        services.sort_by_key(ServiceSnapshot::id);
        services.dedup_by_key(|service| service.id());
        Self::new(services, false, None)
    }
}

impl IntoIterator for Snapshot {
    type Item = ServiceSnapshot;
    type IntoIter = IntoIter<ServiceSnapshot>;

    fn into_iter(self) -> Self::IntoIter {
        IntoIter::new(self.services)
    }
}

impl<'s> IntoIterator for &'s Snapshot {
    type Item = &'s ServiceSnapshot;
    type IntoIter = Iter<'s, ServiceSnapshot>;

    fn into_iter(self) -> Self::IntoIter {
        self.services()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Service, Stats};

    #[test]
    fn the_time_of_reading_is_not_compared() {
        let services = || {
            let service = Service::tcp("192.0.2.10:80".parse().unwrap());
            vec![ServiceSnapshot::new(ServiceEntry::new(service, Stats::default()), Vec::new())]
        };
        let read = Snapshot::new(services(), true, Some(Instant::now()));
        assert_eq!(read, Snapshot::new(services(), true, None));
        assert_ne!(read, Snapshot::new(services(), false, None));
        assert_ne!(read, Snapshot::new(Vec::new(), true, None));
        assert_eq!(Snapshot::from_iter(services()).read_at(), None);
    }
}

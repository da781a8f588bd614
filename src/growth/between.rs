use std::time::Duration;

use crate::growth::grown::Complete;
use crate::growth::join::join;
use crate::growth::{Counted, Estimation, Grown, RateBounds, Reading, Total};
use crate::model::{DestinationEntry, DestinationId, ServiceEntry, ServiceId, ServiceSnapshot};

/// The growth of all counters between two readings of the same services.
///
/// It borrows the snapshots and judges each object when it is asked for, so that it costs no memory.
///
/// ```
/// use std::time::{Duration, Instant};
/// use ipvs_netlink::growth::{Growth, Grown, Reading};
/// use ipvs_netlink::{Service, ServiceEntry, ServiceSnapshot, Snapshot, Stats};
///
/// let web = Service::tcp("192.0.2.10:80".parse()?);
/// let snapshot = |connections| {
///     let mut stats = Stats::default();
///     stats.connections = connections;
///     Snapshot::from_iter([ServiceSnapshot::new(ServiceEntry::new(web.clone(), stats), Vec::new())])
/// };
/// let (before, after) = (snapshot(100), snapshot(130));
/// let then = Instant::now();
/// let growth = Growth::between(
///     Reading::at(&before, then),
///     Reading::at(&after, then + Duration::from_secs(10)),
/// );
/// let total = growth.services_total();
/// assert_eq!(total.growth.connections, 30);
/// assert!(total.is_exact());
/// let rates = growth.total_rates(&total).expect("10 s are longer than a step");
/// assert_eq!(rates.mean.connections, 3.0);
/// assert_eq!(rates.least.connections, 2.5);
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Growth<'s> {
    before: Reading<'s>,
    after: Reading<'s>,
}

impl<'s> Growth<'s> {
    /// Compares an earlier reading with a later one.
    #[must_use]
    pub const fn between(before: Reading<'s>, after: Reading<'s>) -> Self {
        Self { before, after }
    }

    /// Returns the time between the readings. It is 0 if `after` is not the later one.
    ///
    /// It is the time between the beginnings of the two readings. A client reads the destinations later
    /// than their service. That is not visible here, and adds to the uncertainty of rates if one reading
    /// took much longer than the other.
    #[must_use]
    pub fn interval(&self) -> Duration {
        self.after.at.saturating_duration_since(self.before.at)
    }

    /// Returns whether the kernel kept the counters up to date meanwhile.
    #[must_use]
    pub const fn estimation(&self) -> Estimation {
        Estimation::between(self.before.estimates, self.after.estimates)
    }

    /// Yields the services of both readings, ordered by [`ServiceId`].
    pub fn services(&self) -> impl Iterator<Item = ServiceGrowth<'s>> + use<'s> {
        let complete = self.complete();
        join(self.before.snapshot, self.after.snapshot, ServiceSnapshot::id)
            .filter_map(move |(before, after)| ServiceGrowth::of(before, after, complete))
    }

    /// Returns the growth of one service, or `None` if neither reading has the service.
    #[must_use]
    pub fn service(&self, id: ServiceId) -> Option<ServiceGrowth<'s>> {
        let (before, after) = (self.before.snapshot, self.after.snapshot);
        ServiceGrowth::of(before.service(id), after.service(id), self.complete())
    }

    fn complete(&self) -> Complete {
        let (before, after) = (self.before.snapshot, self.after.snapshot);
        Complete { before: before.is_complete(), after: after.is_complete() }
    }

    /// Adds up the counters of the services.
    #[must_use]
    pub fn services_total(&self) -> Total {
        self.services().map(|service| service.grown()).collect()
    }

    /// Adds up the counters of the destinations of all services. The sum may differ from that over the
    /// services by the traffic of some two seconds, because counters are copied at different moments.
    #[must_use]
    pub fn destinations_total(&self) -> Total {
        let destinations = self.services().flat_map(|service| service.destinations());
        destinations.map(|destination| destination.grown()).collect()
    }

    /// Returns how fast the traffic was that an object counted, with bounds.
    ///
    /// Returns `None` if nobody can say: if the growth is not [known](Grown::known), if the interval is
    /// shorter than one [`STEP`](super::STEP), or if estimation was [stopped](Estimation::Stopped). For an
    /// object that [started](Grown::Started) the time before its beginning counts too.
    #[must_use]
    pub fn rates(&self, grown: &Grown) -> Option<RateBounds> {
        self.bounds(&grown.known()?)
    }

    /// Returns how fast the traffic of several objects was. It is the rate of what was certainly counted,
    /// and too small unless the total [is exact](Total::is_exact). Returns `None` as [`rates`](Self::rates)
    /// does for the interval and for estimation.
    #[must_use]
    pub fn total_rates(&self, total: &Total) -> Option<RateBounds> {
        self.bounds(&total.growth)
    }

    fn bounds(&self, growth: &Counted) -> Option<RateBounds> {
        match self.estimation() {
            Estimation::Stopped => None,
            Estimation::Running | Estimation::Unknown => RateBounds::new(growth, self.interval()),
        }
    }
}

/// The growth of a service and of its destinations. See [`Growth::services`].
#[derive(Clone, Copy, Debug)]
pub struct ServiceGrowth<'s> {
    id: ServiceId,
    before: Option<&'s ServiceSnapshot>,
    after: Option<&'s ServiceSnapshot>,
    grown: Grown,
    complete: Complete,
}

impl<'s> ServiceGrowth<'s> {
    /// Judges a service by both readings.
    fn of(
        before: Option<&'s ServiceSnapshot>,
        after: Option<&'s ServiceSnapshot>,
        complete: Complete,
    ) -> Option<Self> {
        let id = after.or(before)?.id();
        let stats = |it: &'s ServiceSnapshot| &it.entry.stats;
        let grown = Grown::of_service(before.map(stats), after.map(stats), complete);
        Some(Self { id, before, after, grown, complete })
    }

    /// Returns the identity of the service.
    #[must_use]
    pub const fn id(&self) -> ServiceId {
        self.id
    }

    /// Returns what became of the counters of the service.
    #[must_use]
    pub const fn grown(&self) -> Grown {
        self.grown
    }

    /// Returns the service as the earlier reading has it, or `None`.
    #[must_use]
    pub fn before(&self) -> Option<&'s ServiceEntry> {
        self.before.map(|service| &service.entry)
    }

    /// Returns the service as the later reading has it, or `None`.
    #[must_use]
    pub fn after(&self) -> Option<&'s ServiceEntry> {
        self.after.map(|service| &service.entry)
    }

    /// Yields the destinations of both readings, ordered by [`DestinationId`].
    pub fn destinations(&self) -> impl Iterator<Item = DestinationGrowth<'s>> + use<'s> {
        let entries = |service: Option<&'s ServiceSnapshot>| {
            service.map_or(&[][..], |service| service.destinations.as_slice())
        };
        let (service, complete) = (self.grown, self.complete);
        join(entries(self.before), entries(self.after), DestinationEntry::id).filter_map(
            move |(before, after)| {
                let id = after.or(before)?.id();
                let stats = |it: &'s DestinationEntry| &it.stats;
                let (was, is) = (before.map(stats), after.map(stats));
                let grown = Grown::of_destination(was, is, &service, complete);
                Some(DestinationGrowth { id, before, after, grown })
            },
        )
    }

    /// Adds up the counters of the destinations.
    #[must_use]
    pub fn destinations_total(&self) -> Total {
        self.destinations().map(|destination| destination.grown()).collect()
    }
}

/// The growth of a destination. See [`ServiceGrowth::destinations`].
#[derive(Clone, Copy, Debug)]
pub struct DestinationGrowth<'s> {
    id: DestinationId,
    before: Option<&'s DestinationEntry>,
    after: Option<&'s DestinationEntry>,
    grown: Grown,
}

impl<'s> DestinationGrowth<'s> {
    /// Returns the identity of the destination.
    #[must_use]
    pub const fn id(&self) -> DestinationId {
        self.id
    }

    /// Returns what became of the counters of the destination.
    #[must_use]
    pub const fn grown(&self) -> Grown {
        self.grown
    }

    /// Returns the destination as the earlier reading has it, or `None`.
    #[must_use]
    pub const fn before(&self) -> Option<&'s DestinationEntry> {
        self.before
    }

    /// Returns the destination as the later reading has it, or `None`.
    #[must_use]
    pub const fn after(&self) -> Option<&'s DestinationEntry> {
        self.after
    }
}

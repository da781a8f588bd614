use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::metrics::Histogram;
use crate::model::{DestinationId, ServiceId};
use crate::table::Table;

/// The most kinds of checks with a histogram of their own.
const MOST_KINDS: usize = 32;

/// The kind under which all kinds beyond these are counted.
const OTHER: &str = "other";

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum CheckResult {
    /// The server passed.
    Passed,
    /// The server failed.
    Failed,
    /// The check could not be done, and says nothing about the server.
    NotDone,
}

impl CheckResult {
    /// All results.
    pub(crate) const ALL: [Self; 3] = [Self::Passed, Self::Failed, Self::NotDone];

    /// Returns the value of the label `result`: `passed`, `failed` or `not_done`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::NotDone => "not_done",
        }
    }
}

/// Counts of health checks, by service, destination and kind of check.
///
/// The counts of a service or destination stay until they are forgotten: by
/// [`keep_only`](Self::keep_only) after each change of what is checked, or one by one. What is checked
/// again afterwards counts from 0, which monitoring systems take for a reset.
///
/// ```
/// use std::time::Duration;
/// use ipvs_netlink::ServiceId;
/// use ipvs_netlink::metrics::{CheckResult, HealthCounts};
///
/// let web = ServiceId::tcp("192.0.2.10:80".parse()?);
/// let mut counts = HealthCounts::new();
/// counts.checked(web, "10.0.0.2:8080".parse()?, "http", CheckResult::Passed, Duration::from_millis(3));
/// counts.set_up(web, "10.0.0.2:8080".parse()?, true);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct HealthCounts {
    services: BTreeMap<ServiceId, ServiceCounts>,
    durations: BTreeMap<String, Histogram>,
    /// The passive signs there are, by name.
    signs: BTreeSet<(ServiceId, DestinationId, &'static str)>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct ServiceCounts {
    pub(crate) panic: Option<bool>,
    pub(crate) destinations: BTreeMap<DestinationId, DestinationCounts>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct DestinationCounts {
    pub(crate) up: Option<bool>,
    /// In the order of [`CheckResult::ALL`].
    pub(crate) results: [u64; 3],
}

impl HealthCounts {
    /// Creates counts of 0.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Counts one check of a destination, its result and how long it took. `check` is the kind of check,
    /// such as `tcp`. Durations are counted by kind. The first 32 kinds are told apart, and all further
    /// ones are counted as the kind `other`.
    pub fn checked(
        &mut self,
        service: ServiceId,
        destination: DestinationId,
        check: &str,
        result: CheckResult,
        took: Duration,
    ) {
        let counts = self.destination(service, destination);
        for (count, of) in counts.results.iter_mut().zip(CheckResult::ALL) {
            *count = count.saturating_add(u64::from(of == result));
        }
        let is_new = !self.durations.contains_key(check);
        let kind = if is_new && self.durations.len() >= MOST_KINDS { OTHER } else { check };
        match self.durations.get_mut(kind) {
            Some(durations) => durations.record(took),
            None => self.durations.entry(kind.to_owned()).or_default().record(took),
        }
    }

    /// Says whether a destination counts as up.
    pub fn set_up(&mut self, service: ServiceId, destination: DestinationId, up: bool) {
        self.destination(service, destination).up = Some(up);
    }

    /// Says whether a service is in panic: dead destinations stay in rotation, because too few are live.
    pub fn set_panic(&mut self, service: ServiceId, panic: bool) {
        self.services.entry(service).or_default().panic = Some(panic);
    }

    /// Says which passive signs there are now, in place of all former ones: each with its name, such as
    /// `half_open`. `health::passive` finds them.
    pub fn set_signs(
        &mut self,
        signs: impl IntoIterator<Item = (ServiceId, DestinationId, &'static str)>,
    ) {
        self.signs = signs.into_iter().collect();
    }

    /// Removes the counts of all services and destinations that are not in a table.
    ///
    /// ```
    /// use ipvs_netlink::metrics::HealthCounts;
    /// use ipvs_netlink::table::{Table, TableService};
    /// use ipvs_netlink::{Destination, Service};
    ///
    /// let web = TableService::new(Service::tcp("192.0.2.10:80".parse()?))
    ///     .with(Destination::masquerade("10.0.0.2:8080".parse()?));
    /// let mut counts = HealthCounts::new();
    /// counts.set_up(web.id(), "10.0.0.2:8080".parse()?, true);
    /// counts.set_up(web.id(), "10.0.0.3:8080".parse()?, true);
    /// counts.keep_only(&Table::from_iter([web]));
    /// assert_eq!(counts.destination_count(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn keep_only(&mut self, table: &Table) {
        self.services.retain(|id, counts| {
            let service = table.service(*id);
            let has = |destination| service.is_some_and(|it| it.destination(destination).is_some());
            counts.destinations.retain(|destination, _| has(*destination));
            service.is_some()
        });
        self.signs.retain(|(service, destination, _)| {
            table.service(*service).is_some_and(|it| it.destination(*destination).is_some())
        });
    }

    /// Returns the number of services that have counts.
    #[must_use]
    pub fn service_count(&self) -> usize {
        self.services.len()
    }

    /// Returns the number of destinations that have counts, counted for each service of theirs.
    #[must_use]
    pub fn destination_count(&self) -> usize {
        self.services.values().map(|counts| counts.destinations.len()).sum()
    }

    /// Removes the counts of a service and its destinations.
    pub fn forget_service(&mut self, service: ServiceId) {
        self.services.remove(&service);
        self.signs.retain(|(of, ..)| *of != service);
    }

    /// Removes the counts of a destination.
    pub fn forget_destination(&mut self, service: ServiceId, destination: DestinationId) {
        if let Some(counts) = self.services.get_mut(&service) {
            counts.destinations.remove(&destination);
        }
        self.signs.retain(|(of, at, _)| (*of, *at) != (service, destination));
    }

    pub(crate) fn services(&self) -> impl Iterator<Item = (ServiceId, &ServiceCounts)> {
        self.services.iter().map(|(id, counts)| (*id, counts))
    }

    pub(crate) fn signs(&self) -> impl Iterator<Item = (ServiceId, DestinationId, &'static str)> {
        self.signs.iter().copied()
    }

    pub(crate) fn durations(&self) -> impl Iterator<Item = (&str, &Histogram)> {
        self.durations.iter().map(|(check, durations)| (check.as_str(), durations))
    }

    fn destination(
        &mut self,
        service: ServiceId,
        destination: DestinationId,
    ) -> &mut DestinationCounts {
        self.services.entry(service).or_default().destinations.entry(destination).or_default()
    }
}

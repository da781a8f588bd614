use std::collections::BTreeMap;
use std::time::Duration;

use crate::metrics::Histogram;
use crate::model::{DestinationId, ServiceId};

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
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
/// Forget what is no longer checked: [`forget_service`](Self::forget_service) and
/// [`forget_destination`](Self::forget_destination). Otherwise its samples stay for ever.
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
    /// such as `tcp`; durations are counted by kind, so use few.
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
        match self.durations.get_mut(check) {
            Some(durations) => durations.record(took),
            None => self.durations.entry(check.to_owned()).or_default().record(took),
        }
    }

    /// Says whether a destination counts as up.
    pub fn set_up(&mut self, service: ServiceId, destination: DestinationId, up: bool) {
        self.destination(service, destination).up = Some(up);
    }

    /// Says whether a service is in panic: so many of its destinations are down that all stay in rotation.
    pub fn set_panic(&mut self, service: ServiceId, panic: bool) {
        self.services.entry(service).or_default().panic = Some(panic);
    }

    /// Removes the counts of a service and its destinations.
    pub fn forget_service(&mut self, service: ServiceId) {
        self.services.remove(&service);
    }

    /// Removes the counts of a destination.
    pub fn forget_destination(&mut self, service: ServiceId, destination: DestinationId) {
        if let Some(counts) = self.services.get_mut(&service) {
            counts.destinations.remove(&destination);
        }
    }

    pub(crate) fn services(&self) -> impl Iterator<Item = (ServiceId, &ServiceCounts)> {
        self.services.iter().map(|(id, counts)| (*id, counts))
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

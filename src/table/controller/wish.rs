use std::collections::BTreeSet;

use crate::model::{DestinationId, Service, ServiceId};
#[cfg(feature = "health")]
use crate::table::TableDestination;
use crate::table::{DrainPolicy, TableService};

/// A service that the kernel's table is to have, with its destinations, and how they leave.
///
/// A destination that is not wished any more drains as
/// [`PlanOptions::drain`](crate::table::PlanOptions::drain) says, or as [`drain`](Self::drain) says for
/// this service. If waiting has no use, such as for a server that is dead, mark the destination with
/// [`at_once`](Self::at_once).
///
/// ```
/// use ipvs_netlink::table::TableService;
/// use ipvs_netlink::table::controller::Wish;
/// use ipvs_netlink::{Destination, Service};
///
/// let service = TableService::new(Service::tcp("192.0.2.10:80".parse()?))
///     .with(Destination::masquerade("10.0.0.2:8080".parse()?));
/// let dead = "10.0.0.3:8080".parse()?;
/// let wish = Wish::new(service).at_once(dead);
/// assert!(wish.leaves_at_once(dead));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Wish {
    pub(super) service: TableService,
    pub(super) at_once: BTreeSet<DestinationId>,
    pub(super) all_at_once: bool,
    pub(super) drain: Option<DrainPolicy>,
}

impl Wish {
    /// Creates a wish whose destinations drain when they leave.
    pub const fn new(service: TableService) -> Self {
        Self { service, at_once: BTreeSet::new(), all_at_once: false, drain: None }
    }

    /// Marks a destination: it is deleted without a wait when it leaves. The destination may be
    /// one of this wish, or one that this wish removes.
    pub fn at_once(mut self, destination: DestinationId) -> Self {
        self.at_once.insert(destination);
        self
    }

    /// Marks all destinations, also those that this wish removes.
    pub const fn all_at_once(mut self) -> Self {
        self.all_at_once = true;
        self
    }

    /// Sets how destinations of this service drain, in place of
    /// [`PlanOptions::drain`](crate::table::PlanOptions::drain), also those that this wish removes and
    /// those of the service when it is forgotten. Drains that have begun go on as they began.
    pub const fn drain(mut self, policy: DrainPolicy) -> Self {
        self.drain = Some(policy);
        self
    }

    /// Returns how destinations drain, or `None` if the options say it.
    #[must_use]
    pub const fn drain_policy(&self) -> Option<DrainPolicy> {
        self.drain
    }

    /// Takes the place of an older wish for the same service that nobody has acted on: what any of
    /// both says leaves at once does so, unless this wish keeps it and does not say so.
    #[cfg(feature = "health")]
    pub(crate) fn replace(&mut self, older: &Self) {
        let marked = older.at_once.iter().filter(|id| self.service.destination(**id).is_none());
        self.at_once.extend(marked);
        if older.all_at_once {
            let left = older.service.destinations().map(TableDestination::id);
            self.at_once.extend(left.filter(|id| self.service.destination(*id).is_none()));
        }
    }

    /// Returns the id of the service.
    #[must_use]
    pub const fn id(&self) -> ServiceId {
        self.service.id()
    }

    /// Returns the wished service.
    #[must_use]
    pub const fn service(&self) -> &TableService {
        &self.service
    }

    /// Returns `true` if a destination is deleted without a wait when it leaves.
    #[must_use]
    pub fn leaves_at_once(&self, destination: DestinationId) -> bool {
        self.all_at_once || self.at_once.contains(&destination)
    }
}

impl From<TableService> for Wish {
    fn from(service: TableService) -> Self {
        Self::new(service)
    }
}

impl From<Service> for Wish {
    /// Wishes a service without destinations.
    fn from(service: Service) -> Self {
        Self::new(TableService::new(service))
    }
}

use std::fmt;

use crate::model::{
    Change, Connections, Destination, DestinationEntry, DestinationId, Object, Service, ServiceId,
    ServiceSnapshot,
};
#[cfg(doc)]
use crate::table::plan::Plan;
use crate::table::plan::phase::{Disruption, Phase};

/// One change of a [`Plan`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Step {
    /// The change to be written.
    pub change: Change,
    /// The phase in which the change is written.
    pub phase: Phase,
    /// The object before the step. A box keeps steps small: a plan from an empty table has no such
    /// states.
    before: Option<Box<Before>>,
    /// The purpose of the change.
    pub(crate) purpose: Purpose,
}

/// The purpose of a change, which decides how its outcome is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// To give the object the settings of the change.
    Desired,
    /// To give the destination the settings of the change, but accept any weight.
    OfAnyWeight,
    /// To let the destination drain.
    Drain,
}

impl fmt::Display for Step {
    /// Prints the command of `ipvsadm` that makes the same change.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.change.fmt(f)
    }
}

impl Step {
    pub(crate) fn new(
        change: Change,
        phase: Phase,
        before: Option<Before>,
        purpose: Purpose,
    ) -> Self {
        Self { change, phase, before: before.map(Box::new), purpose }
    }

    /// Returns the state of the object before the step, or `None` if it did not exist.
    #[must_use]
    pub fn before(&self) -> Option<&Before> {
        self.before.as_deref()
    }

    /// Returns the update that would write the settings before the step. Returns `None` if the step
    /// is not an update.
    pub(crate) fn read(&self) -> Option<Change> {
        match (&self.change, self.before()?) {
            (Change::UpdateService(_), Before::Service { service, .. }) => {
                Some(Change::UpdateService(service.clone()))
            }
            (Change::UpdateDestination(id, _), Before::Destination { destination, .. }) => {
                Some(Change::UpdateDestination(*id, destination.clone()))
            }
            _ => None,
        }
    }

    /// Returns the service of the step.
    #[must_use]
    pub const fn service(&self) -> Option<ServiceId> {
        self.change.service()
    }

    /// Returns the destination of the step, or `None` if the step is about a whole service.
    #[must_use]
    pub const fn destination(&self) -> Option<DestinationId> {
        match self.change.object() {
            Some(Object::Destination(_, id)) => Some(id),
            _ => None,
        }
    }

    /// Returns what clients notice of the step, or `None` if they notice nothing.
    #[must_use]
    pub fn disruption(&self) -> Option<Disruption> {
        match (&self.change, self.before()) {
            (Change::UpdateService(after), Some(Before::Service { service, .. }))
                if after.scheduler != service.scheduler =>
            {
                Some(Disruption::SchedulerChange)
            }
            (Change::DeleteService(_) | Change::DeleteDestination(..), _)
                if self.phase != Phase::Drained =>
            {
                Some(Disruption::ConnectionsBreak)
            }
            _ => None,
        }
    }
}

/// The state of an object before a step.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Before {
    /// A service.
    #[non_exhaustive]
    Service {
        /// Its settings.
        service: Service,
        /// The number of its destinations.
        destinations: usize,
        /// The connections of all its destinations together.
        connections: Connections,
    },
    /// A destination.
    #[non_exhaustive]
    Destination {
        /// Its settings.
        destination: Destination,
        /// Its connections.
        connections: Connections,
    },
}

impl Before {
    /// Returns the state of a destination that was read.
    pub(crate) fn of_destination(entry: &DestinationEntry) -> Self {
        let DestinationEntry { destination, connections, .. } = entry;
        Self::Destination { destination: destination.clone(), connections: *connections }
    }

    /// Returns the state of a service that was read with its destinations.
    pub(crate) fn of_service(present: &ServiceSnapshot) -> Self {
        let connections = total(present.destinations.iter().map(|entry| entry.connections));
        Self::Service {
            service: present.entry.service.clone(),
            destinations: present.destinations.len(),
            connections,
        }
    }
}

/// Adds connections up.
pub(crate) fn total(all: impl Iterator<Item = Connections>) -> Connections {
    all.fold(Connections::default(), |sum, one| Connections {
        active: sum.active.saturating_add(one.active),
        inactive: sum.inactive.saturating_add(one.inactive),
        persistent: sum.persistent.saturating_add(one.persistent),
    })
}

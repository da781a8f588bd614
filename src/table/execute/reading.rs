//! What the kernel reported of one service while a plan is executed.

use std::borrow::Cow;

use crate::model::{Change, DestinationEntry, DestinationId, ServiceEntry, ServiceId, Snapshot};
use crate::table::plan::{Purpose, Step};

/// A service and its destinations, as the kernel reported them.
#[derive(Clone, Debug)]
pub(crate) struct ServiceReading<'a> {
    /// The service, or `None` if it does not exist.
    pub(crate) service: Option<Cow<'a, ServiceEntry>>,
    /// The destinations, sorted by identity.
    pub(crate) destinations: Cow<'a, [DestinationEntry]>,
    /// `true` if no destination can be missing.
    pub(crate) complete: bool,
}

impl<'a> ServiceReading<'a> {
    /// The reading of a service that does not exist.
    pub(crate) const NOTHING: Self =
        ServiceReading { service: None, destinations: Cow::Borrowed(&[]), complete: true };

    /// Creates a reading of the settings alone.
    pub(crate) const fn settings(entry: ServiceEntry) -> Self {
        let destinations = Cow::Borrowed(&[] as &[_]);
        Self { service: Some(Cow::Owned(entry)), destinations, complete: false }
    }

    /// Looks a service up in a snapshot, which must be complete.
    pub(crate) fn within(snapshot: &'a Snapshot, id: ServiceId) -> Self {
        snapshot.service(id).map_or(Self::NOTHING, |there| ServiceReading {
            service: Some(Cow::Borrowed(&there.entry)),
            destinations: Cow::Borrowed(&there.destinations),
            complete: true,
        })
    }

    /// Returns the destination with an identity, or `None` if the reading has no such destination.
    pub(crate) fn destination(&self, id: DestinationId) -> Option<&DestinationEntry> {
        let at = self.destinations.binary_search_by_key(&id, |entry| entry.destination.id);
        at.ok().and_then(|at| self.destinations.get(at))
    }

    /// Returns `true` if the reading shows what the step asks for.
    pub(crate) fn shows(&self, step: &Step) -> bool {
        match &step.change {
            Change::AddService(wanted) | Change::UpdateService(wanted) => {
                self.service.as_ref().is_some_and(|entry| entry.service == *wanted)
            }
            Change::DeleteService(_) => self.service.is_none(),
            Change::AddDestination(_, wanted) | Change::UpdateDestination(_, wanted) => {
                let Some(there) = self.destination(wanted.id) else { return false };
                let there = &there.destination;
                match step.purpose {
                    Purpose::OfAnyWeight => there.clone().weight(wanted.weight) == *wanted,
                    _ => there == wanted,
                }
            }
            // The step asked to delete the destination only, not the whole service.
            Change::DeleteDestination(_, id) => {
                self.service.is_some() && self.complete && self.destination(*id).is_none()
            }
            _ => true,
        }
    }
}

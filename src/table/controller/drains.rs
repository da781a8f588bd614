//! The destinations that drain.

use std::collections::BTreeMap;
use std::slice;
use std::time::Instant;

use crate::model::{
    Change, Destination, DestinationEntry, DestinationId, ServiceId, ServiceSnapshot,
};
use crate::table::controller::{DrainEnd, DrainStatus, Event};
use crate::table::execute::drain_state::DrainState;
use crate::table::plan::Purpose;
use crate::table::{Before, DrainPolicy, Step};

/// The destinations that drain, by their services.
#[derive(Debug, Default)]
pub(super) struct Drains {
    services: BTreeMap<ServiceId, BTreeMap<DestinationId, Drain>>,
    /// The destinations that were updated, which is not known, and their weights before a drain.
    doubts: BTreeMap<ServiceId, Vec<(DestinationId, Option<u32>)>>,
}

#[derive(Debug)]
struct Drain {
    state: DrainState,
    /// How the drain has ended if the deletion was done, which is not known.
    deleted: Option<DrainEnd>,
}

impl Drain {
    /// Returns how the drain ends if the destination is deleted now.
    fn end(&self, now: Instant) -> DrainEnd {
        let cut = self.state.cut(now).filter(|_| !self.state.is_met(now));
        cut.map_or(DrainEnd::Emptied, DrainEnd::Cut)
    }
}

impl Drains {
    /// Returns the services with destinations that drain.
    pub(super) fn services(&self) -> impl Iterator<Item = &ServiceId> {
        self.services.keys()
    }

    /// Returns all drains, in the order of their services.
    pub(super) fn status(&self) -> impl Iterator<Item = DrainStatus> {
        self.services.iter().flat_map(|(service, drains)| {
            drains.iter().map(|(destination, Drain { state, .. })| DrainStatus {
                service: *service,
                destination: *destination,
                begun: state.begun(),
                deadline: state.deadline(),
                connections: state.connections(),
            })
        })
    }

    /// Begins a drain, and takes in the destination as it was read, if it has weight 0 already.
    /// Returns the event, or `None` if the destination drains already.
    pub(super) fn begin(
        &mut self,
        service: ServiceId,
        destination: DestinationId,
        policy: DrainPolicy,
        read: Option<&DestinationEntry>,
        now: Instant,
    ) -> Option<Event> {
        let drains = self.services.entry(service).or_default();
        if drains.contains_key(&destination) {
            return None;
        }
        let mut state = DrainState::begin(policy, now);
        if let Some(entry) = read {
            state.look(slice::from_ref(entry), now);
        }
        let deadline = state.deadline();
        drains.insert(destination, Drain { state, deleted: None });
        Some(Event::DrainBegun { service, destination, deadline })
    }

    /// Takes in a reading of a service. Ends the drains of destinations that are wished again or
    /// are gone, and returns their events.
    pub(super) fn look(
        &mut self,
        service: ServiceId,
        present: Option<&ServiceSnapshot>,
        is_wished: impl Fn(DestinationId) -> bool,
        now: Instant,
    ) -> Vec<Event> {
        let mut events = Vec::new();
        let Some(drains) = self.services.get_mut(&service) else { return events };
        drains.retain(|id, drain| {
            let entry = present.and_then(|present| present.destination(*id));
            let end = match entry {
                Some(_) if is_wished(*id) => DrainEnd::WantedAgain,
                Some(entry) => {
                    drain.state.look(slice::from_ref(entry), now);
                    drain.deleted = None;
                    return true;
                }
                None => drain.deleted.unwrap_or(DrainEnd::DeletedByOthers),
            };
            events.push(Event::DrainEnded { service, destination: *id, end });
            false
        });
        if drains.is_empty() {
            self.services.remove(&service);
        }
        events
    }

    /// Returns `true` if a destination need not be waited for any more: nothing that carries data
    /// is left, or its deadline has come.
    pub(super) fn is_over(
        &self,
        service: ServiceId,
        destination: DestinationId,
        now: Instant,
    ) -> bool {
        let drain = self.services.get(&service).and_then(|drains| drains.get(&destination));
        drain.is_some_and(|drain| drain.state.is_met(now) || drain.state.is_due(now))
    }

    /// Ends the drain of a destination that was deleted. Returns its event.
    pub(super) fn deleted(
        &mut self,
        service: ServiceId,
        destination: DestinationId,
        now: Instant,
    ) -> Option<Event> {
        let drains = self.services.get_mut(&service)?;
        let end = drains.remove(&destination)?.end(now);
        if drains.is_empty() {
            self.services.remove(&service);
        }
        Some(Event::DrainEnded { service, destination, end })
    }

    /// Ends all drains of a service that was deleted. Returns their events.
    pub(super) fn deleted_service(&mut self, service: ServiceId, now: Instant) -> Vec<Event> {
        let drains = self.services.remove(&service).unwrap_or_default();
        let event = |(destination, drain): (DestinationId, Drain)| Event::DrainEnded {
            service,
            destination,
            end: drain.end(now),
        };
        drains.into_iter().map(event).collect()
    }

    /// Notes that a step may have been done.
    pub(super) fn in_doubt(&mut self, service: ServiceId, step: &Step, now: Instant) {
        match (&step.change, step.before()) {
            (Change::DeleteService(_) | Change::DeleteDestination(..), _) => {
                self.may_be_deleted(service, step.destination(), now);
            }
            (
                Change::UpdateDestination(_, Destination { id, .. }),
                Some(Before::Destination { destination, .. }),
            ) => {
                let drains = step.purpose == Purpose::Drain;
                let before = drains.then_some(destination.weight);
                self.doubts.entry(service).or_default().push((*id, before));
            }
            _ => {}
        }
    }

    /// Takes out the destinations of a service that may have been updated, and the weights that
    /// those had which may have begun to drain.
    pub(super) fn take_doubts(&mut self, service: ServiceId) -> Vec<(DestinationId, Option<u32>)> {
        self.doubts.remove(&service).unwrap_or_default()
    }

    /// Notes that a destination, or the whole service, may have been deleted.
    fn may_be_deleted(
        &mut self,
        service: ServiceId,
        destination: Option<DestinationId>,
        now: Instant,
    ) {
        for (id, drain) in self.services.get_mut(&service).into_iter().flatten() {
            if destination.is_none_or(|destination| destination == *id) {
                drain.deleted = Some(drain.end(now));
            }
        }
    }

    /// Returns when the drains of a service are to be looked at next.
    pub(super) fn next_look(&self, service: ServiceId, now: Instant) -> Option<Instant> {
        let drains = self.services.get(&service)?;
        // What is due and still there could not be deleted, which another look does not change.
        let next = |Drain { state, .. }: &Drain| match state.is_due(now) {
            true => state.after_interval(now),
            false => state.next_look(now),
        };
        drains.values().map(next).min()
    }
}

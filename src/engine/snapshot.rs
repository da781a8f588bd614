//! Reading a table while other programs may write it.
//!
//! The kernel continues a dump by position and does not report changes in between. From Linux
//! 7.1 on it also moves entries while its hash table grows. An entry that comes twice reveals
//! this; an entry that is missing does not. So a list that may not fit one datagram is read
//! again until two readings agree. The second reading splits the list differently, so that both
//! hardly miss the same entry. The order must agree, too: it differs if an entry was deleted and
//! added again.

use crate::engine::destinations::TRIES;
use crate::engine::dumps::Way;
use crate::engine::order::{Identified as _, ids, put_in_order};
use crate::engine::{Engine, Transport};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{DestinationEntry, ServiceEntry, ServiceId, ServiceSnapshot, Snapshot};
use crate::wire::Request;

/// The most services that are read one by one if the number of services is unknown.
const FEW: usize = 64;

/// One request for a single service costs as much as this many entries in the list of all
/// services, which is read twice.
const COST_OF_ONE: usize = 3;

/// A list of more services than this is read both times in large datagrams: for each datagram
/// the kernel starts from its first service.
const MANY: usize = 4000;

impl<T: Transport> Engine<T> {
    /// Reads the whole table.
    pub(crate) async fn snapshot(&mut self) -> Result<Snapshot> {
        self.snapshot_with(Vec::new()).await
    }

    /// Reads the services with these `ids` and their destinations, and nothing else. Omits
    /// services that do not exist. Reads them one by one or from the list of all services,
    /// whichever costs less.
    pub(crate) async fn snapshot_of(&mut self, ids: &[ServiceId]) -> Result<Snapshot> {
        let ids = in_order(ids)?;
        if self.listing_is_cheaper(ids.len()) {
            return self.snapshot_among(Vec::new(), Some(&ids)).await;
        }
        let read_at = Some(self.now());
        let read = self.services_exactly(&ids).await?;
        let complete = read.iter().all(|(.., complete)| *complete);
        let present = read.into_iter().filter_map(|(_, present, _)| present);
        Ok(Snapshot::new(present.collect(), complete, read_at))
    }

    /// Reads the services with these `ids` and their destinations one by one, in the order of
    /// `ids`, and never lists other services. Returns for each whether it exists, and `true` if
    /// none of its destinations can be missing: `false` if other programs kept writing them.
    pub(crate) async fn services_exactly(
        &mut self,
        ids: &[ServiceId],
    ) -> Result<Vec<(ServiceId, Option<ServiceSnapshot>, bool)>> {
        let mut all = Vec::with_capacity(ids.len());
        for &id in ids {
            let Some(entry) = self.service_if_there(id).await? else {
                all.push((id, None, true));
                continue;
            };
            let destinations = self.complete_destinations(id, None).await?;
            let complete = destinations.is_complete();
            // The kernel returns an empty list, without an error, for a service that was deleted
            // meanwhile.
            let is_there = !destinations.is_empty() || self.service_if_there(id).await?.is_some();
            let present = ServiceSnapshot::in_order(entry, destinations.into_vec());
            all.push((id, is_there.then_some(present), complete));
        }
        Ok(all)
    }

    /// Returns `true` if reading the list of all services twice costs less than reading `count`
    /// services one by one.
    fn listing_is_cheaper(&self, count: usize) -> bool {
        match self.listed_services {
            Some(listed) => count.saturating_mul(COST_OF_ONE) > listed.max(FEW),
            None => count > FEW,
        }
    }

    /// Reads a service. Returns `None` if the service does not exist, also because the kernel does
    /// not support its address family.
    async fn service_if_there(&mut self, id: ServiceId) -> Result<Option<ServiceEntry>> {
        match self.service(id).await.map_err(|error| (error.kind(), error)) {
            Ok(entry) => Ok(Some(entry)),
            Err((ErrorKind::NoSuchService | ErrorKind::FamilyNotSupported, _)) => Ok(None),
            Err((_, error)) => Err(error),
        }
    }

    /// Reads the list of services, and the destinations of the services that are not `known`.
    /// Takes over the destinations of a known service that is still in the list. `known` must be
    /// in order.
    pub(crate) async fn snapshot_with(&mut self, known: Vec<ServiceSnapshot>) -> Result<Snapshot> {
        self.snapshot_among(known, None).await
    }

    /// Does the work of [`snapshot_with`](Self::snapshot_with), limited to the services in
    /// `among` if that is given. `among` must be in order.
    async fn snapshot_among(
        &mut self,
        mut known: Vec<ServiceSnapshot>,
        among: Option<&[ServiceId]>,
    ) -> Result<Snapshot> {
        let is_wanted = |id: ServiceId| among.is_none_or(|among| among.binary_search(&id).is_ok());
        let mut again: Vec<ServiceId> = known.iter().map(ServiceSnapshot::id).collect();
        let mut complete = true;
        let mut read_at = None;
        for _ in 0..TRIES {
            read_at = Some(self.now());
            // A service that was missing in between may have come back with other destinations.
            put_in_order(&mut again);
            known.retain(|service| again.binary_search(&service.id()).is_ok());
            let mut services: Vec<ServiceEntry> = self.collect(Request::Services).await?;
            let listed = services.len();
            services.retain(|entry| is_wanted(entry.identity()));
            let as_they_came: Vec<ServiceId> = ids(&services).collect();
            let repeated = put_in_order(&mut services);
            // Frees the list before the destinations are read.
            let empty = |entry| ServiceSnapshot::in_order(entry, Vec::new());
            let mut all: Vec<ServiceSnapshot> = services.into_iter().map(empty).collect();
            let mut unread: Vec<&mut ServiceSnapshot> = Vec::new();
            for service in &mut all {
                match take_destinations(&mut known, service.id()) {
                    Some(destinations) => service.destinations = destinations,
                    None => unread.push(service),
                }
            }
            let ids: Vec<ServiceId> = unread.iter().map(|service| service.id()).collect();
            let read = self.destinations_of(&ids).await?;
            for (service, (_, listing)) in unread.into_iter().zip(read) {
                complete &= listing.is_complete();
                service.destinations = listing.into_vec();
            }
            known = all;
            let way = if listed > MANY { Way::Commands } else { Way::Destinations };
            again = self.list_over(way, Request::Services).await?.into_vec();
            again.retain(|id| is_wanted(*id));
            if again == as_they_came && !repeated {
                return Ok(Snapshot::new(known, complete, read_at));
            }
        }
        Ok(Snapshot::new(known, false, read_at))
    }
}

/// Sorts `ids` and removes duplicates. Refuses ids that no message can carry.
fn in_order(ids: &[ServiceId]) -> Result<Vec<ServiceId>> {
    for id in ids {
        let encodable = id.check_encodable();
        encodable.map_err(|invalid| Error::invalid(Request::Service(*id).context(), invalid))?;
    }
    let mut ids = ids.to_vec();
    put_in_order(&mut ids);
    Ok(ids)
}

/// Takes the destinations of the service `id` out of `known`.
fn take_destinations(
    known: &mut [ServiceSnapshot],
    id: ServiceId,
) -> Option<Vec<DestinationEntry>> {
    let at = known.binary_search_by_key(&id, ServiceSnapshot::id).ok()?;
    known.get_mut(at).map(|known| std::mem::take(&mut known.destinations))
}

//! Reading a whole table while others may write it.
//!
//! The kernel continues a dump by position, never says that something changed in
//! between, and from 7.1 on also moves entries about while its hash table grows. An
//! entry that comes twice tells of it; one that is left out does not, so what may not
//! have had room in one datagram is read until two readings agree: divided otherwise, so
//! that both hardly leave out the same one, and in the same order, which it is not where
//! something was deleted and added again.

use crate::engine::dumps::Way;
use crate::engine::{Engine, Transport};
use crate::error::{ErrorKind, Result};
use crate::model::{
    DestinationEntry, DestinationId, ServiceEntry, ServiceId, ServiceSnapshot, Snapshot,
};
use crate::wire::Request;

/// How often a reading is repeated before it is taken as it is.
const TRIES: usize = 8;

/// Up to so many services are asked for one by one, as long as it is not known how many there
/// are.
const FEW: usize = 64;

/// Asking for one service costs about as much as so many entries in the list of all, which is
/// read twice.
const COST_OF_ONE: usize = 3;

/// So many services are read again in large datagrams.
const MANY: usize = 4000;

/// What a dump reports, by what names it.
trait Named {
    type Id: Ord + Copy;
    /// Something cheap to compare, in the order of names.
    type Key: Ord;

    fn id(&self) -> Self::Id;

    fn key(&self) -> Self::Key;
}

impl Named for ServiceEntry {
    type Id = ServiceId;
    type Key = (u64, u128, u128);

    fn id(&self) -> ServiceId {
        self.service.id
    }

    fn key(&self) -> (u64, u128, u128) {
        self.service.id.order()
    }
}

impl Named for DestinationEntry {
    type Id = DestinationId;
    type Key = DestinationId;

    fn id(&self) -> DestinationId {
        self.destination.id
    }

    fn key(&self) -> DestinationId {
        self.id()
    }
}

impl Named for ServiceId {
    type Id = Self;
    type Key = (u64, u128, u128);

    fn id(&self) -> Self {
        *self
    }

    fn key(&self) -> (u64, u128, u128) {
        self.order()
    }
}

/// Puts what a dump reported in order. True if something came more than once, which is
/// kept once.
fn put_in_order<R: Named>(entries: &mut Vec<R>) -> bool {
    if entries.is_sorted_by(|one, next| one.id() < next.id()) {
        return false;
    }
    let length = entries.len();
    entries.sort_by_cached_key(Named::key);
    entries.dedup_by_key(|entry| entry.id());
    entries.len() < length
}

fn ids<R: Named>(entries: &[R]) -> impl Iterator<Item = R::Id> {
    entries.iter().map(Named::id)
}

/// The destinations that a dump reported, in order.
struct Reading {
    entries: Vec<DestinationEntry>,
    repeated: bool,
    /// In the kernel's order, if some may have been left out.
    as_they_came: Vec<DestinationId>,
    way: Way,
}

impl Reading {
    fn of((mut entries, whole): (Vec<DestinationEntry>, bool), way: Way) -> Self {
        let as_they_came = if whole { Vec::new() } else { ids(&entries).collect() };
        // The kernel reports the newest one first.
        entries.reverse();
        Self { repeated: put_in_order(&mut entries), entries, as_they_came, way }
    }

    /// Whether nothing can have been left out.
    fn is_whole(&self) -> bool {
        self.as_they_came.is_empty() && !self.repeated
    }

    fn has(&self, id: DestinationId) -> bool {
        self.entries.iter().any(|entry| entry.id() == id)
    }

    fn agrees_with(&self, other: &Self) -> bool {
        !self.repeated && !other.repeated && self.as_they_came == other.as_they_came
    }
}

impl<T: Transport> Engine<T> {
    /// Reads the whole table.
    pub(crate) async fn snapshot(&mut self) -> Result<Snapshot> {
        self.snapshot_with(Vec::new()).await
    }

    /// Reads the services with these `ids` and their destinations, and nothing else. A service
    /// that does not exist is left out.
    pub(crate) async fn snapshot_of(&mut self, ids: &[ServiceId]) -> Result<Snapshot> {
        let mut ids = ids.to_vec();
        put_in_order(&mut ids);
        if self.listing_is_cheaper(ids.len()) {
            return self.snapshot_among(Vec::new(), Some(&ids)).await;
        }
        let mut services = Vec::with_capacity(ids.len());
        let mut settled = true;
        let read_at = Some(self.now());
        for id in ids {
            let Some(entry) = self.service_if_there(id).await? else { continue };
            let destinations = self.settled_destinations(id, None, &mut settled).await?;
            // The kernel reports no destinations, without an error, for a service that was
            // deleted in between.
            if !destinations.is_empty() || self.service_if_there(id).await?.is_some() {
                services.push(ServiceSnapshot::in_order(entry, destinations));
            }
        }
        Ok(Snapshot::new(services, settled, read_at))
    }

    /// Whether reading the list of all services twice costs less than asking for `count` of
    /// them one by one.
    fn listing_is_cheaper(&self, count: usize) -> bool {
        match self.listed_services {
            Some(listed) => count.saturating_mul(COST_OF_ONE) > listed.max(FEW),
            None => count > FEW,
        }
    }

    async fn service_if_there(&mut self, id: ServiceId) -> Result<Option<ServiceEntry>> {
        match self.service(id).await {
            Ok(entry) => Ok(Some(entry)),
            Err(error) if error.kind() == ErrorKind::NoSuchService => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Reads the list of services, and the destinations of those that are not `known`. Those
    /// of a known service stay as they are known, as long as the list has the service.
    /// `known` is in order.
    pub(crate) async fn snapshot_with(&mut self, known: Vec<ServiceSnapshot>) -> Result<Snapshot> {
        self.snapshot_among(known, None).await
    }

    /// As [`snapshot_with`](Self::snapshot_with), of the services `among` these ids if there
    /// are some. `among` is in order.
    async fn snapshot_among(
        &mut self,
        mut known: Vec<ServiceSnapshot>,
        among: Option<&[ServiceId]>,
    ) -> Result<Snapshot> {
        let is_wanted = |id: ServiceId| among.is_none_or(|among| among.binary_search(&id).is_ok());
        let mut again: Vec<ServiceId> = known.iter().map(service_id).collect();
        let mut settled = true;
        let mut read_at = None;
        for _ in 0..TRIES {
            read_at = Some(self.now());
            // What was gone in between may come back with other destinations.
            put_in_order(&mut again);
            known.retain(|service| again.binary_search(&service_id(service)).is_ok());
            let mut services: Vec<ServiceEntry> = self.collect(Request::Services).await?;
            let listed = services.len();
            services.retain(|entry| is_wanted(entry.id()));
            let as_they_came: Vec<ServiceId> = ids(&services).collect();
            let repeated = put_in_order(&mut services);
            // The list alone goes before the destinations come.
            let empty = |entry| ServiceSnapshot::in_order(entry, Vec::new());
            let mut all: Vec<ServiceSnapshot> = services.into_iter().map(empty).collect();
            for service in &mut all {
                let id = service_id(service);
                service.destinations = match take_destinations(&mut known, id) {
                    Some(destinations) => destinations,
                    // As `settled_destinations`, but without its future to be moved about.
                    None => {
                        let request = Request::Destinations(id);
                        let way = self.way_of_whole();
                        let reading = Reading::of(self.collect_over(way, request).await?, way);
                        if reading.is_whole() {
                            reading.entries
                        } else {
                            let settling =
                                self.settle_destinations(id, reading, None, &mut settled);
                            Box::pin(settling).await?
                        }
                    }
                };
            }
            known = all;
            // Divided otherwise, unless there are so many services that it would take too long:
            // for each datagram the kernel begins at its first service.
            let way = if listed > MANY { Way::Commands } else { Way::Destinations };
            again = self.collect_over(way, Request::Services).await?.0;
            again.retain(|id| is_wanted(*id));
            if again == as_they_came && !repeated {
                return Ok(Snapshot::new(known, settled, read_at));
            }
        }
        Ok(Snapshot::new(known, false, read_at))
    }

    /// Reads the destinations of a service until nothing can have been left out, or the
    /// `wanted` one is there, in order. `settled` becomes false when others kept writing for
    /// too long.
    pub(crate) async fn settled_destinations(
        &mut self,
        id: ServiceId,
        wanted: Option<DestinationId>,
        settled: &mut bool,
    ) -> Result<Vec<DestinationEntry>> {
        let request = Request::Destinations(id);
        let way = self.way_of_whole();
        let reading = Reading::of(self.collect_over(way, request).await?, way);
        match reading.is_whole() {
            true => Ok(reading.entries),
            false => self.settle_destinations(id, reading, wanted, settled).await,
        }
    }

    /// Reads the destinations of a service again until two readings agree. A service that
    /// is gone by now has none.
    async fn settle_destinations(
        &mut self,
        id: ServiceId,
        mut reading: Reading,
        wanted: Option<DestinationId>,
        settled: &mut bool,
    ) -> Result<Vec<DestinationEntry>> {
        for _ in 1..TRIES {
            if wanted.is_some_and(|wanted| reading.has(wanted)) {
                return Ok(reading.entries);
            }
            let way = reading.way.other();
            let read = self.collect_over(way, Request::Destinations(id)).await?;
            let again = Reading::of(read, way);
            if again.is_whole() || again.agrees_with(&reading) {
                return Ok(again.entries);
            }
            reading = again;
        }
        *settled = false;
        Ok(reading.entries)
    }
}

fn service_id(service: &ServiceSnapshot) -> ServiceId {
    service.entry.service.id
}

/// The destinations that are known of a service.
fn take_destinations(
    known: &mut [ServiceSnapshot],
    id: ServiceId,
) -> Option<Vec<DestinationEntry>> {
    let at = known.binary_search_by_key(&id, service_id).ok()?;
    known.get_mut(at).map(|known| std::mem::take(&mut known.destinations))
}

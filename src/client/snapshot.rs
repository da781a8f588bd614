//! Reading a whole table while others may write it.
//!
//! The kernel continues a dump by position, never says that something changed in
//! between, and from 7.1 on also moves entries about while its hash table grows. An
//! entry that comes twice tells of it; one that is left out does not, so what came in
//! more than one datagram is read until two readings agree.

use crate::client::{Engine, Transport};
use crate::error::Result;
use crate::model::{
    DestinationEntry, DestinationId, ServiceEntry, ServiceId, ServiceSnapshot, Snapshot,
};
use crate::wire::{Report, Request};

/// How often a reading is repeated before it is taken as it is.
const TRIES: usize = 8;

/// What a dump reports, by what names it.
trait Named: Report {
    type Id: Ord + Copy;

    fn id(&self) -> Self::Id;
}

impl Named for ServiceEntry {
    type Id = ServiceId;

    fn id(&self) -> ServiceId {
        self.service.id
    }
}

impl Named for DestinationEntry {
    type Id = DestinationId;

    fn id(&self) -> DestinationId {
        self.destination.id
    }
}

/// The result of a dump, in order and without repetitions.
struct Reading<R> {
    entries: Vec<R>,
    /// Whether an entry came more than once.
    repeated: bool,
    /// Whether all came in one datagram, which the kernel fills in one go.
    at_once: bool,
}

impl<R: Named> Reading<R> {
    /// Whether both have the same entries, of which none came twice.
    fn agrees_with(&self, other: &Self) -> bool {
        let ids = |reading: &Self| reading.entries.iter().map(Named::id).collect::<Vec<_>>();
        !self.repeated && !other.repeated && ids(self) == ids(other)
    }
}

impl<T: Transport> Engine<T> {
    /// Reads the whole table.
    pub(crate) async fn snapshot(&mut self) -> Result<Snapshot> {
        let mut services: Reading<ServiceEntry> = self.dump_in_order(Request::Services).await?;
        let mut known: Vec<ServiceSnapshot> = Vec::new();
        let mut settled = true;
        for _ in 0..TRIES {
            known = self.with_destinations(services.entries, known, &mut settled).await?;
            services = self.dump_in_order(Request::Services).await?;
            let ids = services.entries.iter().map(Named::id);
            if !services.repeated && ids.eq(known.iter().map(|known| known.entry.id())) {
                for (known, entry) in known.iter_mut().zip(services.entries) {
                    known.entry = entry;
                }
                return Ok(Snapshot::new(known, settled));
            }
        }
        Ok(Snapshot::new(known, false))
    }

    /// The services with their destinations, as far as they are known, else read.
    async fn with_destinations(
        &mut self,
        services: Vec<ServiceEntry>,
        known: Vec<ServiceSnapshot>,
        settled: &mut bool,
    ) -> Result<Vec<ServiceSnapshot>> {
        let mut all = Vec::with_capacity(services.len());
        let mut known = known.into_iter().peekable();
        for entry in services {
            let id = entry.id();
            // What is gone by now is left behind.
            while known.next_if(|known| known.entry.id() < id).is_some() {}
            let destinations = match known.next_if(|known| known.entry.id() == id) {
                Some(known) => known.destinations,
                None => self.settled_destinations(id, settled).await?,
            };
            all.push(ServiceSnapshot::in_order(entry, destinations));
        }
        Ok(all)
    }

    /// Reads the destinations of a service until nothing can have been left out. A
    /// service that is gone by now has none.
    async fn settled_destinations(
        &mut self,
        id: ServiceId,
        settled: &mut bool,
    ) -> Result<Vec<DestinationEntry>> {
        let request = Request::Destinations(id);
        let mut reading = self.dump_in_order(request).await?;
        for _ in 1..TRIES {
            if reading.at_once && !reading.repeated {
                return Ok(reading.entries);
            }
            let again = self.dump_in_order(request).await?;
            if again.agrees_with(&reading) {
                return Ok(again.entries);
            }
            reading = again;
        }
        *settled = false;
        Ok(reading.entries)
    }

    async fn dump_in_order<R: Named>(&mut self, request: Request<'static>) -> Result<Reading<R>> {
        let (mut entries, pieces) = self.collect_counted::<R>(request).await?;
        let length = entries.len();
        // The kernel reports the newest destination first, so that this is nearly done.
        entries.reverse();
        entries.sort_by_key(Named::id);
        entries.dedup_by_key(|entry| entry.id());
        Ok(Reading { repeated: entries.len() < length, at_once: pieces <= 1, entries })
    }
}

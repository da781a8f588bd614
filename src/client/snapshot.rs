//! Reading a whole table while others may write it.
//!
//! The kernel continues a dump by position, never says that something changed in
//! between, and from 7.1 on also moves entries about while its hash table grows. An
//! entry that comes twice tells of it; one that is left out does not, so what came in
//! more than one datagram is read until two readings agree.

use crate::client::dumps::Way;
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
    /// Puts what came in `pieces` datagrams in order.
    fn of(mut entries: Vec<R>, pieces: u32) -> Self {
        // The kernel reports the newest destination first.
        entries.reverse();
        let mut repeated = false;
        if !entries.is_sorted_by(|one, next| one.id() < next.id()) {
            let length = entries.len();
            entries.sort_by_key(Named::id);
            entries.dedup_by_key(|entry| entry.id());
            repeated = entries.len() < length;
        }
        Self { entries, repeated, at_once: pieces <= 1 }
    }

    /// Whether both have the same entries, of which none came twice.
    fn agrees_with(&self, other: &Self) -> bool {
        !self.repeated && !other.repeated && ids(&self.entries).eq(ids(&other.entries))
    }
}

fn ids<R: Named>(entries: &[R]) -> impl Iterator<Item = R::Id> {
    entries.iter().map(Named::id)
}

impl<T: Transport> Engine<T> {
    /// Reads the whole table.
    pub(crate) async fn snapshot(&mut self) -> Result<Snapshot> {
        let (entries, pieces) = self.collect_counted(Request::Services).await?;
        let as_it_came: Vec<ServiceId> = ids(&entries).collect();
        let mut services: Reading<ServiceEntry> = Reading::of(entries, pieces);
        let quiet = !services.repeated;
        let mut known: Vec<ServiceSnapshot> = Vec::new();
        let mut settled = true;
        for _ in 0..TRIES {
            known = self.with_destinations(services.entries, known, &mut settled).await?;
            // Over the other socket, whose datagrams are smaller: what is lost between two
            // of them is hardly lost again.
            let (entries, pieces) = self.collect_over(Way::Destinations, Request::Services).await?;
            // While nobody writes, the kernel's order stays the same, and need not be
            // brought into ours to be compared.
            if quiet && as_it_came.iter().copied().eq(ids(&entries)) {
                return Ok(Snapshot::new(known, settled));
            }
            services = Reading::of(entries, pieces);
            let agreed = known.iter().map(|known| known.entry.id());
            if !services.repeated && agreed.eq(ids(&services.entries)) {
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
        let (entries, pieces) = self.collect_counted(request).await?;
        Ok(Reading::of(entries, pieces))
    }
}

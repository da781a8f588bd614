//! Reading the destinations of one service, also until none can be missing.

use crate::engine::dumps::Way;
use crate::engine::order::{ids, put_in_order};
use crate::engine::{Engine, Transport};
use crate::error::{Certainty, Context, Error, ErrorKind, Result};
use crate::model::{
    DestinationEntry, DestinationId, Listing, Object, Operation, ServiceEntry, ServiceId,
};
use crate::wire::Request;

/// The most readings of one list. After these an incomplete list is returned.
pub(super) const TRIES: usize = 8;

/// One reading of the destinations of a service, in order.
struct Reading {
    entries: Vec<DestinationEntry>,
    /// Whether an entry came twice.
    repeated: bool,
    /// The ids in the kernel's order if entries may be missing, otherwise empty.
    as_they_came: Vec<DestinationId>,
    way: Way,
}

impl Reading {
    fn of(listing: Listing<DestinationEntry>, way: Way) -> Self {
        let complete = listing.is_complete();
        let mut entries = listing.into_vec();
        let as_they_came = if complete { Vec::new() } else { ids(&entries).collect() };
        // The kernel lists the newest first, so this is often in order already.
        entries.reverse();
        Self { repeated: put_in_order(&mut entries), entries, as_they_came, way }
    }

    /// Returns the destinations, or the reading itself if some may be missing.
    fn into_complete(self) -> Result<Vec<DestinationEntry>, Self> {
        if self.is_complete() { Ok(self.entries) } else { Err(self) }
    }

    fn is_complete(&self) -> bool {
        self.as_they_came.is_empty() && !self.repeated
    }

    fn has(&self, id: DestinationId) -> bool {
        self.entries.iter().any(|entry| entry.id() == id)
    }

    /// Whether two readings found the same destinations in the same order. The order differs if
    /// a destination was deleted and added again.
    fn agrees_with(&self, other: &Self) -> bool {
        !self.repeated && !other.repeated && self.as_they_came == other.as_they_came
    }
}

impl<T: Transport> Engine<T> {
    /// Reads the destinations of a service once, newest first.
    ///
    /// The kernel returns an empty list, without an error, for a service that does not exist. So
    /// this reads the service if the list is empty.
    pub(crate) async fn destinations(
        &mut self,
        id: ServiceId,
    ) -> Result<Listing<DestinationEntry>> {
        let request = Request::Destinations(id);
        let listing = self.list(request).await?;
        if listing.is_empty() {
            let service = Box::pin(self.read::<ServiceEntry>(Request::Service(id))).await;
            service.map_err(|error| error.within(request.context()))?;
        }
        Ok(listing)
    }

    /// Reads one destination. The kernel cannot report a single destination, so this reads all
    /// of the service, and again if the destination may be missing.
    pub(crate) async fn destination(
        &mut self,
        service: ServiceId,
        id: DestinationId,
    ) -> Result<DestinationEntry> {
        let context = Context::about(Operation::ReadDestinations, Object::Destination(service, id));
        id.check_encodable().map_err(|invalid| Error::invalid(context, invalid))?;
        let read = self.destinations(service).await;
        let listing = read.map_err(|error| error.within(context))?;
        let complete = listing.is_complete();
        let is_it = |entry: &DestinationEntry| entry.id() == id;
        let mut found = listing.into_iter().find(is_it);
        if found.is_none() && !complete {
            let read = Box::pin(self.complete_destinations(service, Some(id))).await;
            found = read.map_err(|error| error.within(context))?.into_iter().find(is_it);
        }
        found.ok_or_else(|| Error::known(context, ErrorKind::NoSuchDestination, Certainty::Refused))
    }

    /// Chooses the socket on which a list of destinations is probably complete after one
    /// reading. A list that fills a small datagram must be read again.
    const fn way_of_complete(&self) -> Way {
        if self.few_destinations { Way::Destinations } else { Way::Commands }
    }

    /// Reads the destinations of a service, in order, until none can be missing, or until the
    /// `wanted` one is there.
    ///
    /// The listing is not complete if other programs kept writing during all readings, or if
    /// the reading ended at the `wanted` destination. The list of a service that does not exist
    /// is empty.
    pub(crate) async fn complete_destinations(
        &mut self,
        id: ServiceId,
        wanted: Option<DestinationId>,
    ) -> Result<Listing<DestinationEntry>> {
        let request = Request::Destinations(id);
        let way = self.way_of_complete();
        let reading = Reading::of(self.list_over(way, request).await?, way);
        match reading.into_complete() {
            Ok(destinations) => Ok(Listing::new(destinations, true)),
            Err(reading) => self.read_until_two_agree(id, reading, wanted).await,
        }
    }

    /// Reads the destinations of each of these services, in order, until none can be missing.
    /// Returns a list for each of the `ids`, in their order. The services themselves are not
    /// read: the list of a service that does not exist is empty.
    ///
    /// A list is not complete if other programs kept writing during all its readings.
    pub(crate) async fn destinations_of(
        &mut self,
        ids: &[ServiceId],
    ) -> Result<Vec<(ServiceId, Listing<DestinationEntry>)>> {
        let mut all = Vec::with_capacity(ids.len());
        for &id in ids {
            // `complete_destinations` written out: its future would be moved for each service.
            let way = self.way_of_complete();
            let reading = Reading::of(self.list_over(way, Request::Destinations(id)).await?, way);
            let listing = match reading.into_complete() {
                Ok(destinations) => Listing::new(destinations, true),
                Err(reading) => Box::pin(self.read_until_two_agree(id, reading, None)).await?,
            };
            all.push((id, listing));
        }
        Ok(all)
    }

    /// Reads the destinations of a service again until two readings agree. The readings use both
    /// sockets in turn: the kernel splits the list differently on each, so both readings hardly
    /// miss the same destination.
    async fn read_until_two_agree(
        &mut self,
        id: ServiceId,
        mut reading: Reading,
        wanted: Option<DestinationId>,
    ) -> Result<Listing<DestinationEntry>> {
        for _ in 1..TRIES {
            if wanted.is_some_and(|wanted| reading.has(wanted)) {
                break;
            }
            let way = reading.way.other();
            let listing = self.list_over(way, Request::Destinations(id)).await?;
            let again = Reading::of(listing, way);
            if again.is_complete() || again.agrees_with(&reading) {
                return Ok(Listing::new(again.entries, true));
            }
            reading = again;
        }
        Ok(Listing::new(reading.entries, false))
    }
}

//! Looking at a table without netlink.

use std::time::Duration;

use crate::fake::state::State;
use crate::fake::table::destination::Destination as Stored;
use crate::fake::table::service::Service as StoredService;
use crate::fake::table::slab::Slot;
use crate::fake::{Errno, convert};
use crate::model::{DestinationEntry, DestinationId, ServiceEntry, ServiceId, ServiceSnapshot};

impl Stored {
    pub(super) fn entry(&mut self, now: Duration) -> DestinationEntry {
        let destination = convert::destination(&self.key, &self.settings);
        let shown = self.counters.as_mut().map(|counters| counters.shown(now));
        let connections = convert::connections(self.connections);
        DestinationEntry::new(destination, connections, convert::stats(shown.unwrap_or_default()))
    }
}

impl StoredService {
    fn entry(&mut self, now: Duration) -> Option<ServiceEntry> {
        let shown = self.counters.as_mut().map(|counters| counters.shown(now));
        let service = convert::stored_service(self)?;
        Some(ServiceEntry::new(service, convert::stats(shown.unwrap_or_default())))
    }
}

impl State {
    /// Finds a service and one of its destinations.
    pub(super) fn find(
        &self,
        space: usize,
        service: ServiceId,
        destination: DestinationId,
    ) -> Result<(Slot, Slot), Errno> {
        let service = self.table.find(&convert::service_key(space, service)).ok_or(Errno::SRCH)?;
        let key = convert::destination_key(destination);
        let destination = self.table.find_destination(service, key).ok_or(Errno::NOENT)?;
        Ok((service, destination))
    }

    pub(super) fn snapshot(&mut self, slot: Slot) -> Option<ServiceSnapshot> {
        let now = self.now();
        let service = self.table.services.get_mut(slot)?;
        let entry = service.entry(now)?;
        let slots = &service.destinations;
        let destinations = &mut self.table.destinations;
        let mut entries = Vec::with_capacity(slots.len());
        for slot in slots {
            entries.extend(destinations.get_mut(*slot).map(|destination| destination.entry(now)));
        }
        Some(ServiceSnapshot::new(entry, entries))
    }
}

//! Connections and counters that a test sets.

use std::time::Duration;

use crate::fake::state::State;
use crate::fake::table::connections::Class;
use crate::fake::table::counters::counters;
use crate::fake::table::destination::Destination as Stored;
use crate::fake::table::slab::Slot;
use crate::fake::{Errno, Namespace, convert};
use crate::model::{Connections, DestinationId, Rates, ServiceId, Stats};

/// Traffic. No packets flow, so a test says which connections there are, and what is counted.
impl Namespace {
    /// Sets the numbers of connections of a destination.
    ///
    /// Connections that were [opened](Self::open_connections) before still end: the numbers then
    /// shrink, but not below 0. A destination that is deleted keeps its connections, and has them
    /// again if it is added to the same service before they have ended and two more minutes have
    /// passed.
    ///
    /// # Errors
    ///
    /// [`Errno::SRCH`]: no such service. [`Errno::NOENT`]: no such destination.
    pub fn set_connections(
        &self,
        service: ServiceId,
        destination: DestinationId,
        connections: Connections,
    ) -> Result<(), Errno> {
        let Connections { active, inactive, persistent } = connections;
        self.with_destination(service, destination, |stored, _| {
            stored.connections = [active, inactive, persistent];
        })
    }

    /// Opens `count` connections to a destination. They are active for the time `active`, then
    /// inactive for the time `inactive`, and then gone. They count in the [`Stats`] of destination
    /// and service from the kernel's next look on, up to two seconds later.
    ///
    /// They go on if the destination is deleted.
    ///
    /// # Errors
    ///
    /// [`Errno::SRCH`]: no such service. [`Errno::NOENT`]: no such destination.
    pub fn open_connections(
        &self,
        service: ServiceId,
        destination: DestinationId,
        count: u32,
        active: Duration,
        inactive: Duration,
    ) -> Result<(), Errno> {
        let mut state = self.shared.lock();
        let (service, destination) = state.find(self.space, service, destination)?;
        let now = state.now();
        let times = (active, inactive);
        state.table.open_connections(destination, Class::Active, count, now, times);
        state.count(service, destination, [count.into(), 0, 0, 0, 0]);
        Ok(())
    }

    /// Opens `count` templates of persistence to a destination, which end after the time
    /// `lasting`.
    ///
    /// # Errors
    ///
    /// [`Errno::SRCH`]: no such service. [`Errno::NOENT`]: no such destination.
    pub fn open_templates(
        &self,
        service: ServiceId,
        destination: DestinationId,
        count: u32,
        lasting: Duration,
    ) -> Result<(), Errno> {
        let mut state = self.shared.lock();
        let (_, slot) = state.find(self.space, service, destination)?;
        let (now, times) = (state.now(), (lasting, Duration::ZERO));
        state.table.open_connections(slot, Class::Persistent, count, now, times);
        Ok(())
    }

    /// Sets the counters of a service, which are reported at once.
    ///
    /// # Errors
    ///
    /// [`Errno::SRCH`]: no such service.
    pub fn set_service_stats(&self, service: ServiceId, stats: &Stats) -> Result<(), Errno> {
        let mut state = self.shared.lock();
        let now = state.now();
        let key = convert::service_key(self.space, service);
        let slot = state.table.find(&key).ok_or(Errno::SRCH)?;
        let service = state.table.services.get_mut(slot).ok_or(Errno::SRCH)?;
        counters(&mut service.counters, now).set(now, convert::shown(stats));
        Ok(())
    }

    /// Sets the counters of a destination, which are reported at once. Those of the service stay.
    ///
    /// # Errors
    ///
    /// [`Errno::SRCH`]: no such service. [`Errno::NOENT`]: no such destination.
    pub fn set_stats(
        &self,
        service: ServiceId,
        destination: DestinationId,
        stats: &Stats,
    ) -> Result<(), Errno> {
        self.with_destination(service, destination, |stored, now| {
            counters(&mut stored.counters, now).set(now, convert::shown(stats));
        })
    }

    /// Lets traffic flow to a destination from now on, in units per second: its counters and
    /// those of its service grow, until it is deleted. As in Linux, growth is reported every two
    /// seconds, and rates are averages over about eight.
    ///
    /// # Errors
    ///
    /// [`Errno::SRCH`]: no such service. [`Errno::NOENT`]: no such destination.
    pub fn set_traffic(
        &self,
        service: ServiceId,
        destination: DestinationId,
        per_second: &Rates,
    ) -> Result<(), Errno> {
        let mut state = self.shared.lock();
        let (service, slot) = state.find(self.space, service, destination)?;
        let now = state.now();
        state.table.set_traffic(service, slot, now, convert::rates(per_second));
        Ok(())
    }

    pub(super) fn with_destination<T>(
        &self,
        service: ServiceId,
        destination: DestinationId,
        with: impl FnOnce(&mut Stored, Duration) -> T,
    ) -> Result<T, Errno> {
        let mut state = self.shared.lock();
        let (_, slot) = state.find(self.space, service, destination)?;
        let now = state.now();
        state.table.destinations.get_mut(slot).map(|it| with(it, now)).ok_or(Errno::NOENT)
    }
}

impl State {
    fn count(&mut self, service: Slot, destination: Slot, more: [u64; 5]) {
        let now = self.now();
        if let Some(service) = self.table.services.get_mut(service) {
            counters(&mut service.counters, now).count(now, more);
        }
        if let Some(destination) = self.table.destinations.get_mut(destination) {
            counters(&mut destination.counters, now).count(now, more);
        }
    }
}

use std::fmt;
use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use crate::fake::kernel::Shared;
use crate::fake::state::State;
use crate::fake::table::connections::Class;
use crate::fake::table::counters::Counters;
use crate::fake::table::destination::Destination as Stored;
use crate::fake::table::interfaces::Interfaces;
use crate::fake::table::service::Service as StoredService;
use crate::fake::table::slab::Slot;
use crate::fake::{Errno, Kernel, Socket, convert};
use crate::model::{
    Change, Connections, DestinationEntry, DestinationId, InterfaceName, Rates, Role, ServiceEntry,
    ServiceId, ServiceSnapshot, Snapshot, Stats, SyncDaemon, Timeouts,
};

/// A network namespace of a [`Kernel`], to look at and to change without netlink.
///
/// Clones are the same namespace. Looking at a namespace and changing it is no request: it is
/// not counted, not logged, and meets no fault.
#[derive(Clone)]
pub struct Namespace {
    shared: Arc<Shared>,
    space: usize,
}

impl Namespace {
    pub(super) const fn new(shared: Arc<Shared>, space: usize) -> Self {
        Self { shared, space }
    }

    /// Returns the name, which is empty for the initial namespace.
    #[must_use]
    pub fn name(&self) -> String {
        let state = self.shared.lock();
        state.table.spaces.get(self.space).map(|space| space.name.clone()).unwrap_or_default()
    }

    /// Opens a netlink socket in this namespace.
    ///
    /// # Errors
    ///
    /// The process has no descriptor left.
    pub fn socket(&self) -> io::Result<Socket> {
        Socket::open(&self.shared, self.space)
    }

    /// Returns the services and destinations as they are. The snapshot is complete.
    #[must_use]
    pub fn table(&self) -> Snapshot {
        let mut state = self.shared.lock();
        let read_at = state.clock.now();
        let slots = state.table.services_of(self.space);
        let mut services: Vec<ServiceSnapshot> =
            slots.into_iter().filter_map(|slot| state.snapshot(slot)).collect();
        services.sort_by_key(ServiceSnapshot::id);
        Snapshot::new(services, true, Some(read_at))
    }

    /// Returns a service with its destinations as it is, or `None` if there is none.
    #[must_use]
    pub fn service(&self, service: ServiceId) -> Option<ServiceSnapshot> {
        let mut state = self.shared.lock();
        let slot = state.table.find(&convert::service_key(self.space, service))?;
        state.snapshot(slot)
    }

    /// Returns a destination as it is, or `None` if there is none.
    #[must_use]
    pub fn destination(
        &self,
        service: ServiceId,
        destination: DestinationId,
    ) -> Option<DestinationEntry> {
        self.with_destination(service, destination, Stored::entry).ok()
    }

    /// Returns the timeouts. All three are set.
    #[must_use]
    pub fn timeouts(&self) -> Timeouts {
        let state = self.shared.lock();
        let timeouts = state.table.spaces.get(self.space).map(|space| space.timeouts);
        convert::timeouts(timeouts.unwrap_or_default())
    }

    /// Returns the synchronization daemons that run, the master first.
    #[must_use]
    pub fn daemons(&self) -> Vec<SyncDaemon> {
        let state = self.shared.lock();
        let Some(space) = state.table.spaces.get(self.space) else { return Vec::new() };
        let both = [(Role::Master, &space.master), (Role::Backup, &space.backup)];
        let running = both.into_iter().filter_map(|(role, daemon)| {
            daemon.as_ref().and_then(|daemon| convert::running_daemon(role, daemon))
        });
        running.collect()
    }

    /// Makes a change as somebody else: another program that writes to the same table.
    ///
    /// # Errors
    ///
    /// The kernel refuses the change with this error. The change is not validated before, so the
    /// kernel's own rules decide.
    pub fn write(&self, change: &Change) -> Result<(), Errno> {
        self.shared.lock().write(self.space, change)
    }

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
    /// those of its service grow. As in Linux, growth is reported every two seconds, and rates
    /// are averages over about eight.
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
        let new = convert::rates(per_second);
        let stored = state.table.destinations.get_mut(slot).ok_or(Errno::NOENT)?;
        let of_destination = counters(&mut stored.counters, now);
        let old = of_destination.per_second();
        of_destination.flow(now, new);
        let service = state.table.services.get_mut(service).ok_or(Errno::SRCH)?;
        let of_service = counters(&mut service.counters, now);
        let mut sum = of_service.per_second();
        for ((sum, old), new) in sum.iter_mut().zip(old).zip(new) {
            *sum = sum.saturating_sub(old).saturating_add(new);
        }
        of_service.flow(now, sum);
        Ok(())
    }

    /// Adds a network interface, or changes the one of this name. A namespace has `lo`, which is
    /// up, at first.
    ///
    /// `mtu` is in bytes. Synchronization daemons run on interfaces: a master on one that is not
    /// `up` is refused with [`Errno::NETUNREACH`], or [`Errno::ADDRNOTAVAIL`] if its group is of
    /// IPv6.
    ///
    /// While no interface with an IPv4 address has ever been up, as after
    /// [`reset_interfaces`](Self::reset_interfaces), the kernel refuses all IPv4 destinations with [`Errno::INVAL`].
    pub fn set_interface(&self, name: InterfaceName, mtu: u32, up: bool) {
        if let Some(space) = self.shared.lock().table.space(self.space) {
            space.interfaces.set(name.as_bytes(), mtu, up);
        }
    }

    /// Makes the interfaces those of a namespace that has just been made in Linux: only `lo`,
    /// which is down and has never been up.
    pub fn reset_interfaces(&self) {
        if let Some(space) = self.shared.lock().table.space(self.space) {
            space.interfaces = Interfaces::new();
        }
    }

    /// Adds an address to a network interface that exists. `prefix` is the length of the
    /// network's prefix, at most 32. `lo` has 127.0.0.1 and a prefix of 8.
    ///
    /// While the interface is up, the kernel refuses destinations with the broadcast address of
    /// the network with [`Errno::INVAL`].
    pub fn add_address(&self, name: InterfaceName, address: Ipv4Addr, prefix: u8) {
        if let Some(space) = self.shared.lock().table.space(self.space) {
            space.interfaces.add_address(name.as_bytes(), (address.into(), prefix.into()));
        }
    }

    /// Sets the part of the kernel's hash that differs from namespace to namespace and from boot
    /// to boot. It decides about the order in which services are listed.
    ///
    /// The first service that Linux up to 7.0 lists of the firewall marks 1 to 256 is the one
    /// whose low eight bits are this part.
    pub fn set_hash_seed(&self, seed: u8) {
        self.shared.lock().table.set_seed(self.space, seed);
    }

    fn with_destination<T>(
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

impl From<&Kernel> for Namespace {
    /// The initial namespace.
    fn from(kernel: &Kernel) -> Self {
        kernel.initial()
    }
}

impl fmt::Debug for Namespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Namespace").field("name", &self.name()).finish_non_exhaustive()
    }
}

fn counters(place: &mut Option<Box<Counters>>, now: Duration) -> &mut Counters {
    place.get_or_insert_with(|| Box::new(Counters::new(now)))
}

impl Stored {
    fn entry(&mut self, now: Duration) -> DestinationEntry {
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
    fn find(
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

    fn count(&mut self, service: Slot, destination: Slot, more: [u64; 5]) {
        let now = self.now();
        if let Some(service) = self.table.services.get_mut(service) {
            counters(&mut service.counters, now).count(now, more);
        }
        if let Some(destination) = self.table.destinations.get_mut(destination) {
            counters(&mut destination.counters, now).count(now, more);
        }
    }

    fn snapshot(&mut self, slot: Slot) -> Option<ServiceSnapshot> {
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

    /// Makes a change without netlink.
    fn write(&mut self, space: usize, change: &Change) -> Result<(), Errno> {
        let now = self.now();
        let table = &mut self.table;
        let key = |id: &ServiceId| convert::service_key(space, *id);
        match change {
            Change::AddService(service) => {
                let settings = convert::service_settings(service);
                table.add_service(key(&service.id), &settings).map(|_| ())
            }
            Change::UpdateService(service) => {
                let slot = table.find(&key(&service.id)).ok_or(Errno::SRCH)?;
                table.edit_service(slot, &convert::service_settings(service))
            }
            Change::DeleteService(id) => {
                let slot = table.find(&key(id)).ok_or(Errno::SRCH)?;
                table.delete_service(slot, now);
                Ok(())
            }
            Change::ZeroService(id) => {
                let slot = table.find(&key(id)).ok_or(Errno::SRCH)?;
                table.zero(slot, now);
                Ok(())
            }
            Change::AddDestination(id, destination) => {
                let slot = table.find(&key(id)).ok_or(Errno::SRCH)?;
                let settings = convert::destination_settings(destination);
                let key = convert::destination_key(destination.id);
                table.add_destination(slot, key, &settings, now)
            }
            Change::UpdateDestination(id, destination) => {
                let slot = table.find(&key(id)).ok_or(Errno::SRCH)?;
                let settings = convert::destination_settings(destination);
                table.edit_destination(slot, convert::destination_key(destination.id), &settings)
            }
            Change::DeleteDestination(id, destination) => {
                let slot = table.find(&key(id)).ok_or(Errno::SRCH)?;
                table.delete_destination(slot, convert::destination_key(*destination), now)
            }
            Change::SetTimeouts(timeouts) => {
                let ticks = table.version.ticks_per_second();
                let space = table.space(space).ok_or(Errno::INVAL)?;
                space.set_timeouts(ticks, convert::timeout_numbers(timeouts))
            }
            Change::StartDaemon(daemon) => {
                let settings = convert::daemon_settings(daemon);
                table.space(space).ok_or(Errno::NODEV)?.start_daemon(&settings, now)
            }
            Change::StopDaemon(role) => {
                let state = convert::state_number(*role);
                table.space(space).ok_or(Errno::SRCH)?.stop_daemon(state).map(|_| ())
            }
            Change::ZeroAll => {
                table.zero_all(space, now);
                Ok(())
            }
            Change::Flush => {
                table.flush(space, now);
                Ok(())
            }
        }
    }
}

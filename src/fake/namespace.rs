use std::fmt;
use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;

use crate::fake::kernel::Shared;
use crate::fake::table::destination::Destination as Stored;
use crate::fake::table::interfaces::Interfaces;
use crate::fake::{Errno, Kernel, Socket, convert};
use crate::model::{
    Change, DestinationEntry, DestinationId, InterfaceName, Role, ServiceId, ServiceSnapshot,
    Snapshot, SyncDaemon, Timeouts,
};

/// A network namespace of a [`Kernel`], to look at and to change without netlink.
///
/// Clones are the same namespace. Looking at a namespace and changing it is no request: it is
/// not counted, not logged, and meets no fault.
#[derive(Clone)]
pub struct Namespace {
    pub(super) shared: Arc<Shared>,
    pub(super) space: usize,
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

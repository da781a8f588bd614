//! Adding, changing and deleting services.

use std::time::Duration;

use crate::fake::Errno;
use crate::fake::table::Table;
use crate::fake::table::counters::Counters;
use crate::fake::table::key::ServiceKey;
use crate::fake::table::slab::Slot;
use crate::uapi::{AF_INET6, IP_VS_SVC_F_HASHED};

/// The table of `mh` has room for so many destinations.
const MAGLEV_SIZE: usize = 4093;

/// A service.
#[derive(Debug)]
pub(in crate::fake) struct Service {
    pub(in crate::fake) key: ServiceKey,
    /// Which service of all that there have been.
    pub(super) serial: u64,
    pub(in crate::fake) flags: u32,
    /// Seconds, as the kernel reports them.
    pub(in crate::fake) timeout: u32,
    /// A mask in the order of the network, or a prefix length in the order of the host.
    pub(in crate::fake) netmask: [u8; 4],
    /// `None` is the scheduler `none`.
    pub(in crate::fake) scheduler: Option<&'static str>,
    pub(in crate::fake) engine: Option<&'static str>,
    pub(in crate::fake) counters: Option<Box<Counters>>,
    /// The destinations, the oldest first.
    pub(in crate::fake) destinations: Vec<Slot>,
}

/// The settings in a request.
#[derive(Clone, Copy, Debug)]
pub(in crate::fake) struct ServiceSettings<'m> {
    pub(in crate::fake) scheduler: &'m [u8],
    pub(in crate::fake) engine: &'m [u8],
    pub(in crate::fake) flags: u32,
    /// Which bits of the flags are set.
    pub(in crate::fake) mask: u32,
    pub(in crate::fake) timeout: u32,
    pub(in crate::fake) netmask: [u8; 4],
}

/// A scheduler and a persistence engine that exist.
type Modules = (Option<&'static str>, Option<&'static str>);

impl Table {
    /// Source: `ip_vs_ctl.c:ip_vs_add_service`.
    pub(in crate::fake) fn add_service(
        &mut self,
        key: ServiceKey,
        settings: &ServiceSettings<'_>,
    ) -> Result<Slot, Errno> {
        if self.find(&key).is_some() {
            return Err(Errno::EXIST);
        }
        let (scheduler, engine) = self.modules(settings)?;
        check_netmask(key, settings)?;
        self.born += 1;
        let slot = self.services.insert(Service {
            key,
            serial: self.born,
            flags: (settings.flags & settings.mask) | IP_VS_SVC_F_HASHED,
            timeout: self.stored_timeout(settings.timeout),
            netmask: settings.netmask,
            scheduler,
            engine,
            counters: None,
            destinations: Vec::new(),
        });
        self.by_key.insert(key, slot);
        let bucket = key.bucket(self.seed(key.space));
        self.buckets.insert(bucket, slot);
        Ok(slot)
    }

    /// Source: `ip_vs_ctl.c:ip_vs_edit_service`.
    pub(in crate::fake) fn edit_service(
        &mut self,
        slot: Slot,
        settings: &ServiceSettings<'_>,
    ) -> Result<(), Errno> {
        let (scheduler, engine) = self.modules(settings)?;
        let timeout = self.stored_timeout(settings.timeout);
        let service = self.services.get_mut(slot).ok_or(Errno::SRCH)?;
        check_netmask(service.key, settings)?;
        let to_maglev = scheduler == Some("mh") && scheduler != service.scheduler;
        if to_maglev && service.destinations.len() > MAGLEV_SIZE {
            return Err(Errno::INVAL);
        }
        let flags = (service.flags & !settings.mask) | (settings.flags & settings.mask);
        service.flags = flags | IP_VS_SVC_F_HASHED;
        service.timeout = timeout;
        service.netmask = settings.netmask;
        service.scheduler = scheduler;
        service.engine = engine;
        Ok(())
    }

    /// Deletes a service. Its destinations go into the trash.
    pub(in crate::fake) fn delete_service(&mut self, slot: Slot, now: Duration) {
        let Some(key) = self.services.get(slot).map(|service| service.key) else { return };
        self.by_key.remove(&key);
        let bucket = key.bucket(self.seed(key.space));
        self.buckets.remove(bucket, slot);
        let service = self.services.get_mut(slot);
        let newest_first = service.map(|service| std::mem::take(&mut service.destinations));
        for destination in newest_first.into_iter().flatten().rev() {
            self.discard(slot, destination, now);
        }
        self.services.remove(slot);
    }

    /// Deletes all services of a namespace.
    pub(in crate::fake) fn flush(&mut self, space: usize, now: Duration) {
        for slot in self.services_of(space) {
            self.delete_service(slot, now);
        }
    }

    /// Zeroes the counters of a service and its destinations.
    pub(in crate::fake) fn zero(&mut self, slot: Slot, now: Duration) {
        let Some(service) = self.services.get_mut(slot) else { return };
        let zero = |counters: &mut Option<Box<Counters>>| {
            if let Some(counters) = counters {
                counters.zero(now);
            }
        };
        zero(&mut service.counters);
        for destination in &service.destinations {
            if let Some(destination) = self.destinations.get_mut(*destination) {
                zero(&mut destination.counters);
            }
        }
    }

    pub(in crate::fake) fn zero_all(&mut self, space: usize, now: Duration) {
        for slot in self.services_of(space) {
            self.zero(slot, now);
        }
    }

    /// The services of a namespace, in the order of dumps.
    pub(in crate::fake) fn services_of(&self, space: usize) -> Vec<Slot> {
        let is_here = |slot: &Slot| {
            self.services.get(*slot).is_some_and(|service| service.key.space == space)
        };
        self.buckets.after(0).filter(is_here).collect()
    }

    /// Moves the services of a namespace to where another seed puts them.
    pub(in crate::fake) fn set_seed(&mut self, space: usize, seed: u8) {
        let old = self.seed(space);
        let serial = |slot: &Slot| self.services.get(*slot).map(|service| service.serial);
        let mut slots = self.services_of(space);
        slots.sort_by_key(serial);
        let key = |slot: Slot| self.services.get(slot).map(|service| (slot, service.key));
        for (slot, key) in slots.into_iter().filter_map(key) {
            self.buckets.remove(key.bucket(old), slot);
            self.buckets.insert(key.bucket(seed), slot);
        }
        if let Some(space) = self.space(space) {
            space.seed = seed;
        }
    }

    fn modules(&self, settings: &ServiceSettings<'_>) -> Result<Modules, Errno> {
        let named = |names: &'static [&'static str], name: &[u8]| {
            names.iter().copied().find(|known| known.as_bytes() == name).ok_or(Errno::NOENT)
        };
        let scheduler = match settings.scheduler {
            b"none" => None,
            name => Some(named(self.version.schedulers(), name)?),
        };
        let engine = match settings.engine {
            b"" => None,
            name => Some(named(&["sip"], name)?),
        };
        Ok((scheduler, engine))
    }

    /// The kernel multiplies with its ticks per second in 32 bits and does not check.
    const fn stored_timeout(&self, seconds: u32) -> u32 {
        let ticks = self.version.ticks_per_second();
        seconds.wrapping_mul(ticks) / ticks
    }
}

fn check_netmask(key: ServiceKey, settings: &ServiceSettings<'_>) -> Result<(), Errno> {
    let prefix = u32::from_ne_bytes(settings.netmask);
    match key.family {
        AF_INET6 if !(1..=128).contains(&prefix) => Err(Errno::INVAL),
        _ => Ok(()),
    }
}

use std::time::Duration;

use crate::fake::Errno;
use crate::fake::table::fold::FoldMap;
use crate::fake::table::interfaces::Interfaces;
use crate::fake::table::slab::Slot;
use crate::fake::table::trash::TrashKey;

/// What a network namespace has beside its services.
#[derive(Debug)]
pub(in crate::fake) struct Space {
    pub(in crate::fake) name: String,
    /// Moves the services between the buckets of the hash tables.
    pub(in crate::fake) seed: u8,
    /// TCP, TCP after a FIN, UDP, in seconds.
    pub(in crate::fake) timeouts: [u32; 3],
    pub(in crate::fake) master: Option<Daemon>,
    pub(in crate::fake) backup: Option<Daemon>,
    pub(in crate::fake) interfaces: Interfaces,
    /// Destinations whose family is not that of their service.
    pub(super) mixed: usize,
    pub(super) trash: FoldMap<TrashKey, Vec<Slot>>,
    /// When the trash is looked at next, if it is not empty.
    pub(super) trash_timer: Option<Duration>,
    /// Whether everything in the trash has connections, so that looks change nothing.
    pub(super) trash_waits: bool,
}

/// A synchronization daemon that runs.
#[derive(Clone, Debug)]
pub(in crate::fake) struct Daemon {
    pub(in crate::fake) interface: String,
    pub(in crate::fake) sync_id: u32,
    pub(in crate::fake) max_length: u16,
    pub(in crate::fake) port: u16,
    pub(in crate::fake) ttl: u8,
    pub(in crate::fake) group: Group,
    pub(in crate::fake) since: Duration,
}

/// A multicast group.
#[derive(Clone, Copy, Debug)]
pub(in crate::fake) enum Group {
    Ipv4([u8; 4]),
    Ipv6([u8; 16]),
}

const TIMEOUTS: [u32; 3] = [900, 120, 300];

impl Space {
    pub(in crate::fake) fn new(name: &str, seed: u8) -> Self {
        Self {
            name: name.to_owned(),
            seed,
            timeouts: TIMEOUTS,
            master: None,
            backup: None,
            interfaces: Interfaces::usual(),
            mixed: 0,
            trash: FoldMap::default(),
            trash_timer: None,
            trash_waits: false,
        }
    }

    /// Forgets what a module that is loaded again does not have.
    pub(super) fn clear(&mut self) {
        self.timeouts = TIMEOUTS;
        self.master = None;
        self.backup = None;
        self.mixed = 0;
        self.trash.clear();
        self.trash_timer = None;
    }

    pub(in crate::fake) const fn has_mixed_families(&self) -> bool {
        self.mixed > 0
    }

    pub(in crate::fake) const fn has_daemon(&self) -> bool {
        self.master.is_some() || self.backup.is_some()
    }

    /// Sets timeouts in seconds. 0 leaves a timeout as it is.
    ///
    /// Source: `ip_vs_ctl.c:ip_vs_set_timeout`.
    pub(in crate::fake) fn set_timeouts(
        &mut self,
        ticks_per_second: u32,
        timeouts: [u32; 3],
    ) -> Result<(), Errno> {
        let most = i32::MAX.unsigned_abs() / ticks_per_second;
        if timeouts.iter().any(|timeout| *timeout > most) {
            return Err(Errno::INVAL);
        }
        for (now, new) in self.timeouts.iter_mut().zip(timeouts) {
            if new != 0 {
                *now = new;
            }
        }
        Ok(())
    }
}

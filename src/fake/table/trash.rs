//! Deleted destinations, which the kernel keeps for some time and takes back if they are added
//! to the same service again.

use std::time::Duration;

use crate::fake::table::Table;
use crate::fake::table::key::{Address, DestinationKey, ServiceKey};
use crate::fake::table::slab::Slot;

/// `IP_VS_DEST_TRASH_PERIOD`.
const PERIOD: Duration = Duration::from_secs(120);
/// The time between two looks at the trash.
const LOOK: Duration = Duration::from_secs(60);

/// What a destination in the trash is found by. The family of the service is not among it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::fake) struct TrashKey {
    destination: DestinationKey,
    mark: u32,
    protocol: u16,
    /// The address and port of the service, if it has no mark.
    place: (Address, u16),
}

impl TrashKey {
    fn new(service: ServiceKey, destination: DestinationKey) -> Self {
        let ServiceKey { mark, protocol, port, address, .. } = service;
        let place = if mark == 0 { (address, port) } else { (Address::default(), 0) };
        Self { destination, mark, protocol, place }
    }
}

impl Table {
    /// Source: `ip_vs_ctl.c:__ip_vs_del_dest`.
    pub(super) fn put_into_trash(&mut self, service: ServiceKey, slot: Slot, now: Duration) {
        let Some(destination) = self.destinations.get_mut(slot) else { return };
        let key = TrashKey::new(service, destination.key);
        destination.idle_since = None;
        if let Some(counters) = &mut destination.counters {
            counters.stop(now);
        }
        let Some(space) = self.spaces.get_mut(service.space) else { return };
        if space.trash.is_empty() {
            space.trash_timer = Some(now + LOOK);
        }
        space.trash_waits = false;
        space.trash.entry(key).or_default().push(slot);
    }

    /// Takes a destination back, with its connections and counters. A service that was made anew
    /// counts from zero.
    ///
    /// Source: `ip_vs_ctl.c:ip_vs_trash_get_dest` and `__ip_vs_update_dest`.
    pub(super) fn take_from_trash(
        &mut self,
        service: Slot,
        key: DestinationKey,
        now: Duration,
    ) -> Option<Slot> {
        let owner = self.services.get(service)?;
        let space = self.spaces.get_mut(owner.key.space)?;
        if space.trash.is_empty() {
            return None;
        }
        let trash_key = TrashKey::new(owner.key, key);
        let same = space.trash.get_mut(&trash_key)?;
        let slot = same.pop()?;
        if same.is_empty() {
            space.trash.remove(&trash_key);
        }
        let destination = self.destinations.get_mut(slot)?;
        if let Some(counters) = &mut destination.counters {
            counters.start(now);
            if destination.service != owner.serial {
                counters.zero(now);
            }
        }
        Some(slot)
    }

    /// The next time at which something happens by itself.
    pub(super) fn next_look(&self) -> Option<Duration> {
        self.spaces.iter().filter_map(|space| space.trash_timer).min()
    }

    /// Looks at the trash of all namespaces whose time has come: what was not used for long
    /// enough is freed.
    ///
    /// Source: `ip_vs_ctl.c:ip_vs_dest_trash_expire`.
    pub(super) fn look_at_trash(&mut self, now: Duration) {
        let Self { spaces, destinations, .. } = self;
        for space in spaces {
            let Some(due) = space.trash_timer.filter(|due| *due <= now) else { continue };
            let mut changing = false;
            space.trash.retain(|_, slots| {
                slots.retain(|slot| {
                    let Some(destination) = destinations.get_mut(*slot) else { return false };
                    let used = destination.connections != [0; 3];
                    changing |= !used;
                    match destination.idle_since {
                        _ if used => true,
                        Some(since) if now >= since + PERIOD => {
                            destinations.remove(*slot);
                            false
                        }
                        Some(_) => true,
                        None => {
                            destination.idle_since = Some(now);
                            true
                        }
                    }
                });
                !slots.is_empty()
            });
            space.trash_timer = (!space.trash.is_empty()).then_some(due + LOOK);
            space.trash_waits = !changing;
        }
    }

    /// Leaves out the looks before `until` that find only destinations with connections.
    pub(super) fn skip_idle_looks(&mut self, until: Duration) {
        for space in self.spaces.iter_mut().filter(|space| space.trash_waits) {
            if let Some(timer) = &mut space.trash_timer {
                let looks = until.saturating_sub(*timer).as_secs_f64() / LOOK.as_secs_f64();
                *timer += LOOK.mul_f64(looks.ceil());
            }
        }
    }
}

//! Connections that end by themselves, and the passing of time.

use std::cmp::Reverse;
use std::time::Duration;

use crate::fake::table::Table;
use crate::fake::table::slab::Slot;

/// Which connections of a destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::fake) enum Class {
    Active,
    Inactive,
    Persistent,
}

/// The end of connections: they become inactive for a time, or go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Ending {
    at: Duration,
    order: u64,
    destination: Slot,
    serial: u64,
    class: Class,
    count: u32,
    inactive_for: Duration,
}

impl Table {
    /// Opens connections that are of `class` for `lasting`, and then inactive for `inactive_for`.
    pub(in crate::fake) fn open_connections(
        &mut self,
        slot: Slot,
        class: Class,
        count: u32,
        now: Duration,
        (lasting, inactive_for): (Duration, Duration),
    ) {
        let Some(destination) = self.destinations.get_mut(slot) else { return };
        let [active, inactive, persistent] = &mut destination.connections;
        let connections = match class {
            Class::Active => active,
            Class::Inactive => inactive,
            Class::Persistent => persistent,
        };
        *connections = connections.saturating_add(count);
        let Some(at) = now.checked_add(lasting) else { return };
        self.ended += 1;
        let (order, serial) = (self.ended, destination.serial);
        let ending = Ending { at, order, destination: slot, serial, class, count, inactive_for };
        self.endings.push(Reverse(ending));
    }

    fn end_connections(&mut self, ending: Ending) {
        let Some(destination) = self.destinations.get_mut(ending.destination) else { return };
        // The place may have a new destination.
        if destination.serial != ending.serial {
            return;
        }
        let [active, inactive, persistent] = &mut destination.connections;
        let connections = match ending.class {
            Class::Active => active,
            Class::Inactive => inactive,
            Class::Persistent => persistent,
        };
        let count = ending.count.min(*connections);
        *connections -= count;
        if count > 0 && ending.inactive_for > Duration::ZERO {
            let times = (ending.inactive_for, Duration::ZERO);
            self.open_connections(ending.destination, Class::Inactive, count, ending.at, times);
        }
    }

    /// Lets everything happen that happens by itself up to `now`.
    pub(in crate::fake) fn pass(&mut self, now: Duration) {
        loop {
            let ending = self.endings.peek().map(|Reverse(ending)| ending.at);
            let look = self.next_look();
            match (ending, look) {
                (Some(at), look) if at <= now && look.is_none_or(|look| at <= look) => {
                    if let Some(Reverse(ending)) = self.endings.pop() {
                        self.end_connections(ending);
                    }
                }
                (ending, Some(at)) if at <= now => {
                    self.look_at_trash(at);
                    let until = ending.map_or(now, |ending| ending.min(now));
                    self.skip_idle_looks(until);
                }
                _ => return,
            }
        }
    }
}

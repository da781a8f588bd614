//! A table of slots.

use crate::explain::choice::{Choice, first_available};
use crate::explain::hashing::fold::fold;
use crate::explain::hashing::maglev::{self, Entry};
use crate::explain::hashing::plain;
use crate::explain::slots::Packet;
use crate::explain::view::View;
use crate::explain::{Availability, Slot};
use crate::model::{DestinationEntry, Scheduler, Service, ServiceFlags};

/// A table of slots, with what is needed to search it.
#[derive(Clone, Debug)]
pub(in crate::explain) struct Table<'a> {
    scheduler: Scheduler,
    owners: Vec<Option<usize>>,
    availabilities: &'a [Availability],
    has_fallback: bool,
}

/// Returns the table of one of the [`sizes`](super::sizes). `None` if `mh` has more destinations than slots: then
/// the kernel has kept an older table.
pub(in crate::explain) fn table<'a>(
    view: &View,
    service: &Service,
    availabilities: &'a [Availability],
    size: u8,
) -> Option<Table<'a>> {
    let entries = view.destinations();
    let owners = match service.scheduler {
        Scheduler::SOURCE_HASHING => {
            let weights: Vec<_> = entries.iter().map(|entry| entry.destination.weight).collect();
            plain::by_weight(&weights, size)
        }
        Scheduler::DESTINATION_HASHING => plain::in_turn(entries.len(), size),
        _ => {
            let family = service.id.family();
            let entry = |entry: &DestinationEntry| {
                let address = entry.id().address;
                let last_weight = view.maglev_weight(entry)?;
                Some(Entry {
                    folded: fold(address.ip(), family),
                    port: address.port(),
                    last_weight,
                })
            };
            let entries: Vec<Entry> = entries.iter().filter_map(entry).collect();
            maglev::table(&entries, size)?
        }
    };
    // `sh` and `mh` have the same bit for it.
    let has_fallback = service.scheduler != Scheduler::DESTINATION_HASHING
        && service.flags.contains(ServiceFlags::SH_FALLBACK);
    Some(Table { scheduler: service.scheduler, owners, availabilities, has_fallback })
}

impl Table<'_> {
    pub(in crate::explain) fn len(&self) -> usize {
        self.owners.len()
    }

    pub(super) fn slot_of(&self, packet: Packet) -> Option<usize> {
        let (folded, port) = (packet.folded?, packet.port?);
        Some(match self.scheduler {
            Scheduler::MAGLEV_HASHING => maglev::slot(folded, port, self.len()),
            // The number of slots is a power of two.
            _ => {
                let bits = u8::try_from(self.len().trailing_zeros()).unwrap_or_default();
                plain::slot(folded, port, bits)
            }
        })
    }

    pub(super) fn choose(&self, packet: Packet) -> Choice {
        let Some(slot) = self.slot_of(packet) else { return self.any_slot() };
        match (self.scheduler, packet.folded, packet.port) {
            (Scheduler::MAGLEV_HASHING, Some(folded), Some(port)) if self.has_fallback => {
                let probes = maglev::with_fallback(&self.owners, folded, port);
                first_available(probes, self.availabilities)
            }
            _ => self.at_slot(slot),
        }
    }

    /// What the packets of a slot get, as far as the slot alone tells: not with the fallback of
    /// `mh`, which hashes the client again.
    fn at_slot(&self, slot: usize) -> Choice {
        if self.has_fallback && self.scheduler != Scheduler::MAGLEV_HASHING {
            let probes = plain::with_fallback(&self.owners, slot);
            return first_available(probes, self.availabilities);
        }
        first_available([self.owner(slot)], self.availabilities)
    }

    fn owner(&self, slot: usize) -> Option<usize> {
        self.owners.get(slot).copied().flatten()
    }

    /// The slot of that number, and its owner.
    pub(super) fn slot(&self, view: &View, number: usize) -> Slot {
        let owner = self.owner(number);
        let availability = owner.and_then(|at| self.availabilities.get(at).copied());
        Slot {
            number,
            of: self.len(),
            owner: owner.and_then(|at| view.destinations().get(at)).map(DestinationEntry::id),
            availability: availability.unwrap_or(Availability::Quiesced),
        }
    }

    /// How many slots each destination owns.
    pub(super) fn counts(&self) -> Vec<usize> {
        let mut counts = vec![0; self.availabilities.len()];
        for owner in self.owners.iter().flatten() {
            if let Some(count) = counts.get_mut(*owner) {
                *count += 1;
            }
        }
        counts
    }

    /// What the clients of each slot get.
    pub(in crate::explain) fn outcomes(&self) -> Vec<SlotOutcome> {
        let states: Vec<SlotOutcome> =
            self.owners.iter().map(|owner| self.of_owner(*owner)).collect();
        let is_refused = |state: &SlotOutcome| *state == SlotOutcome::Refused;
        if !self.has_fallback || states.iter().all(is_refused) {
            return states;
        }
        if self.scheduler == Scheduler::MAGLEV_HASHING {
            // The fallback hashes each client of a slot again.
            let again = |state| if is_refused(&state) { SlotOutcome::Differs } else { state };
            return states.into_iter().map(again).collect();
        }
        let fallbacks = not_refused_from(&states);
        let size = states.len();
        let with_fallback = |(slot, state): (usize, &SlotOutcome)| match state {
            SlotOutcome::Refused => {
                let first = slot * 2 % size.max(1);
                fallbacks.get(first).copied().unwrap_or(SlotOutcome::Refused)
            }
            state => *state,
        };
        states.iter().enumerate().map(with_fallback).collect()
    }

    fn of_owner(&self, owner: Option<usize>) -> SlotOutcome {
        match owner.and_then(|at| self.availabilities.get(at).map(|it| (at, it))) {
            Some((at, Availability::Available)) => SlotOutcome::Served(at),
            Some((_, Availability::Unknown)) => SlotOutcome::Differs,
            _ => SlotOutcome::Refused,
        }
    }

    /// What any slot can give.
    fn any_slot(&self) -> Choice {
        let mut choice = Choice::default();
        let mut seen = vec![false; self.availabilities.len()];
        for owner in &self.owners {
            match owner.map(|at| seen.get_mut(at)) {
                Some(Some(true)) => {}
                Some(Some(first)) => {
                    *first = true;
                    choice.join(&first_available([*owner], self.availabilities));
                }
                _ => choice.refusal = true,
            }
        }
        // The fallback of `sh` tries every slot.
        let is_available = |at: &usize| {
            self.availabilities.get(*at).is_some_and(|it| *it == Availability::Available)
        };
        let tries_all = self.has_fallback && self.scheduler != Scheduler::MAGLEV_HASHING;
        if tries_all && choice.possible.iter().any(is_available) {
            choice.refusal = false;
        }
        choice
    }
}

/// What all clients of a slot get.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::explain) enum SlotOutcome {
    /// The destination at this position.
    Served(usize),
    Refused,
    /// That differs among the clients, or is unknown.
    Differs,
}

/// For each slot, what the first slot gives that is not refused, from this one on in a circle.
fn not_refused_from(states: &[SlotOutcome]) -> Vec<SlotOutcome> {
    let mut found = vec![SlotOutcome::Refused; states.len()];
    let mut next = SlotOutcome::Refused;
    // The second round knows what comes behind the end.
    for _ in 0..2 {
        for (found, state) in found.iter_mut().zip(states).rev() {
            if *state != SlotOutcome::Refused {
                next = *state;
            }
            *found = next;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;

    proptest! {
        /// The outcomes of all slots are those that each slot has by itself.
        #[test]
        fn a_fallback_is_followed_from_every_slot(
            states in vec(
                select(vec![Availability::Available, Availability::Quiesced, Availability::Unknown]),
                0..5,
            ),
            has_fallback: bool,
        ) {
            let weights = vec![1; states.len()];
            let owners = plain::by_weight(&weights, 4);
            let scheduler = Scheduler::SOURCE_HASHING;
            let table = Table { scheduler, owners, availabilities: &states, has_fallback };
            let alone = |slot| {
                let choice = table.at_slot(slot);
                match (choice.possible.as_slice(), choice.refusal) {
                    ([at], false) => SlotOutcome::Served(*at),
                    ([], _) => SlotOutcome::Refused,
                    _ => SlotOutcome::Differs,
                }
            };
            prop_assert_eq!(table.outcomes(), (0..16).map(alone).collect::<Vec<_>>());
        }
    }
}

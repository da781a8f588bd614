//! What `sh`, `dh` and `mh` choose: the slot of a packet in a table.

use std::net::IpAddr;

use crate::explain::hashing::fold::fold;
use crate::explain::hashing::maglev::{self, Entry};
use crate::explain::hashing::{Choice, first_available, plain};
use crate::explain::view::View;
use crate::explain::{Attempt, Availability, Missing, Slot};
use crate::model::{DestinationEntry, Scheduler, Service, ServiceFlags};

/// What a scheduler hashes of a packet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Packet {
    /// The 32 bits of the address, or `None` if the address is unknown.
    folded: Option<u32>,
    /// The port, 0 if the service does not hash the port, or `None` if the port is unknown.
    port: Option<u16>,
}

impl Packet {
    pub(super) fn of(attempt: &Attempt, service: &Service) -> Self {
        let family = service.id.family();
        let is_dh = service.scheduler == Scheduler::DESTINATION_HASHING;
        let virtual_address = attempt.address.map(|address| address.ip());
        let address: Option<IpAddr> = if is_dh { virtual_address } else { Some(attempt.client) };
        // `sh` and `mh` have the same bit for it.
        let with_port = !is_dh && service.flags.contains(ServiceFlags::SH_PORT);
        Self {
            folded: address.map(|address| fold(address, family)),
            port: if with_port { attempt.client_port } else { Some(0) },
        }
    }
}

/// What a table gives for a packet.
#[derive(Clone, Debug)]
pub(super) struct Outcome {
    pub(super) choice: Choice,
    /// The slot, if it is known.
    pub(super) slot: Option<Slot>,
    /// How many slots each destination owns, if the table is known.
    pub(super) counts: Option<Vec<usize>>,
    /// The inputs that are unknown, beside overloads.
    pub(super) missing: Vec<Missing>,
}

/// A table of slots, with what is needed to search it.
#[derive(Clone, Debug)]
pub(super) struct Table {
    scheduler: Scheduler,
    owners: Vec<Option<usize>>,
    availabilities: Vec<Availability>,
    has_fallback: bool,
}

/// Returns the tables that the service can have: one if its size is known. The error says which
/// inputs are unknown. `None` if the scheduler has no table.
pub(super) fn tables(view: &View, service: &Service) -> Option<Result<Vec<Table>, Vec<Missing>>> {
    let scheduler = service.scheduler;
    let entries = view.destinations();
    let owners: Vec<Vec<Option<usize>>> = match scheduler {
        Scheduler::SOURCE_HASHING | Scheduler::DESTINATION_HASHING if view.has_old_hash() => {
            return Some(Err(vec![Missing::OldHash]));
        }
        Scheduler::SOURCE_HASHING => {
            let weights: Vec<_> = entries.iter().map(|entry| entry.destination.weight).collect();
            let sizes = view.sizes().possible_source_bits();
            sizes.map(|bits| plain::by_weight(&weights, bits)).collect()
        }
        Scheduler::DESTINATION_HASHING => {
            vec![plain::in_turn(entries.len(), plain::DESTINATION_BITS)]
        }
        Scheduler::MAGLEV_HASHING => match maglev_owners(view, service) {
            Ok(owners) => owners,
            Err(missing) => return Some(Err(missing)),
        },
        _ => return None,
    };
    let availabilities: Vec<_> = entries.iter().map(|entry| view.availability(entry)).collect();
    // `sh` and `mh` have the same bit for it.
    let has_fallback = scheduler != Scheduler::DESTINATION_HASHING
        && service.flags.contains(ServiceFlags::SH_FALLBACK);
    let table = |owners| {
        let availabilities = availabilities.clone();
        Table { scheduler, owners, availabilities, has_fallback }
    };
    Some(Ok(owners.into_iter().map(table).collect()))
}

fn maglev_owners(view: &View, service: &Service) -> Result<Vec<Vec<Option<usize>>>, Vec<Missing>> {
    let family = service.id.family();
    let entry = |entry: &DestinationEntry| {
        let address = entry.id().address;
        let last_weight = view.maglev_weight(entry)?;
        Some(Entry { folded: fold(address.ip(), family), port: address.port(), last_weight })
    };
    let unknown = |entry: &&DestinationEntry| view.maglev_weight(entry).is_none();
    let unknown = view.destinations().iter().filter(unknown);
    let missing: Vec<_> = unknown.map(|entry| Missing::LastWeight(entry.id())).collect();
    if !missing.is_empty() {
        return Err(missing);
    }
    let entries: Vec<Entry> = view.destinations().iter().filter_map(entry).collect();
    let indexes = view.sizes().possible_maglev_indexes();
    let owners: Option<Vec<_>> = indexes.map(|index| maglev::table(&entries, index)).collect();
    owners.ok_or_else(|| vec![Missing::FormerTable])
}

/// Returns what the scheduler chooses for a packet, or `None` if the scheduler has no table.
pub(super) fn choose(view: &View, service: &Service, packet: Packet) -> Option<Outcome> {
    let tables = match tables(view, service)? {
        Ok(tables) => tables,
        Err(missing) => return Some(Outcome::anything(view, missing)),
    };
    let mut missing = Vec::new();
    if packet.folded.is_none() {
        missing.push(Missing::Address);
    }
    if packet.port.is_none() {
        missing.push(Missing::ClientPort);
    }
    let mut choice = Choice::default();
    for table in &tables {
        choice.join(&table.choose(packet));
    }
    let [table] = tables.as_slice() else {
        missing.push(Missing::TableSize(service.scheduler));
        return Some(Outcome { choice, slot: None, counts: None, missing });
    };
    let slot = table.slot_of(packet).map(|number| {
        let owner = table.owners.get(number).copied().flatten();
        Slot {
            number,
            of: table.owners.len(),
            owner: owner.and_then(|at| view.destinations().get(at)).map(DestinationEntry::id),
            availability: owner
                .and_then(|at| table.availabilities.get(at).copied())
                .unwrap_or(Availability::Quiesced),
        }
    });
    let mut counts = vec![0; view.destinations().len()];
    for owner in table.owners.iter().flatten() {
        if let Some(count) = counts.get_mut(*owner) {
            *count += 1;
        }
    }
    Some(Outcome { choice, slot, counts: Some(counts), missing })
}

impl Outcome {
    /// Every destination that is available, or a refusal.
    fn anything(view: &View, missing: Vec<Missing>) -> Self {
        let mut choice = Choice { refusal: true, ..Choice::default() };
        for (at, entry) in view.destinations().iter().enumerate() {
            let availability = view.availability(entry);
            if matches!(availability, Availability::Available | Availability::Unknown) {
                choice.add(at);
            }
        }
        Self { choice, slot: None, counts: None, missing }
    }
}

impl Table {
    pub(super) fn len(&self) -> usize {
        self.owners.len()
    }

    fn slot_of(&self, packet: Packet) -> Option<usize> {
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

    fn choose(&self, packet: Packet) -> Choice {
        let Some(slot) = self.slot_of(packet) else { return self.any_slot() };
        match (self.scheduler, packet.folded, packet.port) {
            (Scheduler::MAGLEV_HASHING, Some(folded), Some(port)) if self.has_fallback => {
                let probes = maglev::with_fallback(&self.owners, folded, port);
                first_available(probes, &self.availabilities)
            }
            _ => self.at_slot(slot),
        }
    }

    /// What the packets of a slot get, as far as the slot alone tells: not with the fallback of
    /// `mh`, which hashes the client again.
    fn at_slot(&self, slot: usize) -> Choice {
        if self.has_fallback && self.scheduler != Scheduler::MAGLEV_HASHING {
            let probes = plain::with_fallback(&self.owners, slot);
            return first_available(probes, &self.availabilities);
        }
        let owner = self.owners.get(slot).copied().flatten();
        first_available(std::iter::once(owner), &self.availabilities)
    }

    /// What the clients of a slot get: a destination or a refusal. `None` if that differs among
    /// them or is unknown.
    pub(super) fn outcome_of(&self, slot: usize) -> Option<Option<usize>> {
        let choice = self.at_slot(slot);
        let hashed_again = self.has_fallback && self.scheduler == Scheduler::MAGLEV_HASHING;
        match (choice.possible.as_slice(), choice.refusal) {
            ([at], false) => Some(Some(*at)),
            ([], _) if !hashed_again || self.is_empty() => Some(None),
            _ => None,
        }
    }

    /// Whether no slot has an owner that is available or perhaps so.
    fn is_empty(&self) -> bool {
        let choice = self.any_slot();
        choice.possible.is_empty()
    }

    /// What any slot can give.
    fn any_slot(&self) -> Choice {
        let mut choice = Choice::default();
        for owner in &self.owners {
            choice.join(&first_available([*owner], &self.availabilities));
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

//! What `sh`, `dh` and `mh` choose: the slot of a packet in a table.

mod table;

use std::net::IpAddr;
use std::ops::RangeInclusive;

use crate::explain::choice::Choice;
use crate::explain::hashing::fold::fold;
use crate::explain::hashing::plain;
use crate::explain::view::View;
use crate::explain::{Attempt, Availability, Missing, Slot};
use crate::model::{DestinationEntry, Scheduler, Service, ServiceFlags};

pub(super) use table::{SlotOutcome, table};

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

/// Returns whether each destination takes new connections, in the order of the destinations.
pub(super) fn availabilities(view: &View) -> Vec<Availability> {
    view.destinations().iter().map(|entry| view.availability(entry)).collect()
}

/// Returns the sizes that the table of the service can have, one if the size is known. The error
/// says which other inputs are unknown. `None` if the scheduler has no table.
pub(super) fn sizes(
    view: &View,
    service: &Service,
) -> Option<Result<RangeInclusive<u8>, Vec<Missing>>> {
    let scheduler = service.scheduler;
    let hashes_an_address =
        [Scheduler::SOURCE_HASHING, Scheduler::DESTINATION_HASHING].contains(&scheduler);
    Some(match scheduler {
        _ if hashes_an_address && view.has_old_hash() => Err(vec![Missing::OldHash]),
        Scheduler::SOURCE_HASHING => Ok(view.sizes().possible_source_bits()),
        Scheduler::DESTINATION_HASHING => Ok(plain::DESTINATION_BITS..=plain::DESTINATION_BITS),
        Scheduler::MAGLEV_HASHING if view.has_foreign_hash() => Err(vec![Missing::ForeignHash]),
        Scheduler::MAGLEV_HASHING => {
            let unknown = |entry: &&DestinationEntry| view.maglev_weight(entry).is_none();
            let unknown = view.destinations().iter().filter(unknown);
            let missing: Vec<_> = unknown.map(|entry| Missing::LastWeight(entry.id())).collect();
            if missing.is_empty() {
                Ok(view.sizes().possible_maglev_indexes())
            } else {
                Err(missing)
            }
        }
        _ => return None,
    })
}

/// Returns what the scheduler chooses for a packet, or `None` if the scheduler has no table.
pub(super) fn choose(view: &View, service: &Service, packet: Packet) -> Option<Outcome> {
    let sizes = match sizes(view, service)? {
        Ok(sizes) => sizes,
        Err(missing) => return Some(Outcome::anything(view, missing)),
    };
    let mut missing = Vec::new();
    if packet.folded.is_none() {
        missing.push(Missing::Address);
    }
    if packet.port.is_none() {
        missing.push(Missing::ClientPort);
    }
    let availabilities = availabilities(view);
    if sizes.start() == sizes.end() {
        let Some(table) = table(view, service, &availabilities, *sizes.start()) else {
            missing.push(Missing::FormerTable);
            return Some(Outcome::anything(view, missing));
        };
        let slot = table.slot_of(packet).map(|number| table.slot(view, number));
        let counts = Some(table.counts());
        return Some(Outcome { choice: table.choose(packet), slot, counts, missing });
    }
    missing.push(Missing::TableSize(service.scheduler));
    let mut choice = Choice::default();
    for size in sizes {
        // The large tables take millions of bytes: one at a time.
        match table(view, service, &availabilities, size) {
            Some(table) => choice.join(&table.choose(packet)),
            None => return Some(Outcome::anything(view, missing)),
        }
    }
    Some(Outcome { choice, slot: None, counts: None, missing })
}

impl Outcome {
    /// Every destination that is available, or a refusal.
    fn anything(view: &View, missing: Vec<Missing>) -> Self {
        let mut choice = Choice::refused();
        for (at, entry) in view.destinations().iter().enumerate() {
            let availability = view.availability(entry);
            if matches!(availability, Availability::Available | Availability::Unknown) {
                choice.add(at);
            }
        }
        Self { choice, slot: None, counts: None, missing }
    }
}

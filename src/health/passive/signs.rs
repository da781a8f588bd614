use std::collections::BTreeMap;
use std::mem;
use std::time::Instant;

use crate::growth::{DestinationGrowth, Growth, Reading, ServiceGrowth};
use crate::health::passive::connections::States;
use crate::health::passive::{ConnectionCounts, ReadingSchedule, Sign, SignChange};
use crate::model::{
    DestinationId, Forwarding, Protocol, Service, ServiceFlags, ServiceId, Snapshot,
};

/// The fewest connections or packets that are a sign.
const FEW: u64 = 3;

/// So many intervals in a row must be without answers.
const INTERVALS: u32 = 2;

type Place = (ServiceId, DestinationId);

/// Finds signs in successive readings that destinations do not work.
///
/// The [module](super) says what the signs are, and shows how a program reads.
#[derive(Debug, Default)]
pub struct PassiveSigns {
    last: Option<Last>,
    /// The destinations without answers in the last interval.
    silent: BTreeMap<Place, Silence>,
    signs: BTreeMap<Place, Vec<Sign>>,
}

/// What was read last.
#[derive(Debug)]
struct Last {
    table: Snapshot,
    at: Instant,
    /// `None` if the connections were not read.
    states: Option<BTreeMap<Place, States>>,
}

/// Packets that went to a destination without answers.
#[derive(Clone, Copy, Debug, Default)]
struct Silence {
    intervals: u32,
    packets: u64,
}

impl PassiveSigns {
    /// Begins without a reading.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes in a reading, and returns which signs have begun and which are over, in the order of services and
    /// destinations.
    ///
    /// `connections` are all connections at the same time; `None` if they were not read, or not to their
    /// end: then there is no [`Sign::HalfOpen`].
    ///
    /// A reading that comes sooner than [`ReadingSchedule::SHORTEST_INTERVAL`] after the last one is
    /// ignored, because the kernel may not have brought the counters up to date. So is a snapshot that is not
    /// [complete](Snapshot::is_complete), unless the program built it itself.
    pub fn observe(
        &mut self,
        table: Snapshot,
        at: Instant,
        connections: Option<&ConnectionCounts>,
    ) -> Vec<SignChange> {
        let is_torn = !table.is_complete() && table.read_at().is_some();
        let earliest = self.last.as_ref().map(|last| last.at + ReadingSchedule::SHORTEST_INTERVAL);
        if is_torn || earliest.is_some_and(|earliest| at < earliest) {
            return Vec::new();
        }
        let states = connections.map(|connections| connections.by_destination(&table));
        let now = Last { table, at, states };
        let Some(before) = self.last.take() else {
            self.last = Some(now);
            return Vec::new();
        };
        let mut signs = BTreeMap::new();
        let growth =
            Growth::between(Reading::at(&before.table, before.at), Reading::at(&now.table, now.at));
        let mut silent = mem::take(&mut self.silent);
        for service in growth.services() {
            self.judge(&service, [&before, &now], &mut silent, &mut signs);
        }
        self.last = Some(now);
        let old = mem::replace(&mut self.signs, signs);
        changes(&old, &self.signs)
    }

    /// Yields the signs that there are now, in the order of services and destinations.
    pub fn iter(&self) -> impl Iterator<Item = (ServiceId, DestinationId, Sign)> {
        self.signs.iter().flat_map(|(&(service, destination), signs)| {
            signs.iter().map(move |sign| (service, destination, *sign))
        })
    }

    /// Returns the signs of a destination now.
    #[must_use]
    pub fn of(&self, service: ServiceId, destination: DestinationId) -> &[Sign] {
        self.signs.get(&(service, destination)).map_or(&[], Vec::as_slice)
    }

    /// Judges the destinations of a service.
    fn judge(
        &mut self,
        service: &ServiceGrowth<'_>,
        readings: [&Last; 2],
        silent: &mut BTreeMap<Place, Silence>,
        signs: &mut BTreeMap<Place, Vec<Sign>>,
    ) {
        let Some(entry) = service.after() else { return };
        let answers = |it: &DestinationGrowth<'_>| it.grown().least().outgoing_packets > 0;
        let any_answers = service.destinations().any(|it| answers(&it));
        for destination in service.destinations() {
            let place = (service.id(), destination.id());
            let of = readings.map(|it| it.states.as_ref()?.get(&place).copied());
            let half_open = half_open(of, &destination);
            let before = silent.remove(&place).unwrap_or_default();
            let silence = silence(before, &entry.service, any_answers, &destination);
            if silence.intervals > 0 {
                self.silent.insert(place, silence);
            }
            let is_silent = silence.intervals >= INTERVALS && silence.packets >= FEW;
            let no_answers = is_silent.then_some(Sign::NoAnswers { packets: silence.packets });
            let found: Vec<_> = half_open.into_iter().chain(no_answers).collect();
            if !found.is_empty() {
                signs.insert(place, found);
            }
        }
    }
}

/// Says whether connections are opened and none is established, by the states at both readings.
fn half_open(states: [Option<States>; 2], destination: &DestinationGrowth<'_>) -> Option<Sign> {
    let [Some(before), Some(after)] = states else { return None };
    let grown = destination.grown().least();
    let is_growing = grown.connections > 0 || after.half_open > before.half_open;
    let any_answer = before.answered + after.answered + grown.outgoing_packets > 0;
    let is_sign = is_growing && !any_answer && before.half_open > 0 && after.half_open >= FEW;
    is_sign.then_some(Sign::HalfOpen { connections: after.half_open })
}

/// Goes on with the silence of a destination, or ends it.
fn silence(
    before: Silence,
    service: &Service,
    any_answers: bool,
    destination: &DestinationGrowth<'_>,
) -> Silence {
    let (Some(grown), Some(entry)) = (destination.grown().known(), destination.after()) else {
        return Silence::default();
    };
    // What does not pass through this host, the kernel cannot count.
    let passes = entry.destination.forwarding == Forwarding::Masquerade
        && !service.flags.contains(ServiceFlags::ONE_PACKET);
    let is_seen = match service.id {
        _ if !passes => false,
        ServiceId::Address { protocol: Protocol::TCP | Protocol::SCTP, .. } => true,
        _ => any_answers || entry.stats.outgoing_packets > 0,
    };
    if !is_seen || grown.outgoing_packets > 0 || grown.incoming_packets == 0 {
        return Silence::default();
    }
    Silence {
        intervals: before.intervals.saturating_add(1),
        packets: before.packets.saturating_add(grown.incoming_packets),
    }
}

/// Compares signs with those before. Numbers do not count.
fn changes(old: &BTreeMap<Place, Vec<Sign>>, new: &BTreeMap<Place, Vec<Sign>>) -> Vec<SignChange> {
    let missing = |from: &BTreeMap<Place, Vec<Sign>>, place: &Place, sign: &Sign| {
        let there = from.get(place).into_iter().flatten();
        there.map(Sign::name).all(|name| name != sign.name())
    };
    let mut changes = Vec::new();
    for (signs, others, begins) in [(old, new, false), (new, old, true)] {
        for (place, sign) in
            signs.iter().flat_map(|(place, all)| all.iter().map(move |it| (place, it)))
        {
            if missing(others, place, sign) {
                let (service, destination) = *place;
                changes.push(SignChange { service, destination, sign: *sign, begins });
            }
        }
    }
    changes.sort_by_key(|change| (change.service, change.destination));
    changes
}

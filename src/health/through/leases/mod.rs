//! Which mark stands for which pair of a service and a destination, and whether the table has it.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::health::through::{Marks, Pair, PairKey, ThroughError};
use crate::model::{AddressFamily, ServiceId};
use crate::table::controller::{Event, Wish};

/// The checks in a row that wait without a word for the table to have their mark.
const PATIENCE: u32 = 10;

/// The marks in use.
#[derive(Debug)]
pub(crate) struct Leases {
    last: u32,
    /// The first mark that was never used, unless all were.
    fresh: Option<u32>,
    /// The marks that were used before, the longest free one first.
    free: VecDeque<u32>,
    services: BTreeMap<ServiceId, BTreeMap<PairKey, (Pair, u32)>>,
    leases: BTreeMap<ServiceId, Lease>,
}

/// The service of a mark that is wished, or that leaves.
#[derive(Debug)]
struct Lease {
    mark: u32,
    stage: Stage,
    /// How often the table was seen not to have it as wished.
    losses: u64,
    /// The checks in a row that could not begin.
    waits: u32,
    /// The number of checks that run with it.
    flights: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// The table may not have it.
    Wished,
    /// The table has it.
    Serving,
    /// It is to leave as soon as its checks have ended.
    Ending,
    /// It is to leave. Its mark is free when it has left.
    Leaving,
}

/// What is to be wished and to be forgotten.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Changes {
    pub(crate) wishes: Vec<Wish>,
    pub(crate) forgotten: Vec<ServiceId>,
}

/// A check that runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Flight {
    /// The service of the mark.
    pub(crate) service: ServiceId,
    pub(crate) mark: u32,
    pub(crate) pair: Pair,
    losses: u64,
}

impl Lease {
    const fn new(mark: u32, stage: Stage) -> Self {
        Self { mark, stage, losses: 0, waits: 0, flights: 0 }
    }
}

impl Leases {
    /// Returns the leases and what is to be done about what a former run has left.
    pub(crate) fn new(marks: &Marks) -> (Self, Changes) {
        let (first, last) = marks.range.marks().into_inner();
        let (free, services) = (VecDeque::new(), BTreeMap::new());
        let mut leases = Self { last, fresh: Some(first), free, services, leases: BTreeMap::new() };
        let mut changes = Changes::default();
        for leftover in marks.leftovers() {
            let id = leftover.id();
            let ServiceId::Fwmark { mark, .. } = id else { continue };
            leases.leases.insert(id, Lease::new(mark, Stage::Leaving));
            // A wish says how it leaves.
            changes.wishes.push(Wish::new(leftover.clone()).all_at_once());
            changes.forgotten.push(id);
        }
        (leases, changes)
    }

    /// Sets the pairs of a service. Those that were there before keep their marks.
    pub(crate) fn watch(
        &mut self,
        service: ServiceId,
        pairs: BTreeSet<Pair>,
    ) -> Result<Changes, ThroughError> {
        let added: Vec<Pair> = self.added(service, &pairs).copied().collect();
        let before = self.services.get(&service).cloned().unwrap_or_default();
        let marks = self.take(added.len())?;
        let mut changes = Changes::default();
        let mut now = BTreeMap::new();
        for (key, (pair, mark)) in before {
            if pairs.contains(&pair) {
                now.insert(key, (pair, mark));
            } else {
                changes.forgotten.extend(self.release(pair.mark_id(mark)));
            }
        }
        for (pair, mark) in added.into_iter().zip(marks) {
            self.leases.insert(pair.mark_id(mark), Lease::new(mark, Stage::Wished));
            changes.wishes.push(Wish::new(pair.service(mark)).all_at_once());
            now.insert(pair.key(), (pair, mark));
        }
        if now.is_empty() {
            self.services.remove(&service);
        } else {
            self.services.insert(service, now);
        }
        Ok(changes)
    }

    /// Returns the pairs that a service does not have yet.
    fn added<'p>(
        &self,
        service: ServiceId,
        pairs: &'p BTreeSet<Pair>,
    ) -> impl Iterator<Item = &'p Pair> {
        let before = self.services.get(&service);
        let is_kept = move |pair: &Pair| {
            let former = before.and_then(|before| before.get(&pair.key()));
            former.is_some_and(|(former, _)| former == pair)
        };
        pairs.iter().filter(move |pair| !is_kept(pair))
    }

    /// Checks that all these services can be [watched](Self::watch) one after the other. Names the
    /// first one for which no mark is left.
    pub(crate) fn examine(
        &self,
        all: &BTreeMap<ServiceId, BTreeSet<Pair>>,
    ) -> Result<(), (ServiceId, ThroughError)> {
        let free = self.free_marks();
        let (mut needed, mut lacks) = (0, None);
        for (service, pairs) in all {
            needed += self.added(*service, pairs).count();
            if needed > free {
                lacks = lacks.or(Some(*service));
            }
        }
        match lacks {
            Some(service) => Err((service, ThroughError::NotEnoughMarks { needed, free })),
            None => Ok(()),
        }
    }

    /// Returns how many marks can be taken now.
    fn free_marks(&self) -> usize {
        let fresh = self.fresh.map_or(0, |first| {
            let leased = self.leases.values().map(|lease| lease.mark);
            let leased: BTreeSet<u32> = leased.filter(|mark| *mark >= first).collect();
            let all = usize::try_from(self.last - first).unwrap_or(usize::MAX);
            all.saturating_add(1) - leased.len()
        });
        fresh.saturating_add(self.free.len())
    }

    /// Gives the marks of a service back. Returns what is to be forgotten now.
    pub(crate) fn forget(&mut self, service: ServiceId) -> Vec<ServiceId> {
        let pairs = self.services.remove(&service).unwrap_or_default();
        pairs.into_values().filter_map(|(pair, mark)| self.release(pair.mark_id(mark))).collect()
    }

    /// Gives all marks back. Returns what is to be forgotten now.
    pub(crate) fn forget_all(&mut self) -> Vec<ServiceId> {
        let services: Vec<ServiceId> = self.services.keys().copied().collect();
        services.into_iter().flat_map(|service| self.forget(service)).collect()
    }

    /// Takes in what the controller says of a service. Returns `true` if checks that run may have lost
    /// their mark.
    pub(crate) fn event(&mut self, event: &Event) -> bool {
        let lease = event.service().and_then(|id| self.leases.get_mut(&id));
        let Some(lease) = lease else { return false };
        match (event, lease.stage) {
            (Event::Settled(_), Stage::Wished) => lease.stage = Stage::Serving,
            // A confirmed service is written again only if another program has changed it.
            (
                Event::NotServing(_)
                | Event::Done(_)
                | Event::Failed { .. }
                | Event::Unknown { .. }
                | Event::Contested { .. },
                Stage::Serving,
            ) => {
                lease.stage = Stage::Wished;
                lease.losses += 1;
                return true;
            }
            (Event::Left(id), Stage::Leaving) => {
                let mark = lease.mark;
                self.leases.remove(id);
                // A mark that was never used here is still among the fresh ones.
                let was_used = self.fresh.is_none_or(|fresh| mark < fresh);
                if was_used && !self.is_leased(mark) {
                    self.free.push_back(mark);
                }
            }
            _ => {}
        }
        false
    }

    /// Begins a check, if the table has its mark.
    pub(crate) fn begin(
        &mut self,
        service: ServiceId,
        key: PairKey,
    ) -> Result<Flight, ThroughError> {
        let found = self.services.get(&service).and_then(|pairs| pairs.get(&key));
        let (pair, mark) = found.ok_or(ThroughError::TakenBack)?;
        let id = pair.mark_id(*mark);
        let lease = self.leases.get_mut(&id).ok_or(ThroughError::TakenBack)?;
        if lease.stage != Stage::Serving {
            lease.waits = lease.waits.saturating_add(1);
            let is_late = lease.waits > PATIENCE;
            return Err(if is_late { ThroughError::NotServing } else { ThroughError::NotYet });
        }
        lease.waits = 0;
        lease.flights += 1;
        Ok(Flight { service: id, mark: *mark, pair: *pair, losses: lease.losses })
    }

    /// Returns `true` if the table has had the mark ever since the check began.
    pub(crate) fn is_valid(&self, flight: &Flight) -> bool {
        let lease = self.leases.get(&flight.service);
        lease.is_some_and(|lease| lease.stage == Stage::Serving && lease.losses == flight.losses)
    }

    /// Ends a check. Returns the service if it is to be forgotten now.
    pub(crate) fn end(&mut self, flight: &Flight) -> Option<ServiceId> {
        let lease = self.leases.get_mut(&flight.service)?;
        lease.flights = lease.flights.saturating_sub(1);
        if lease.flights > 0 || lease.stage != Stage::Ending {
            return None;
        }
        lease.stage = Stage::Leaving;
        Some(flight.service)
    }

    /// Lets a service leave. Returns it, unless checks run with it that have to end first.
    fn release(&mut self, id: ServiceId) -> Option<ServiceId> {
        let lease = self.leases.get_mut(&id)?;
        lease.stage = if lease.flights > 0 { Stage::Ending } else { Stage::Leaving };
        (lease.flights == 0).then_some(id)
    }

    /// Takes so many marks, or none: those that were never used first.
    fn take(&mut self, needed: usize) -> Result<Vec<u32>, ThroughError> {
        let mut marks = Vec::new();
        let mut fresh = self.fresh;
        while marks.len() < needed {
            let Some(mark) = fresh else { break };
            fresh = mark.checked_add(1).filter(|next| *next <= self.last);
            if !self.is_leased(mark) {
                marks.push(mark);
            }
        }
        let again = needed - marks.len();
        if again > self.free.len() {
            let free = marks.len() + self.free.len();
            return Err(ThroughError::NotEnoughMarks { needed, free });
        }
        marks.extend(self.free.drain(..again));
        self.fresh = fresh;
        Ok(marks)
    }

    fn is_leased(&self, mark: u32) -> bool {
        let families = [AddressFamily::Ipv4, AddressFamily::Ipv6];
        families.iter().any(|family| self.leases.contains_key(&ServiceId::fwmark(mark, *family)))
    }
}

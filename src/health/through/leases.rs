//! Which mark stands for which pair of a service and a destination, and whether the table has it.

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
        let before = self.services.get(&service).cloned().unwrap_or_default();
        let kept = |pair: &Pair| before.get(&pair.key()).filter(|(former, _)| former == pair);
        let added: Vec<Pair> = pairs.iter().filter(|pair| kept(pair).is_none()).copied().collect();
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::health::through::MarkRange;
    use crate::model::{Change, Destination, Service, Snapshot};
    use crate::table::controller::Request;
    use crate::table::{Table, TableService};

    fn leases(last: u32) -> Leases {
        let marks = Marks::new(MarkRange::new(5..=last).unwrap(), &std::iter::empty().collect());
        Leases::new(&marks.unwrap()).0
    }

    const WEB: ServiceId = ServiceId::tcp(std::net::SocketAddr::new(
        std::net::IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 10)),
        80,
    ));

    fn pair(host: u8) -> Pair {
        let server = Destination::masquerade(([10, 0, 0, host], 8080).into());
        Pair::new(WEB, &server, None, false).unwrap()
    }

    fn mark(mark: u32) -> ServiceId {
        ServiceId::fwmark(mark, AddressFamily::Ipv4)
    }

    fn wished(changes: &Changes) -> Vec<ServiceId> {
        changes.wishes.iter().map(Wish::id).collect()
    }

    #[test]
    fn a_pair_keeps_its_mark_and_others_leave_at_once() {
        let mut leases = leases(9);
        let changes = leases.watch(WEB, [pair(1), pair(2)].into()).unwrap();
        assert_eq!(wished(&changes), [mark(5), mark(6)]);
        assert!(changes.wishes.iter().all(|wish| wish.leaves_at_once(pair(1).destination)));
        let changes = leases.watch(WEB, [pair(2), pair(3)].into()).unwrap();
        assert_eq!((wished(&changes), changes.forgotten), (vec![mark(7)], vec![mark(5)]));
        assert_eq!(leases.watch(WEB, [pair(2), pair(3)].into()).unwrap(), Changes::default());
        assert_eq!(leases.forget(WEB), [mark(6), mark(7)]);
        assert_eq!(leases.forget(WEB), []);
    }

    #[test]
    fn another_way_to_a_destination_is_another_pair() {
        let mut leases = leases(9);
        leases.watch(WEB, [pair(1)].into()).unwrap();
        let routed = Destination::direct_route(([10, 0, 0, 1], 8080).into());
        let routed = Pair::new(WEB, &routed, None, false).unwrap();
        let changes = leases.watch(WEB, [routed].into()).unwrap();
        assert_eq!((wished(&changes), changes.forgotten), (vec![mark(6)], vec![mark(5)]));
    }

    #[test]
    fn a_check_begins_only_while_the_table_has_its_mark() {
        let mut leases = leases(9);
        let begin = |leases: &mut Leases| leases.begin(WEB, pair(1).key());
        assert_eq!(begin(&mut leases), Err(ThroughError::TakenBack));
        leases.watch(WEB, [pair(1)].into()).unwrap();
        assert_eq!(begin(&mut leases), Err(ThroughError::NotYet));
        // Only a reading proves that the table has it.
        leases.event(&Event::Serving(mark(5)));
        leases.event(&Event::Settled(mark(6)));
        for _ in 1..PATIENCE {
            assert_eq!(begin(&mut leases), Err(ThroughError::NotYet));
        }
        assert_eq!(begin(&mut leases), Err(ThroughError::NotServing));
        leases.event(&Event::Settled(mark(5)));
        let flight = begin(&mut leases).unwrap();
        assert_eq!((flight.mark, flight.service), (5, mark(5)));
        assert!(leases.is_valid(&flight));
        // It was gone in between, so the check says nothing.
        leases.event(&Event::NotServing(mark(5)));
        assert!(!leases.is_valid(&flight));
        leases.event(&Event::Settled(mark(5)));
        assert!(!leases.is_valid(&flight));
        // Another program had added a server to it.
        let flight = begin(&mut leases).unwrap();
        let deleted = Change::DeleteDestination(mark(5), pair(2).destination);
        leases.event(&Event::Done(deleted));
        assert!(!leases.is_valid(&flight));
        assert_eq!(leases.end(&flight), None);
        leases.event(&Event::Settled(mark(5)));
        let second = begin(&mut leases).unwrap();
        assert!(leases.is_valid(&second));
        // Its last check ends first.
        assert_eq!(leases.watch(WEB, [].into()).unwrap(), Changes::default());
        assert!(!leases.is_valid(&second));
        assert_eq!(begin(&mut leases), Err(ThroughError::TakenBack));
        assert_eq!(leases.end(&flight), None);
        assert_eq!(leases.end(&second), Some(mark(5)));
        assert_eq!(leases.end(&second), None);
    }

    #[test]
    fn a_mark_is_used_again_after_its_service_has_left() {
        let mut leases = leases(6);
        leases.watch(WEB, [pair(1), pair(2)].into()).unwrap();
        leases.event(&Event::Settled(mark(5)));
        let short = ThroughError::NotEnoughMarks { needed: 1, free: 0 };
        let want = |leases: &mut Leases, hosts: &[u8]| {
            leases.watch(WEB, hosts.iter().copied().map(pair).collect())
        };
        assert_eq!(want(&mut leases, &[1, 2, 3]), Err(short.clone()));
        assert_eq!(want(&mut leases, &[2]).unwrap().forgotten, [mark(5)]);
        assert_eq!(want(&mut leases, &[2, 3]), Err(short));
        // An event about the former use.
        leases.event(&Event::Settled(mark(5)));
        leases.event(&Event::Left(mark(6)));
        leases.event(&Event::Left(mark(5)));
        assert_eq!(wished(&want(&mut leases, &[2, 3]).unwrap()), [mark(5)]);
        let begun = leases.begin(WEB, pair(3).key());
        assert_eq!(begun, Err(ThroughError::NotYet));
    }

    #[test]
    fn what_a_former_run_left_leaves_first() {
        let own = |mark| pair(1).service(mark);
        let other = Service::fwmark(6, AddressFamily::Ipv6).scheduler_named("rr").unwrap();
        let table: Table = [own(5), own(6), TableService::new(other)].into_iter().collect();
        let marks = Marks::new(MarkRange::new(5..=7).unwrap(), &Snapshot::from(&table)).unwrap();
        let (mut leases, changes) = Leases::new(&marks);
        let all = [mark(5), mark(6), ServiceId::fwmark(6, AddressFamily::Ipv6)];
        assert_eq!((wished(&changes), &changes.forgotten[..]), (all.to_vec(), &all[..]));
        assert!(changes.wishes.iter().all(|wish| wish.leaves_at_once(pair(1).destination)));
        assert_eq!(wished(&leases.watch(WEB, [pair(1)].into()).unwrap()), [mark(7)]);
        leases.event(&Event::Left(all[1]));
        assert!(leases.watch(WEB, [pair(1), pair(2)].into()).is_err());
        leases.event(&Event::Left(all[2]));
        let changes = leases.watch(WEB, [pair(1), pair(2)].into()).unwrap();
        assert_eq!(wished(&changes), [mark(6)]);
    }

    /// A program with a controller and a table, whose events come late.
    struct Program {
        leases: Leases,
        requests: VecDeque<Request>,
        table: BTreeMap<ServiceId, TableService>,
        events: VecDeque<Event>,
        flights: Vec<Flight>,
    }

    impl Program {
        fn tell(&mut self, changes: Changes) {
            self.requests.extend(changes.wishes.into_iter().map(Request::Wish));
            self.requests.extend(changes.forgotten.into_iter().map(Request::Forget));
        }

        /// The controller takes a request and carries it out.
        fn write(&mut self) {
            match self.requests.pop_front() {
                Some(Request::Wish(wish)) => {
                    let id = wish.id();
                    self.table.insert(id, wish.service().clone());
                    self.events.extend([Event::Serving(id), Event::Settled(id)]);
                }
                Some(Request::Forget(id)) => {
                    self.table.remove(&id);
                    self.events.push_back(Event::Left(id));
                }
                _ => {}
            }
        }

        fn run(&mut self, step: u8, hosts: BTreeSet<u8>) -> Result<(), TestCaseError> {
            match step {
                0..=2 => {
                    let pairs = hosts.into_iter().map(pair).collect();
                    match self.leases.watch(WEB, pairs) {
                        Ok(changes) => self.tell(changes),
                        Err(error) => prop_assert!(
                            matches!(error, ThroughError::NotEnoughMarks { .. }),
                            "{error}"
                        ),
                    }
                }
                3 => {
                    let forgotten = self.leases.forget(WEB);
                    self.tell(Changes { wishes: Vec::new(), forgotten });
                }
                4..=6 => self.write(),
                7..=9 => {
                    if let Some(event) = self.events.pop_front() {
                        self.leases.event(&event);
                    }
                }
                10..=12 => {
                    for host in hosts {
                        self.flights.extend(self.leases.begin(WEB, pair(host).key()));
                    }
                }
                _ => {
                    if let Some(flight) = self.flights.pop() {
                        let forgotten = self.leases.end(&flight).into_iter().collect();
                        self.tell(Changes { wishes: Vec::new(), forgotten });
                    }
                }
            }
            // Whatever runs has its own server in the table, also while its mark is given back.
            for flight in &self.flights {
                let there = self.table.get(&flight.service);
                prop_assert_eq!(there, Some(&flight.pair.service(flight.mark)));
            }
            Ok(())
        }
    }

    proptest! {
        #[test]
        fn a_check_never_meets_another_server(
            steps in prop::collection::vec(
                (0_u8..16, prop::collection::btree_set(1_u8..5, 0..4)),
                1..200,
            ),
        ) {
            let leases = leases(9);
            let (requests, events) = (VecDeque::new(), VecDeque::new());
            let (table, flights) = (BTreeMap::new(), Vec::new());
            let mut program = Program { leases, requests, table, events, flights };
            for (step, hosts) in steps {
                program.run(step, hosts)?;
            }
            // At the end everything leaves, and all marks are free.
            program.run(3, BTreeSet::new())?;
            while !program.flights.is_empty() {
                program.run(15, BTreeSet::new())?;
            }
            while !(program.requests.is_empty() && program.events.is_empty()) {
                program.run(4, BTreeSet::new())?;
                program.run(7, BTreeSet::new())?;
            }
            prop_assert!(program.table.is_empty());
            let all = program.leases.watch(WEB, (1..=5).map(pair).collect());
            prop_assert!(all.is_ok());
        }
    }
}

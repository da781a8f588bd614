//! Marks are given, confirmed and taken back.

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

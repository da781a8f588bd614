//! Whole tables, while others write them.

use crate::engine::Engine;
use crate::engine::tests::changes::service;
use crate::engine::tests::dumps::entry;
use crate::engine::tests::script::{Script, dumped, ready};
use crate::model::{Service, ServiceEntry, ServiceId, ServiceSnapshot, Snapshot, Stats};
use crate::wire::tests::any_report::AnyReport;

fn id(port: u16) -> ServiceId {
    ServiceId::tcp(([192, 0, 2, 10], port).into())
}

fn services(ports: &[u16]) -> Vec<AnyReport> {
    let entry = |port: &u16| ServiceEntry {
        service: Service { id: id(*port), ..service() },
        stats: Stats::default(),
    };
    ports.iter().map(|port| AnyReport::Service(entry(port))).collect()
}

fn destinations(numbers: &[u8]) -> Vec<AnyReport> {
    numbers.iter().map(|number| AnyReport::Destination(entry(*number))).collect()
}

/// The sockets, and what each dump over them reports, by datagram.
struct Table {
    commands: Script,
    dumps: Script,
    engine: Engine<Script>,
}

impl Table {
    fn new() -> Self {
        let (commands, dumps) = (Script::new(), Script::new());
        let mut engine = commands.engine_with(Some(&dumps));
        // As after a service with few destinations.
        engine.few_destinations = true;
        Self { commands, dumps, engine }
    }

    fn services(self, datagrams: &[&[u16]]) -> Self {
        self.commands.then(dumped(datagrams.iter().map(|ports| services(ports)).collect()));
        self
    }

    /// Destinations again, in larger datagrams.
    fn larger(self, datagrams: &[&[u8]]) -> Self {
        self.commands.then(dumped(datagrams.iter().map(|numbers| destinations(numbers)).collect()));
        self
    }

    /// The services again, in smaller datagrams.
    fn again(self, datagrams: &[&[u16]]) -> Self {
        self.dumps.then(dumped(datagrams.iter().map(|ports| services(ports)).collect()));
        self
    }

    fn destinations(self, datagrams: &[&[u8]]) -> Self {
        self.dumps.then(dumped(datagrams.iter().map(|numbers| destinations(numbers)).collect()));
        self
    }

    fn read(self) -> Snapshot {
        self.read_with(Vec::new())
    }

    fn read_with(mut self, known: Vec<ServiceSnapshot>) -> Snapshot {
        let snapshot = ready(self.engine.snapshot_with(known)).unwrap();
        self.commands.assert_finished();
        self.dumps.assert_finished();
        snapshot
    }
}

fn shape(snapshot: &Snapshot) -> Vec<(u16, Vec<u16>)> {
    let port = |service: &ServiceSnapshot| service.entry.service.id.address().unwrap().port();
    let ports = |service: &ServiceSnapshot| {
        let all = service.destinations.iter();
        all.map(|entry| entry.destination.id.address.port()).collect()
    };
    snapshot.services().map(|service| (port(service), ports(service))).collect()
}

#[test]
fn of_services_that_are_known_only_the_list_is_read() {
    let known = Table::new()
        .services(&[&[1, 2, 3]])
        .destinations(&[&[1]])
        .destinations(&[&[2]])
        .destinations(&[&[3]])
        .again(&[&[1, 2, 3]])
        .read();
    let known = known.into_iter().filter(|service| service.entry.service.id != id(2));
    // The third one has gone, the fourth is new, and the second is read again.
    let snapshot = Table::new()
        .services(&[&[1, 2, 4]])
        .destinations(&[&[5]])
        .destinations(&[])
        .again(&[&[1, 2, 4]])
        .read_with(known.collect());
    assert!(snapshot.is_complete());
    assert_eq!(shape(&snapshot), [(1, vec![1]), (2, vec![5]), (4, vec![])]);
}

#[test]
fn a_quiet_table_is_read_once_and_its_services_once_more() {
    let snapshot = Table::new()
        .services(&[&[2, 1]])
        .destinations(&[&[5, 4]])
        .destinations(&[])
        .again(&[&[2, 1]])
        .read();
    assert!(snapshot.is_complete());
    assert_eq!(shape(&snapshot), [(1, vec![4, 5]), (2, vec![])]);
    assert_eq!(snapshot.service(id(1)).unwrap().destinations.len(), 2);
    let named = entry(5).destination.id;
    assert_eq!(snapshot.service(id(1)).unwrap().destination(named), Some(&entry(5)));
    assert!(snapshot.service(id(3)).is_none());
}

#[test]
fn an_empty_table_is_complete() {
    let snapshot = Table::new().services(&[]).again(&[]).read();
    assert!(snapshot.is_complete() && snapshot.is_empty());
}

#[test]
fn what_came_and_went_meanwhile_is_read_and_left_out() {
    let snapshot = Table::new()
        .services(&[&[1, 2]])
        .destinations(&[&[4]])
        .destinations(&[&[5]])
        .again(&[&[2, 3]])
        .services(&[&[2, 3]])
        .destinations(&[&[6]])
        .again(&[&[2, 3]])
        .read();
    assert!(snapshot.is_complete());
    assert_eq!(shape(&snapshot), [(2, vec![5]), (3, vec![6])]);
}

#[test]
fn only_the_last_reading_counts() {
    let came_back = Table::new()
        .services(&[&[1, 2]])
        .destinations(&[])
        .destinations(&[])
        .again(&[&[1]])
        .services(&[&[1]])
        .again(&[&[1, 2]])
        .services(&[&[1, 2]])
        .destinations(&[])
        .again(&[&[1, 2]])
        .read();
    assert!(came_back.is_complete());
    assert_eq!(came_back.len(), 2);
}

#[test]
fn what_was_gone_and_came_back_is_read_anew() {
    let snapshot = Table::new()
        .services(&[&[1, 2]])
        // The first one is gone by now: it has none.
        .destinations(&[])
        .destinations(&[&[5]])
        .again(&[&[2]])
        .services(&[&[1, 2]])
        .destinations(&[&[4]])
        .again(&[&[1, 2]])
        .read();
    assert!(snapshot.is_complete());
    assert_eq!(shape(&snapshot), [(1, vec![4]), (2, vec![5])]);
}

#[test]
fn a_service_that_comes_twice_is_there_once_and_the_one_it_hid_is_found() {
    let snapshot = Table::new()
        .services(&[&[1, 2], &[2]])
        .destinations(&[])
        .destinations(&[])
        .again(&[&[1, 2], &[3]])
        .services(&[&[1, 2], &[3]])
        .destinations(&[&[7]])
        .again(&[&[1, 2], &[3]])
        .read();
    assert!(snapshot.is_complete());
    assert_eq!(shape(&snapshot), [(1, vec![]), (2, vec![]), (3, vec![7])]);
}

#[test]
fn destinations_that_do_not_come_at_once_are_read_until_two_readings_agree() {
    let snapshot = Table::new()
        .services(&[&[1]])
        .destinations(&[&[4, 5], &[5]])
        .larger(&[&[4, 5], &[6]])
        .destinations(&[&[4], &[5, 6]])
        .again(&[&[1]])
        .read();
    assert!(snapshot.is_complete());
    assert_eq!(shape(&snapshot), [(1, vec![4, 5, 6])]);
}

fn up_to(last: u8) -> Vec<u8> {
    (1..=last).collect()
}

fn ports_up_to(last: u16) -> Vec<u16> {
    (1..=last).collect()
}

/// Something before the last one may be deleted after the kernel has filled the datagram and
/// before it looks for what comes next: then it takes the last one for reported.
#[test]
fn a_full_datagram_may_have_left_something_out() {
    // A destination takes 240 bytes here, and the small datagrams have 7872.
    let snapshot = Table::new()
        .services(&[&[1, 2, 3]])
        .destinations(&[&[1]])
        .destinations(&[&up_to(31)])
        .destinations(&[&up_to(32)])
        .larger(&[&up_to(33)])
        .again(&[&[1, 2, 3]])
        .read();
    assert!(snapshot.is_complete());
    let expected = [(1, vec![1]), (2, ports_up_to(31)), (3, ports_up_to(33))];
    assert_eq!(shape(&snapshot), expected);
}

#[test]
fn services_after_one_that_fills_a_small_datagram_are_read_in_large_ones_once() {
    let snapshot = Table::new()
        .services(&[&[1, 2, 3, 4, 5, 6]])
        .destinations(&[&[1]])
        .destinations(&[&up_to(32)])
        .larger(&[&up_to(32)])
        .larger(&[&up_to(66)])
        .larger(&[&up_to(31)])
        .destinations(&[&[1]])
        .destinations(&[&[2]])
        .again(&[&[1, 2, 3, 4, 5, 6]])
        .read();
    assert!(snapshot.is_complete());
    let lengths: Vec<_> = snapshot.services().map(|service| service.destinations.len()).collect();
    assert_eq!(lengths, [1, 32, 66, 31, 1, 1]);
}

#[test]
fn a_new_client_reads_the_destinations_of_one_service_once() {
    for count in [0, 1, 31, 32, 66] {
        let mut table = Table::new().larger(&[&up_to(count)]);
        table.engine.few_destinations = false;
        let read = ready(table.engine.complete_destinations(id(1), None)).unwrap();
        assert_eq!((read.len(), read.is_complete()), (count.into(), true));
        table.commands.assert_finished();
        assert_eq!(table.dumps.sends(), 0);
    }
}

#[test]
fn the_first_datagram_over_a_socket_is_a_small_one() {
    let snapshot = Table::new()
        .services(&[&[1]])
        .destinations(&[&up_to(12)])
        .larger(&[&up_to(13)])
        .again(&[&[1]])
        .read();
    assert!(snapshot.is_complete());
    assert_eq!(shape(&snapshot), [(1, ports_up_to(13))]);
}

#[test]
fn in_larger_datagrams_one_reading_may_do() {
    let snapshot = Table::new()
        .services(&[&[1]])
        .destinations(&[&[4], &[5]])
        .larger(&[&[4, 5, 6]])
        .again(&[&[1]])
        .read();
    assert!(snapshot.is_complete());
    assert_eq!(shape(&snapshot), [(1, vec![4, 5, 6])]);
}

#[test]
fn readings_in_another_order_do_not_agree() {
    let snapshot = Table::new()
        .services(&[&[1, 2]])
        .destinations(&[&[4], &[5]])
        // The second one was deleted and added again.
        .larger(&[&[5], &[4]])
        .destinations(&[&[5], &[4]])
        .destinations(&[])
        // So was this one.
        .again(&[&[2, 1]])
        .services(&[&[2, 1]])
        .again(&[&[2, 1]])
        .read();
    assert!(snapshot.is_complete());
    assert_eq!(shape(&snapshot), [(1, vec![4, 5]), (2, vec![])]);
}

#[test]
fn a_table_that_does_not_settle_is_said_to_be_inconsistent() {
    let mut restless = Table::new();
    for round in 1..=8 {
        restless = restless.services(&[&[round]]).destinations(&[]).again(&[&[round + 1]]);
    }
    let snapshot = restless.read();
    assert!(!snapshot.is_complete());
    assert_eq!(snapshot.len(), 1);

    let mut restless = Table::new().services(&[&[1]]);
    for round in [0, 2, 4, 6] {
        restless = restless.destinations(&[&[round], &[round + 1]]);
        restless = restless.larger(&[&[round + 1], &[round + 2]]);
    }
    let snapshot = restless.again(&[&[1]]).read();
    assert!(!snapshot.is_complete());
    assert_eq!(shape(&snapshot), [(1, vec![7, 8])]);
}

#[test]
fn a_snapshot_says_when_its_services_were_read() {
    let before = std::time::Instant::now();
    let snapshot = Table::new().services(&[]).again(&[]).read();
    let read_at = snapshot.read_at().unwrap();
    assert!(before <= read_at && read_at <= std::time::Instant::now());
}

mod destinations_of {
    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn lists_come_in_the_order_of_the_ids_and_the_services_are_not_read() {
        let mut table = Table::new().destinations(&[&[5, 4]]).destinations(&[]);
        table = table.destinations(&[&[4], &[5]]).larger(&[&[4, 5, 6]]);
        let read = ready(table.engine.destinations_of(&[id(3), id(1), id(2)])).unwrap();
        table.commands.assert_finished();
        table.dumps.assert_finished();
        assert!(read.iter().all(|(_, listing)| listing.is_complete()));
        let read: Vec<_> =
            read.iter().map(|(id, listing)| (*id, listing.iter().map(port).collect())).collect();
        assert_eq!(read, [(id(3), vec![4, 5]), (id(1), vec![]), (id(2), vec![4, 5, 6])]);
    }

    #[test]
    fn each_list_says_by_itself_whether_it_is_complete() {
        let mut table = Table::new().destinations(&[&[1]]);
        for round in [0, 2, 4, 6] {
            table = table.destinations(&[&[round], &[round + 1]]);
            table = table.larger(&[&[round + 1], &[round + 2]]);
        }
        table = table.destinations(&[&[1]]);
        let read = ready(table.engine.destinations_of(&[id(1), id(2), id(3)])).unwrap();
        let complete: Vec<_> = read.iter().map(|(_, listing)| listing.is_complete()).collect();
        assert_eq!(complete, [true, false, true]);
    }

    #[test]
    fn an_id_that_no_message_can_carry_is_an_error() {
        let odd = ServiceId::tcp("[fe80::1%2]:80".parse().unwrap());
        let error = ready(Table::new().engine.destinations_of(&[odd])).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidValue);
    }

    fn port(entry: &crate::model::DestinationEntry) -> u16 {
        entry.id().address.port()
    }
}

mod of_some {
    use rustix::io::Errno;

    use super::*;
    use crate::engine::tests::script::{refused, reported};
    use crate::error::ErrorKind;
    use crate::model::Object;

    impl Table {
        fn one(self, port: u16) -> Self {
            let report = services(&[port]).remove(0);
            self.commands.then(reported(report));
            self
        }

        fn absent(self) -> Self {
            self.commands.then(refused(Errno::SRCH));
            self
        }

        /// The services up to this one again, in smaller datagrams.
        fn all_again(self, last: u16) -> Self {
            let ports = ports_up_to(last);
            self.again(&ports.chunks(20).collect::<Vec<_>>())
        }

        fn read_some(&mut self, ports: impl IntoIterator<Item = u16>) -> Snapshot {
            let ids: Vec<_> = ports.into_iter().map(id).collect();
            let snapshot = ready(self.engine.snapshot_of(&ids)).unwrap();
            self.commands.assert_finished();
            self.dumps.assert_finished();
            snapshot
        }
    }

    #[test]
    fn few_services_are_asked_for_one_by_one_and_missing_ones_left_out() {
        let mut table = Table::new().one(1).destinations(&[&[5, 4]]).absent().one(3);
        table = table.destinations(&[&[6]]);
        let snapshot = table.read_some([3, 1, 2, 3]);
        assert!(snapshot.is_complete());
        assert_eq!(shape(&snapshot), [(1, vec![4, 5]), (3, vec![6])]);
    }

    #[test]
    fn services_read_exactly_are_never_listed() {
        let mut table = Table::new();
        // However many they are, and whatever the last list had.
        table.engine.listed_services = Some(1);
        for port in 1..=100 {
            table = table.one(port).destinations(&[&[1]]);
        }
        let ids: Vec<_> = (1..=100).map(id).collect();
        let read = ready(table.engine.services_exactly(&ids)).unwrap();
        table.commands.assert_finished();
        table.dumps.assert_finished();
        assert!(read.iter().all(|(_, present, complete)| present.is_some() && *complete));
        assert!(read.iter().map(|(id, ..)| *id).eq(ids));
    }

    #[test]
    fn each_service_read_exactly_is_there_or_not_and_complete_or_not() {
        let mut table = Table::new().one(2).destinations(&[&[5, 4]]).absent().one(1);
        for round in [0, 2, 4, 6] {
            table = table.destinations(&[&[round], &[round + 1]]);
            table = table.larger(&[&[round + 1], &[round + 2]]);
        }
        table = table.one(4).destinations(&[]).absent();
        let ids = [id(2), id(3), id(1), id(4)];
        let read = ready(table.engine.services_exactly(&ids)).unwrap();
        table.commands.assert_finished();
        table.dumps.assert_finished();
        let found = read.iter().map(|(id, present, complete)| {
            let destinations = present.as_ref().map(|present| present.destinations.len());
            (*id, destinations, *complete)
        });
        let expected = [
            (id(2), Some(2), true),
            (id(3), None, true),
            (id(1), Some(2), false),
            (id(4), None, true),
        ];
        assert_eq!(found.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn nothing_is_read_for_no_services() {
        let snapshot = Table::new().read_some([]);
        assert!(snapshot.is_empty() && snapshot.is_complete());
    }

    #[test]
    fn a_service_without_destinations_may_have_been_deleted() {
        let mut deleted = Table::new().one(1).destinations(&[]).absent();
        assert!(deleted.read_some([1]).is_empty());
        let mut there = Table::new().one(1).destinations(&[]).one(1);
        assert_eq!(shape(&there.read_some([1])), [(1, vec![])]);
    }

    #[test]
    fn destinations_are_read_until_two_readings_agree_or_too_often() {
        let mut table = Table::new().one(1).destinations(&[&[4, 5], &[5]]).larger(&[&[4, 5, 6]]);
        let snapshot = table.read_some([1]);
        assert!(snapshot.is_complete());
        assert_eq!(shape(&snapshot), [(1, vec![4, 5, 6])]);

        let mut restless = Table::new().one(1);
        for round in [0, 2, 4, 6] {
            restless = restless.destinations(&[&[round], &[round + 1]]);
            restless = restless.larger(&[&[round + 1], &[round + 2]]);
        }
        let snapshot = restless.read_some([1]);
        assert!(!snapshot.is_complete());
        assert_eq!(shape(&snapshot), [(1, vec![7, 8])]);
    }

    #[test]
    fn many_services_are_taken_out_of_the_list_of_all() {
        let all = ports_up_to(90);
        let mut table = Table::new().services(&[&all]);
        for _ in 11..=90 {
            table = table.destinations(&[&[1]]);
        }
        let mut table = table.all_again(90);
        let snapshot = table.read_some(11..=100);
        assert!(snapshot.is_complete());
        assert_eq!(snapshot.len(), 80);
        // Now it is known that there are 90: 30 of them cost less one by one, 31 do not.
        for port in 1..=30 {
            table = table.one(port).destinations(&[&[1]]);
        }
        assert_eq!(table.read_some(1..=30).len(), 30);
        table = table.services(&[&all]);
        for _ in 1..=31 {
            table = table.destinations(&[&[1]]);
        }
        table = table.all_again(90);
        assert_eq!(table.read_some(1..=31).len(), 31);
    }

    #[test]
    fn what_others_do_to_other_services_does_not_matter_in_the_list() {
        let mut table = Table::new().services(&[&ports_up_to(70)]);
        for _ in 1..=65 {
            table = table.destinations(&[&[1]]);
        }
        let mut table = table.all_again(75);
        let snapshot = table.read_some(1..=65);
        assert!(snapshot.is_complete());
        assert_eq!(snapshot.len(), 65);
    }

    #[test]
    fn a_service_of_a_family_that_the_kernel_does_not_have_is_left_out() {
        let table = Table::new();
        table.commands.then(refused(Errno::AFNOSUPPORT));
        let snapshot = table.one(2).destinations(&[&[6]]).read_some([1, 2]);
        assert!(snapshot.is_complete());
        assert_eq!(shape(&snapshot), [(2, vec![6])]);
    }

    #[test]
    fn an_id_that_no_message_can_carry_is_an_error_however_many_there_are() {
        for last in [1, 100] {
            let mut ids: Vec<_> = (1..=last).map(id).collect();
            ids.push(ServiceId::tcp("[fe80::1%2]:80".parse().unwrap()));
            let mut table = Table::new();
            let error = ready(table.engine.snapshot_of(&ids)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidValue);
            assert_eq!(error.object(), ids.last().copied().map(Object::Service));
        }
    }

    #[test]
    fn a_failure_is_an_error() {
        let mut table = Table::new().one(1).destinations(&[&[1]]);
        table.commands.then(refused(Errno::PERM));
        let error = ready(table.engine.snapshot_of(&[id(1), id(2)])).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::PermissionDenied);
    }
}

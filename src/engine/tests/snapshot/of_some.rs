//! Some services by their ids.

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
    let expected =
        [(id(2), Some(2), true), (id(3), None, true), (id(1), Some(2), false), (id(4), None, true)];
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

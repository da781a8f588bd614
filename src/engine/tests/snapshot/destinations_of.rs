//! The destinations of services whose settings are known.

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

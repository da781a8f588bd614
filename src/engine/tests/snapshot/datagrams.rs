//! Which lists are read again, by how full their datagrams are.

use super::*;

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

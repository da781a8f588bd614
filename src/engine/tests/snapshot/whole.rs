//! The services of a table that changes while it is read.

use super::*;

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

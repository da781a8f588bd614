//! Whole tables on a kernel.

use ipvs_netlink::{Change, Destination, ErrorKind, Service, ServiceId};

use super::client::Client;
use super::meanwhile::take_snapshots;
use super::namespace::fresh;

fn service(port: u16) -> Service {
    Service::tcp(([192, 0, 2, 10], port).into())
}

fn server(port: u16) -> Destination {
    Destination::masquerade(([10, 0, 0, 2], port).into())
}

#[test]
fn a_snapshot_is_the_whole_table_in_order() {
    let mut ipvs = fresh();
    let mut changes = Vec::new();
    for port in (1..=300).rev() {
        changes.push(Change::AddService(service(port)));
        for index in 1..=port % 4 {
            changes.push(Change::AddDestination(service(port).id, server(index)));
        }
    }
    for index in 10..=400 {
        changes.push(Change::AddDestination(service(7).id, server(index)));
    }
    ipvs.submit(&changes).into_result().unwrap();
    let snapshot = ipvs.snapshot().unwrap();
    assert!(snapshot.is_complete());
    assert_eq!(snapshot.len(), 300);
    for (port, entry) in (1..).zip(&snapshot) {
        assert_eq!(entry.entry.service, service(port));
        let expected = usize::from(port % 4) + if port == 7 { 391 } else { 0 };
        assert_eq!(entry.destinations.len(), expected);
        assert!(entry.destinations.is_sorted_by_key(|entry| entry.destination.id));
    }
    assert_eq!(ipvs.snapshot().unwrap(), snapshot);
}

#[test]
fn a_snapshot_of_some_services_has_them_and_nothing_else() {
    let mut ipvs = fresh();
    let mut changes = Vec::new();
    for port in 1..=300 {
        changes.push(Change::AddService(service(port)));
        for index in 1..=port % 4 {
            changes.push(Change::AddDestination(service(port).id, server(index)));
        }
    }
    changes.extend((10..=400).map(|index| Change::AddDestination(service(7).id, server(index))));
    ipvs.submit(&changes).into_result().unwrap();
    let all = Client::connect().unwrap().snapshot().unwrap();
    // Read service by service, and by the list of all services.
    for (ids, expected) in [([301, 7, 4, 7].to_vec(), 2), ((200..=400).collect(), 101)] {
        let ids: Vec<_> = ids.into_iter().map(|port| service(port).id).collect();
        let snapshot = ipvs.snapshot_of(&ids).unwrap();
        assert!(snapshot.is_complete());
        assert_eq!(snapshot.len(), expected);
        for entry in &snapshot {
            assert!(ids.contains(&entry.entry.service.id));
            assert_eq!(Some(entry), all.service(entry.entry.service.id));
        }
    }
    assert!(ipvs.snapshot_of(&[]).unwrap().is_empty());
}

#[test]
fn a_service_that_vanishes_while_its_destinations_are_read_ends_the_reading() {
    let mut ipvs = fresh();
    let mut other = Client::connect().unwrap();
    let mut changes = vec![Change::AddService(service(1)), Change::AddService(service(2))];
    changes.extend((1..=700).map(|port| Change::AddDestination(service(1).id, server(port))));
    ipvs.submit(&changes).into_result().unwrap();
    {
        let mut stream = ipvs.stream_destinations(service(1).id).unwrap();
        assert!(stream.next().unwrap().is_ok());
        other.delete_service(service(1).id).unwrap();
        let rest: Vec<_> = stream.collect();
        assert!(rest.len() < 699 && rest.iter().all(Result::is_ok), "{}", rest.len());
    }
    let missing = ipvs.destinations(service(1).id).unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::NoSuchService);
    let snapshot = ipvs.snapshot().unwrap();
    assert!(snapshot.is_complete() && snapshot.len() == 1);
}

#[test]
fn what_stays_is_in_every_consistent_snapshot_while_others_write() {
    let mut ipvs = fresh();
    let stays = |port: &u16| port % 3 == 0;
    let big = ServiceId::tcp(([192, 0, 2, 10], 9999).into());
    let mut changes: Vec<_> = (1..=600).map(|port| Change::AddService(service(port))).collect();
    changes.push(Change::AddService(Service::new(big)));
    changes.extend((1..=300).map(|port| Change::AddDestination(big, server(port))));
    ipvs.submit(&changes).into_result().unwrap();

    let again: Vec<_> = (1..=600)
        .filter(|port| !stays(port))
        .flat_map(|port| {
            [Change::DeleteService(service(port).id), Change::AddService(service(port))]
        })
        .collect();
    take_snapshots(&mut ipvs, &again, |snapshot| {
        let mut ids = (1..=600).filter(stays).map(|port| service(port).id);
        ids.all(|id| snapshot.service(id).is_some())
            && snapshot.service(big).is_some_and(|service| service.destinations.len() == 300)
    });
    let quiet = ipvs.snapshot().unwrap();
    assert!(quiet.is_complete());
    assert_eq!(quiet.len(), 601);
}

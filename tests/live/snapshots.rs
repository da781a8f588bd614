//! Whole tables on a kernel.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use ipvs_netlink::{Change, Destination, ErrorKind, Service, ServiceId};

use crate::client::Client;
use crate::namespace::fresh;

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
    assert!(snapshot.is_consistent());
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
    assert!(snapshot.is_consistent() && snapshot.len() == 1);
}

/// Services and destinations that stay are in every snapshot, once, whatever comes
/// and goes meanwhile.
#[test]
fn what_stays_is_in_every_snapshot_while_others_write() {
    let mut ipvs = fresh();
    let stays = |port: u16| port % 3 == 0;
    let big = ServiceId::tcp(([192, 0, 2, 10], 9999).into());
    let mut changes: Vec<_> = (1..=600).map(|port| Change::AddService(service(port))).collect();
    changes.push(Change::AddService(Service::new(big)));
    changes.extend((1..=300).map(|port| Change::AddDestination(big, server(port))));
    ipvs.submit(&changes).into_result().unwrap();

    let mut writer = Client::connect().unwrap();
    let finished = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !finished.load(Ordering::Relaxed) {
                for port in (1..=600).filter(|port| !stays(*port)) {
                    let id = service(port).id;
                    let again = Change::AddService(service(port));
                    writer.submit(&[Change::DeleteService(id), again]).into_result().unwrap();
                    if port % 10 == 0 {
                        thread::yield_now();
                    }
                }
            }
        });
        for _ in 0..20 {
            let snapshot = ipvs.snapshot().unwrap();
            let ids: Vec<_> = snapshot.services().map(|service| service.entry.service.id).collect();
            assert!(ids.is_sorted_by(|one, next| one < next));
            if snapshot.is_consistent() {
                for port in (1..=600).filter(|port| stays(*port)) {
                    assert!(snapshot.service(service(port).id).is_some(), "{port}");
                }
                assert_eq!(snapshot.service(big).unwrap().destinations.len(), 300);
            }
        }
        finished.store(true, Ordering::Relaxed);
    });
    let quiet = ipvs.snapshot().unwrap();
    assert!(quiet.is_consistent());
    assert_eq!(quiet.len(), 601);
}

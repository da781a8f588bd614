//! Snapshots during heavy change.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use ipvs_netlink::{Change, Client, Snapshot};

use crate::meanwhile::{Ends, take_snapshots};
use crate::{fresh, quiet, server, service};

const SERVICES: u16 = 400;

fn stays(port: &u16) -> bool {
    port % 3 == 0
}

/// Returns changes that delete and add again every service that is not to stay.
fn services_again() -> Vec<Change> {
    let mut changes = Vec::new();
    for port in (1..=SERVICES).filter(|port| !stays(port)) {
        changes.push(Change::DeleteService(service(1, port).id));
        changes.push(Change::AddService(service(1, port)));
        changes.push(Change::AddDestination(service(1, port).id, server(1)));
    }
    changes
}

/// Returns changes that delete and add again the destinations of a service that stays.
fn destinations_again(count: u16) -> Vec<Change> {
    let id = service(2, 1).id;
    let mut changes = Vec::new();
    for port in (1..=count).filter(|port| !stays(port)) {
        changes.push(Change::DeleteDestination(id, server(port).id));
        changes.push(Change::AddDestination(id, server(port)));
    }
    changes
}

/// Returns `true` if the snapshot has every object that existed all the time.
fn has_all_that_stays(snapshot: &Snapshot, destinations: u16) -> bool {
    let mut services = (1..=SERVICES).filter(stays).map(|port| service(1, port).id);
    let mut servers = (1..=destinations).filter(stays).map(|port| server(port).id);
    let Some(service) = snapshot.service(service(2, 1).id) else { return false };
    services.all(|id| snapshot.service(id).is_some())
        && servers.all(|id| service.destination(id).is_some())
}

fn nothing_is_lost(destinations: u16) {
    let mut ipvs = fresh();
    let mut changes = vec![Change::AddService(service(2, 1))];
    changes.extend((1..=SERVICES).map(|port| Change::AddService(service(1, port))));
    let id = service(2, 1).id;
    changes.extend((1..=destinations).map(|port| Change::AddDestination(id, server(port))));
    ipvs.submit(&changes).into_result().unwrap();

    let changes = [services_again(), destinations_again(destinations)].concat();
    take_snapshots(&mut ipvs, &changes, |snapshot| has_all_that_stays(snapshot, destinations));
    let quiet = quiet(&mut ipvs);
    assert!(has_all_that_stays(&quiet, destinations));
    assert_eq!(quiet.len(), usize::from(SERVICES) + 1);
}

#[test]
fn a_consistent_snapshot_lacks_no_service() {
    nothing_is_lost(10);
}

#[test]
fn a_consistent_snapshot_lacks_no_destination_of_a_large_service() {
    nothing_is_lost(300);
}

/// The list has one entry more than a datagram has room for. One deletion at the right time then
/// makes the kernel leave out the last entry.
fn the_last_one_is_not_left_out(destinations: u16) {
    let mut ipvs = fresh();
    let id = service(2, 1).id;
    let mut changes = vec![Change::AddService(service(2, 1))];
    changes.extend((1..=destinations).map(|port| Change::AddDestination(id, server(port))));
    ipvs.submit(&changes).into_result().unwrap();

    let finished = AtomicBool::new(false);
    let mut consistent = 0;
    thread::scope(|scope| {
        let _ends = Ends(&finished);
        let writer = scope.spawn(|| {
            let mut writer = Client::connect().unwrap();
            while !finished.load(Ordering::Relaxed) {
                for change in destinations_again(destinations) {
                    writer.submit(&[change]).into_result().unwrap();
                }
                thread::sleep(Duration::from_millis(5));
            }
        });
        for _ in 0..1000 {
            let snapshot = ipvs.snapshot().unwrap();
            if snapshot.is_complete() {
                consistent += 1;
                let there = snapshot.service(id).unwrap();
                let mut servers = (1..=destinations).filter(stays).map(|port| server(port).id);
                assert!(servers.all(|id| there.destination(id).is_some()), "a silent loss");
            }
            // The first one was added first, so the kernel reports it last.
            ipvs.destination(id, server(3).id).unwrap();
            assert!(!writer.is_finished(), "the writer failed");
        }
    });
    assert!(consistent > 10, "only {consistent} of 1000 were consistent");
}

#[test]
fn the_last_destination_is_not_left_out_of_a_small_datagram() {
    the_last_one_is_not_left_out(23);
}

#[test]
fn the_last_destination_is_not_left_out_of_a_large_datagram() {
    the_last_one_is_not_left_out(92);
}

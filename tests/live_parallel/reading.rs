//! Snapshots during heavy change.

use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use ipvs_netlink::{Change, Client, Snapshot};

use crate::{fresh, quiet, server, service};

const SERVICES: u16 = 400;
const DESTINATIONS: u16 = 300;

fn stays(port: u16) -> bool {
    port % 3 == 0
}

/// Deletes and adds everything that does not stay, until told otherwise.
fn churn(finished: &AtomicBool) {
    let mut writer = Client::connect().unwrap();
    let mut changes = Vec::new();
    for port in (1..=SERVICES).filter(|port| !stays(*port)) {
        changes.push(Change::DeleteService(service(1, port).id));
        changes.push(Change::AddService(service(1, port)));
        changes.push(Change::AddDestination(service(1, port).id, server(1)));
    }
    for port in (1..=DESTINATIONS).filter(|port| !stays(*port)) {
        changes.push(Change::DeleteDestination(service(2, 1).id, server(port).id));
        changes.push(Change::AddDestination(service(2, 1).id, server(port)));
    }
    while !finished.load(Ordering::Relaxed) {
        writer.submit(&changes).into_result().unwrap();
    }
}

fn has_all_that_stays(snapshot: &Snapshot) -> bool {
    let services = (1..=SERVICES).filter(|port| stays(*port));
    let mut servers = (1..=DESTINATIONS).filter(|port| stays(*port));
    let Some(big) = snapshot.service(service(2, 1).id) else { return false };
    services.map(|port| service(1, port).id).all(|id| snapshot.service(id).is_some())
        && servers.all(|port| big.destination(server(port).id).is_some())
}

#[test]
fn a_consistent_snapshot_lacks_nothing_and_none_has_anything_twice() {
    let mut ipvs = fresh();
    let mut changes = vec![Change::AddService(service(2, 1))];
    changes.extend((1..=SERVICES).map(|port| Change::AddService(service(1, port))));
    changes.extend(
        (1..=DESTINATIONS).map(|port| Change::AddDestination(service(2, 1).id, server(port))),
    );
    ipvs.submit(&changes).into_result().unwrap();

    let finished = AtomicBool::new(false);
    let mut consistent = 0;
    let rounds = 60;
    thread::scope(|scope| {
        let writer = scope.spawn(|| churn(&finished));
        for round in 0..rounds {
            let snapshot = ipvs.snapshot().unwrap();
            let services: Vec<_> = snapshot.services().map(|one| one.entry.service.id).collect();
            assert!(services.is_sorted_by(|one, next| one < next), "round {round}");
            for service in &snapshot {
                let ids = service.destinations.iter().map(|entry| entry.destination.id);
                assert!(ids.is_sorted_by(|one, next| one < next), "round {round}");
            }
            if snapshot.is_consistent() {
                consistent += 1;
                assert!(has_all_that_stays(&snapshot), "round {round}: a silent loss");
            }
            assert!(!writer.is_finished(), "the writer failed");
        }
        finished.store(true, Ordering::Relaxed);
    });
    let mut stderr = io::stderr();
    writeln!(stderr, "{consistent} of {rounds} snapshots were consistent").unwrap();
    let quiet = quiet(&mut ipvs);
    assert!(has_all_that_stays(&quiet));
    assert_eq!(quiet.len(), usize::from(SERVICES) + 1);
}

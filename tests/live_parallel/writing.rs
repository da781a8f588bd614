//! Two clients write at once.

use std::sync::Barrier;
use std::thread;

use ipvs_netlink::{Change, Client, ErrorKind, Report};

use crate::{fresh, quiet, server, service};

/// Submits two lists of changes at the same time, each by a client of its own.
fn at_once(changes: [&[Change]; 2]) -> [Report; 2] {
    let barrier = Barrier::new(2);
    let mut clients = [(); 2].map(|()| Client::connect().unwrap());
    let [first, second] = &mut clients;
    let submit = |client: &mut Client, changes: &[Change]| {
        barrier.wait();
        client.submit(changes)
    };
    thread::scope(|scope| {
        let other = scope.spawn(|| submit(second, changes[1]));
        [submit(first, changes[0]), other.join().unwrap()]
    })
}

fn table(host: u8) -> Vec<Change> {
    let mut changes = Vec::new();
    for port in 1..=500 {
        changes.push(Change::AddService(service(host, port)));
        let id = service(host, port).id;
        changes.extend((1..=3).map(|port| Change::AddDestination(id, server(port))));
    }
    changes
}

#[test]
fn different_objects_are_all_written() {
    let mut ipvs = fresh();
    for report in at_once([&table(1), &table(2)]) {
        assert!(report.is_done(), "{:?}", report.failures().next());
        assert_eq!(report.len(), 2000);
    }
    let snapshot = quiet(&mut ipvs);
    assert_eq!(snapshot.len(), 1000);
    assert!(snapshot.services().all(|service| service.destinations.len() == 3));
}

#[test]
fn the_same_object_is_added_and_deleted_by_one_of_them() {
    let mut ipvs = fresh();
    let changes = table(1);
    let deletions: Vec<_> =
        (1..=500).map(|port| Change::DeleteService(service(1, port).id)).collect();
    for _ in 0..5 {
        for (changes, refusals) in [
            (&changes, [ErrorKind::ServiceExists, ErrorKind::DestinationExists]),
            (&deletions, [ErrorKind::NoSuchService; 2]),
        ] {
            let [first, second] = at_once([changes, changes]);
            for (index, (one, other)) in first.outcomes().zip(second.outcomes()).enumerate() {
                assert!(one.is_done() != other.is_done(), "{index}: {one:?} {other:?}");
                let refused = one.error().or(other.error()).unwrap();
                assert!(refusals.contains(&refused.kind()), "{index}: {refused}");
            }
        }
    }
    assert!(quiet(&mut ipvs).is_empty());
}

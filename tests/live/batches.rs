//! Many changes at once.

use ipvs_netlink::{
    Certainty, Change, Destination, Error, ErrorKind, Outcome, Role, Service, ServiceId, SyncDaemon,
};

use super::namespace::{fresh, ip};

fn service(port: u16) -> Service {
    Service::tcp(([192, 0, 2, 10], port).into())
}

fn server(port: u16) -> Destination {
    Destination::masquerade(([10, 0, 0, 2], port).into())
}

fn kinds<'a>(outcomes: impl Iterator<Item = &'a Outcome>) -> Vec<Option<ErrorKind>> {
    outcomes.map(|outcome| outcome.error().map(Error::kind)).collect()
}

#[test]
fn a_table_is_written_in_order_and_read_back() {
    let mut ipvs = fresh();
    let mut changes = Vec::new();
    for port in 1..=200 {
        changes.push(Change::AddService(service(port)));
        for index in 1..=3 {
            changes.push(Change::AddDestination(service(port).id, server(index)));
        }
    }
    let report = ipvs.submit(&changes);
    assert!(report.is_done(), "{:?}", report.failures().next());
    assert_eq!(report.len(), 800);
    assert_eq!(ipvs.services().unwrap().len(), 200);
    for port in [1, 100, 200] {
        assert_eq!(ipvs.destinations(service(port).id).unwrap().len(), 3);
    }
}

#[test]
fn each_refusal_is_reported_at_its_place_and_the_others_are_done() {
    let mut ipvs = fresh();
    let missing = ServiceId::tcp(([192, 0, 2, 99], 1).into());
    let changes = [
        Change::AddService(service(1)),
        Change::AddService(service(1)),
        Change::DeleteService(missing),
        Change::AddDestination(service(1).id, server(1)),
        Change::AddDestination(service(1).id, server(1)),
        Change::DeleteDestination(service(1).id, server(2).id),
        Change::AddService(service(2).scheduler("nosuch".parse().unwrap())),
        Change::AddService(service(3)),
        Change::DeleteService(missing),
    ];
    let report = ipvs.submit(&changes);
    assert_eq!(
        kinds(report.outcomes()),
        [
            None,
            Some(ErrorKind::ServiceExists),
            Some(ErrorKind::NoSuchService),
            None,
            Some(ErrorKind::DestinationExists),
            Some(ErrorKind::NoSuchDestination),
            Some(ErrorKind::UnknownScheduler),
            None,
            Some(ErrorKind::NoSuchService),
        ]
    );
    for failed in report.failures() {
        let error = failed.outcome.error().unwrap();
        assert_eq!(error.object(), changes[failed.index].object());
        assert_eq!(error.certainty(), Some(Certainty::Refused));
    }
    assert_eq!(ipvs.services().unwrap().len(), 2);
}

#[test]
fn every_change_of_every_chunk_may_fail() {
    let mut ipvs = fresh();
    let changes: Vec<_> = (1..=1000).map(|port| Change::DeleteService(service(port).id)).collect();
    let report = ipvs.submit(&changes);
    let expected = vec![Some(ErrorKind::NoSuchService); 1000];
    assert_eq!(kinds(report.outcomes()), expected);
    assert!(ipvs.services().unwrap().is_empty());
}

#[test]
fn one_invalid_change_keeps_all_from_being_sent() {
    let mut ipvs = fresh();
    let changes = [
        Change::AddService(service(1)),
        Change::AddDestination(service(1).id, server(1).weight(u32::MAX)),
        Change::AddService(service(2)),
    ];
    let report = ipvs.submit(&changes);
    let (invalid, others) = (Some(ErrorKind::InvalidValue), Some(ErrorKind::NotAttempted));
    assert_eq!(kinds(report.outcomes()), [others, invalid, others]);
    assert!(report.outcomes().all(|outcome| matches!(outcome, Outcome::NotSent(_))));
    assert!(ipvs.services().unwrap().is_empty());
    assert!(ipvs.submit(&[]).is_empty());
}

#[test]
fn a_batch_that_stops_a_daemon_ends() {
    let mut ipvs = fresh();
    ip("link add d0 type dummy");
    ip("link set d0 up");
    let daemon = SyncDaemon::new(Role::Backup, "d0".parse().unwrap());
    for _ in 0..10 {
        let start = Change::StartDaemon(daemon.clone());
        let report = ipvs.submit(&[start, Change::StopDaemon(Role::Backup)]);
        report.into_result().unwrap();
        let report = ipvs.submit(&[Change::StopDaemon(Role::Backup), Change::ZeroAll]);
        assert_eq!(kinds(report.outcomes()), [Some(ErrorKind::NoSuchDaemon), None]);
    }
}

#[test]
fn a_stream_of_changes_reports_on_each_and_takes_no_more_than_it_is_asked() {
    let mut ipvs = fresh();
    let changes = (1..=500).map(|port| Change::AddService(service(port)));
    let outcomes: Vec<_> = ipvs.submit_stream(changes.clone()).collect();
    assert_eq!(outcomes.len(), 500);
    assert!(outcomes.iter().all(|(_, outcome)| outcome.is_done()));
    assert!(outcomes.into_iter().map(|(change, _)| change).eq(changes.clone()));
    assert_eq!(ipvs.services().unwrap().len(), 500);

    let taken = std::cell::Cell::new(0_usize);
    let deletes = (1..=500_u16).map(|port| {
        taken.set(taken.get() + 1);
        Change::DeleteService(service(port).id)
    });
    assert!(ipvs.submit_stream(deletes).next().unwrap().1.is_done());
    assert_eq!(taken.get(), 64);
    assert_eq!(ipvs.services().unwrap().len(), 500 - 64);
}

#[test]
fn a_chunk_with_an_invalid_change_is_left_out_of_a_stream() {
    let mut ipvs = fresh();
    let changes = (1..=192).map(|port| match port {
        100 => Change::AddService(Service::fwmark(0, ipvs_netlink::AddressFamily::Ipv4)),
        port => Change::AddService(service(port)),
    });
    let outcomes: Vec<_> = ipvs.submit_stream(changes).map(|(_, outcome)| outcome).collect();
    assert_eq!(outcomes.len(), 192);
    let done: Vec<_> = outcomes.iter().map(Outcome::is_done).collect();
    assert_eq!(done, [[true; 64], [false; 64], [true; 64]].concat());
    assert_eq!(outcomes[99].error().unwrap().kind(), ErrorKind::InvalidValue);
    assert_eq!(ipvs.services().unwrap().len(), 128);
}

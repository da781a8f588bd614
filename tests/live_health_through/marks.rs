//! The services of marks: what a former run left, how they leave, how their marks are used again.

use std::thread::sleep;
use std::time::Instant;

use ipvs_netlink::health::Verdict::{Down, Up};
use ipvs_netlink::health::probe::{Probe, RunnerOptions, WatchError};
use ipvs_netlink::health::through::{MarkRange, Marks, ThroughError};
use ipvs_netlink::{AddressFamily, Client, Destination, Forwarding, Scheduler, Service, ServiceId};

use crate::network::Network;
use crate::program::{
    PATIENCE, Program, mark_services, ms, range, table, wait_for_mark_services, watched,
};
use crate::server::serve;
use crate::way::Way;

fn mark(mark: u32) -> ServiceId {
    ServiceId::fwmark(mark, AddressFamily::Ipv4)
}

#[test]
fn only_leftovers_of_checks_are_removed_at_the_start() {
    let network = Network::with_servers(1).unwrap();
    let director = &network.director;
    let mut ipvs = Client::in_namespace_fd(director).unwrap();
    let server = Destination::masquerade(([10, 2, 1, 2], 80).into());
    let own = |mark| Service::fwmark(mark, AddressFamily::Ipv4).scheduler(Scheduler::ROUND_ROBIN);
    for service in [own(0x4000), own(0x4001).one_packet(), own(0x3fff)] {
        ipvs.add_service(&service).unwrap();
        ipvs.add_destination(service.id, &server).unwrap();
    }
    let foreign = own(0x4002).scheduler(Scheduler::WEIGHTED_LEAST_CONNECTION);
    ipvs.add_service(&foreign).unwrap();
    let before = table(director);
    let error = Marks::new(range(), &before).unwrap_err();
    assert_eq!(error.services, [foreign.id]);
    assert!(error.to_string().contains("FWM 16386"), "{error}");
    assert_eq!(table(director).len(), before.len(), "nothing is touched");

    ipvs.delete_service(foreign.id).unwrap();
    let marks = Marks::new(range(), &table(director)).unwrap();
    let program = Program::start(director, RunnerOptions::new().marks(marks));
    assert_eq!(wait_for_mark_services(director, 1), [mark(0x3fff)]);
    program.stop();
    assert_eq!(mark_services(director), [mark(0x3fff)]);
}

#[test]
fn services_leave_at_once_and_their_marks_are_used_again() {
    let network = Network::with_servers(2).unwrap();
    let director = &network.director;
    let way = Way::one(Forwarding::Masquerade, true);
    let _visits = [0, 1].map(|host: usize| serve(&network.servers[host], &[way.server_port()]));
    let range = MarkRange::new(0x4000..=0x4001).unwrap();
    let marks = Marks::new(range, &table(director)).unwrap();
    let program = Program::start(director, RunnerOptions::new().marks(marks));
    let watch = |hosts: &[u8]| {
        let service = way.table(way.service(), hosts);
        program.runner.watch(watched(service, Probe::tcp().through()), None)
    };
    // A mark is free a moment after its service has left.
    let watch_soon = |hosts: &[u8]| {
        let begin = Instant::now();
        while let Err(error) = watch(hosts) {
            assert!(begin.elapsed() < PATIENCE, "{error}");
            sleep(ms(10));
        }
    };
    let destination = |of| {
        let table = table(director);
        let service = table.service(of).unwrap();
        service.destinations.iter().map(|entry| entry.id().address.ip()).collect::<Vec<_>>()
    };
    watch(&[0]).unwrap();
    program.wait_for(&[(way.service(), way.server(0), Up)]);
    assert_eq!(mark_services(director), [mark(0x4000)]);
    watch(&[1]).unwrap();
    program.wait_for(&[(way.service(), way.server(1), Up)]);
    assert_eq!(wait_for_mark_services(director, 1), [mark(0x4001)]);
    assert_eq!(destination(mark(0x4001)), [way.server(1).address.ip()]);
    // The first mark stands for the first server's successor only after its service has left.
    watch_soon(&[0, 1]);
    let both = wait_for_mark_services(director, 2);
    assert_eq!(both, [mark(0x4000), mark(0x4001)]);
    assert_eq!(destination(mark(0x4000)), [way.server(0).address.ip()]);
    match watch(&[0, 1, 2]).unwrap_err() {
        WatchError::Through { error, .. } => {
            assert!(matches!(error, ThroughError::NotEnoughMarks { needed: 1, free: 0, .. }));
        }
        other => panic!("{other}"),
    }
    program.runner.forget(way.service());
    assert_eq!(wait_for_mark_services(director, 0), []);
    watch_soon(&[1]);
    wait_for_mark_services(director, 1);
    program.stop();
    assert_eq!(mark_services(director), []);
}

#[test]
fn checks_say_nothing_while_another_program_has_deleted_their_mark() {
    let network = Network::with_servers(2).unwrap();
    let director = &network.director;
    let way = Way::one(Forwarding::Masquerade, true);
    // The second server does not answer.
    let _visits = serve(&network.servers[0], &[way.server_port()]);
    let marks = Marks::new(range(), &table(director)).unwrap();
    let program = Program::start(director, RunnerOptions::new().marks(marks));
    let service = way.table(way.service(), &[0, 1]);
    program.watch(watched(service, Probe::tcp().through()));
    let expected = [(way.service(), way.server(0), Up), (way.service(), way.server(1), Down)];
    program.wait_for(&expected);
    let mut ipvs = Client::in_namespace_fd(director).unwrap();
    let there = mark_services(director);
    for id in &there {
        ipvs.delete_service(*id).unwrap();
    }
    // The controller finds out, and the checks go on when the table has the marks again.
    program.wait("lost", |said| there.iter().all(|id| said.lost.contains(id)));
    assert_eq!(wait_for_mark_services(director, 2), there);
    program.wait_for_checks(10);
    program.wait_for(&expected);
    program.stop();
}

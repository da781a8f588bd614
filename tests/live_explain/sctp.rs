//! Associations of SCTP.

use std::net::SocketAddr;

use ipvs_netlink::explain::{Attempt, Note, Passed};
use ipvs_netlink::{AddressFamily, Destination, Persistence, Scheduler, Service, ServiceFlags};
use nix::sys::socket::SockProtocol;

use crate::Score;
use crate::standing::{STICKY, set, view};
use crate::traffic::{Call, Town, server};

/// A service with three destinations.
fn service(town: &mut Town, scheduler: Scheduler, persistence: Option<Persistence>) -> Service {
    let mut service = Service::sctp("127.9.0.1:80".parse().unwrap()).scheduler(scheduler);
    service.persistence = persistence;
    service.flags = ServiceFlags::SH_PORT;
    town.ipvs.add_service(&service).unwrap();
    for n in 0..3 {
        let server = Destination::masquerade(server(AddressFamily::Ipv4, n));
        town.ipvs.add_destination(service.id, &server).unwrap();
    }
    service
}

#[test]
fn every_association_goes_where_it_is_said_to_go() {
    let mut town = Town::of(SockProtocol::Sctp);
    let cases = [
        (Scheduler::SOURCE_HASHING, None),
        (Scheduler::MAGLEV_HASHING, None),
        (Scheduler::ROUND_ROBIN, Some(STICKY)),
    ];
    for (case, (scheduler, persistence)) in (0..).zip(cases) {
        let service = service(&mut town, scheduler, persistence);
        let to = service.id.address().unwrap();
        let (mut score, mut templates) = (Score::default(), 0);
        for n in 0..24 {
            let host = if persistence.is_some() { n % 4 } else { n };
            let from = SocketAddr::from(([127, 5, case, host], 3000 + u16::from(n)));
            let attempt = Attempt::new(from.ip(), service.id).client_port(from.port());
            let told = view(&mut town, &service, &attempt).explain(&attempt);
            let text = told.to_string();
            templates += usize::from(text.contains("a template of persistence"));
            score.count(&told, town.visit(&[Call { from, to, mark: None }])[0]);
        }
        score.pass(&format!("SCTP {scheduler}"));
        assert_eq!(templates, if persistence.is_some() { 20 } else { 0 });
        town.ipvs.delete_service(service.id).unwrap();
    }
}

#[test]
fn an_aborted_association_is_scheduled_again() {
    let mut town = Town::of(SockProtocol::Sctp);
    let service = service(&mut town, Scheduler::ROUND_ROBIN, None);
    let (from, to) = ("127.1.2.3:4000".parse().unwrap(), service.id.address().unwrap());
    let call = Call { from, to, mark: None };
    let attempt = Attempt::new(call.from.ip(), service.id).client_port(4000);
    let first = town.visit(&[call])[0].unwrap();
    let told = view(&mut town, &service, &attempt).explain(&attempt);
    assert_eq!(told.notes, [Note::Passed { id: first.into(), why: Passed::Ended }], "{told}");
    town.ipvs.delete_destination(service.id, first.into()).unwrap();
    let told = view(&mut town, &service, &attempt).explain(&attempt);
    let mut score = Score::default();
    let second = town.visit(&[call])[0];
    score.count(&told, second);
    score.pass("SCTP after an abort, with a deleted destination");

    set("conn_reuse_mode", "0");
    let told = view(&mut town, &service, &attempt).explain(&attempt);
    assert_eq!(told.destination(), second.map(Into::into), "{told}");
    assert!(told.to_string().contains("(CLOSED, "), "{told}");
    assert_eq!(town.visit(&[call]), [second]);
}

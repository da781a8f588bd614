//! Persistence and connections that decide before the scheduler.

use std::fs;
use std::time::Duration;

use ipvs_netlink::explain::{Answer, Attempt, Note, Passed, TableSizes, View, Why};
use ipvs_netlink::procfs::Procfs;
use ipvs_netlink::{AddressFamily, Destination, Persistence, Scheduler, Service, ServiceId};

use crate::Score;
use crate::harness::{Budget, Random};
use crate::traffic::{Call, Clients, Town, server, server_at_80};

/// Writes a setting `net.ipv4.vs.*` of the test's namespace.
pub(crate) fn set(name: &str, value: &str) {
    fs::write(format!("/proc/sys/net/ipv4/vs/{name}"), value).unwrap();
}

/// Reads all that the kernel shows about an attempt.
pub(crate) fn view(town: &mut Town, service: &Service, attempt: &Attempt) -> View {
    let destinations = town.ipvs.destinations(service.id).unwrap().into_vec();
    let view = View::new(service, destinations)
        .table_sizes(TableSizes::DEFAULT_BUILD)
        .address_is_local(Some(true))
        .settings(&Procfs::open().unwrap().settings().unwrap());
    let rows = Procfs::open().unwrap().connections().unwrap();
    let rows = rows.map(Result::unwrap).filter(|row| view.concerns(attempt, row)).collect();
    view.connections(rows).other_services(&town.ipvs.snapshot().unwrap())
}

fn check(family: AddressFamily, id: ServiceId, persistence: Persistence) {
    let mut random = Random::new(Budget::new(0).seed);
    let mut town = Town::new();
    let service = Service::new(id).scheduler(Scheduler::SOURCE_HASHING).persistence(persistence);
    town.ipvs.add_service(&service).unwrap();
    for n in 0..3 {
        let server = Destination::masquerade(server_at_80(family, n));
        town.ipvs.add_destination(id, &server).unwrap();
    }
    let mut clients = Clients::new();
    let (mut score, mut templates) = (Score::default(), 0);
    let known: Vec<_> = (0..6).map(|_| clients.next(&mut random, family)).collect();
    let to = id.address().unwrap_or((clients.next(&mut random, family).ip(), 80).into());
    let mark = if let ServiceId::Fwmark { mark, .. } = id { Some(mark) } else { None };
    for round in 0..30_u16 {
        let quiescent = round >= 20;
        set("expire_quiescent_template", if quiescent { "1" } else { "0" });
        if round == 10 {
            // Templates keep their clients with destinations of weight 0.
            town.ipvs.set_weight(id, server_at_80(family, 0).into(), 0).unwrap();
        }
        let mut from = *random.one_of(&known);
        from.set_port(2000 + round);
        let attempt = Attempt::new(from.ip(), id).client_port(from.port()).address(to);
        let told = view(&mut town, &service, &attempt).explain(&attempt);
        if let Answer::Destination { why: Why::Template { expires, .. }, .. } = &told.answer {
            assert!(*expires <= Duration::from_secs(300), "{told}");
            templates += 1;
        }
        score.count(&told, town.visit(&[Call { from, to, mark }])[0]);
    }
    score.pass(&format!("persistent {id}, {templates} by templates"));
    assert!(templates > 8, "{templates}");
}

pub(crate) const STICKY: Persistence = Persistence::new(Duration::from_secs(300));

#[test]
fn templates_keep_their_clients() {
    let v4 = "TCP 127.9.0.1:80".parse().unwrap();
    check(AddressFamily::Ipv4, v4, STICKY);
    check(AddressFamily::Ipv4, v4, STICKY.netmask([255, 192, 0, 0].into()));
    let v6 = "TCP [fd00:9::1]:80".parse().unwrap();
    check(AddressFamily::Ipv6, v6, STICKY.prefix(64));
    check(AddressFamily::Ipv4, ServiceId::fwmark(7, AddressFamily::Ipv4), STICKY);
    check(AddressFamily::Ipv6, ServiceId::fwmark(7, AddressFamily::Ipv6), STICKY);
}

#[test]
fn a_connection_keeps_its_client_and_port() {
    let mut town = Town::new();
    let service = Service::tcp("127.9.0.1:80".parse().unwrap()).scheduler(Scheduler::ROUND_ROBIN);
    town.ipvs.add_service(&service).unwrap();
    for n in 0..3 {
        let server = Destination::masquerade(server(AddressFamily::Ipv4, n));
        town.ipvs.add_destination(service.id, &server).unwrap();
    }
    let call = Call {
        from: "10.1.2.3:4000".parse().unwrap(),
        to: service.id.address().unwrap(),
        mark: None,
    };
    let attempt = Attempt::new(call.from.ip(), service.id).client_port(4000);
    let first = town.visit(&[call])[0].unwrap();
    // The client has reset its connection, which the kernel keeps for ten seconds.
    let told = view(&mut town, &service, &attempt).explain(&attempt);
    assert!(matches!(told.answer, Answer::OneOf { .. }), "{told}");
    assert_eq!(told.notes, [Note::Passed { id: first.into(), why: Passed::Ended }]);
    assert_ne!(town.visit(&[call]), [Some(first)], "the next in turn");

    let first = town.visit(&[call])[0].unwrap();
    set("conn_reuse_mode", "0");
    for _ in 0..3 {
        let told = view(&mut town, &service, &attempt).explain(&attempt);
        assert_eq!(told.destination(), Some(first.into()), "{told}");
        assert_eq!(town.visit(&[call]), [Some(first)]);
    }
    town.ipvs.set_weight(service.id, first.into(), 0).unwrap();
    let told = view(&mut town, &service, &attempt).explain(&attempt);
    assert_eq!(told.notes, [Note::Draining(first.into())]);
    assert_eq!(town.visit(&[call]), [Some(first)]);
    town.ipvs.delete_destination(service.id, first.into()).unwrap();
    let told = view(&mut town, &service, &attempt).explain(&attempt);
    assert!(matches!(told.answer, Answer::Nowhere(_)), "{told}");
    assert_eq!(town.visit(&[call]), [None]);
}

/// A persistent service of a firewall mark does not change the port of packets, so the servers'
/// own ports do not count.
#[test]
fn persistence_by_a_mark_leaves_the_port() {
    let mut town = Town::new();
    let family = AddressFamily::Ipv4;
    let service = Service::fwmark(8, family).persistence(STICKY).scheduler(Scheduler::ROUND_ROBIN);
    town.ipvs.add_service(&service).unwrap();
    let destination = Destination::masquerade(server(family, 1));
    town.ipvs.add_destination(service.id, &destination).unwrap();
    let (from, to) = ("10.1.2.3:4000".parse().unwrap(), "10.4.5.6:80".parse().unwrap());
    let attempt = Attempt::new("10.1.2.3".parse().unwrap(), service.id).address(to);
    let told = view(&mut town, &service, &attempt).explain(&attempt);
    assert_eq!(told.notes, [Note::PortStays { id: destination.id, port: 80 }]);
    let call = Call { from, to, mark: Some(8) };
    assert_eq!(town.visit(&[call]), [Some(server_at_80(family, 1))]);
}

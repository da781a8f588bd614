//! Destinations: every setting survives the way through the kernel.

use std::net::SocketAddr;

use ipvs_netlink::{
    AddressFamily, Destination, ErrorKind, Forwarding, GueChecksum, Service, Tunnel,
};

use super::namespace::fresh;

fn web() -> Service {
    Service::tcp("192.0.2.10:80".parse().unwrap())
}

fn masquerade(address: &str) -> Destination {
    Destination::masquerade(address.parse().unwrap())
}

#[test]
fn every_destination_is_read_back_as_it_was_written() {
    let mut ipvs = fresh();
    let v4 = |last: u8| SocketAddr::from(([10, 0, 0, last], 80));
    let gue = |checksum| Tunnel::Gue { port: 6080, checksum };
    let other_family = "[2001:db8::7]:80".parse().unwrap();
    let destinations = [
        masquerade("10.0.0.1:8080"),
        masquerade("10.0.0.1:0"),
        masquerade("10.0.0.2:80").weight(0),
        masquerade("10.0.0.3:80").weight(i32::MAX.unsigned_abs()),
        masquerade("10.0.0.4:80").thresholds(200, 100),
        masquerade("10.0.0.5:80").thresholds(i32::MAX.unsigned_abs(), 0),
        masquerade("240.0.0.1:80"),
        Destination::direct_route(v4(6)),
        Destination::new(v4(7), Forwarding::LocalNode),
        Destination::new(v4(8), Forwarding::Bypass),
        Destination::tunnel(v4(9), Tunnel::Ipip),
        Destination::tunnel(v4(10), gue(GueChecksum::None)),
        Destination::tunnel(v4(11), gue(GueChecksum::Full)),
        Destination::tunnel(v4(12), gue(GueChecksum::RemoteOffload)),
        Destination::tunnel(v4(13), Tunnel::Gre { checksum: false }),
        Destination::tunnel(v4(14), Tunnel::Gre { checksum: true }),
        Destination::tunnel(other_family, Tunnel::Ipip).weight(5),
    ];
    let web = web();
    ipvs.add_service(&web).unwrap();
    for destination in &destinations {
        ipvs.add_destination(web.id, destination).unwrap();
        let entry = ipvs.destination(web.id, destination.id).unwrap();
        assert_eq!(&entry.destination, destination);
    }
    // The kernel reports the newest first.
    let all = ipvs.destinations(web.id).unwrap();
    let read: Vec<_> = all.iter().rev().map(|entry| entry.destination.clone()).collect();
    assert_eq!(read, destinations);
    let streamed: Result<Vec<_>, _> = ipvs.stream_destinations(web.id).unwrap().collect();
    assert_eq!(streamed.unwrap(), all);
    for destination in &destinations {
        ipvs.delete_destination(web.id, destination.id).unwrap();
    }
    assert!(ipvs.destinations(web.id).unwrap().is_empty());
}

#[test]
fn ipv6_and_fwmark_services_have_destinations_of_their_family() {
    let mut ipvs = fresh();
    let services = [
        (Service::tcp("[2001:db8::1]:80".parse().unwrap()), masquerade("[2001:db8::2]:80")),
        (Service::fwmark(5, AddressFamily::Ipv4), masquerade("10.0.0.1:0")),
        (Service::fwmark(5, AddressFamily::Ipv6), masquerade("[::1]:0")),
    ];
    for (service, destination) in &services {
        ipvs.add_service(service).unwrap();
        ipvs.add_destination(service.id, destination).unwrap();
    }
    for (service, destination) in &services {
        let all = ipvs.destinations(service.id).unwrap();
        assert_eq!(all.len(), 1);
        assert_eq!(&all[0].destination, destination);
    }
}

#[test]
fn an_update_replaces_every_setting() {
    let mut ipvs = fresh();
    let web = web();
    ipvs.add_service(&web).unwrap();
    let tunnel = Tunnel::Gue { port: 6080, checksum: GueChecksum::Full };
    let address = "10.0.0.1:80".parse().unwrap();
    let before = Destination::tunnel(address, tunnel).weight(7).thresholds(10, 5);
    ipvs.add_destination(web.id, &before).unwrap();
    let after = Destination::tunnel(address, Tunnel::Ipip);
    ipvs.update_destination(web.id, &after).unwrap();
    assert_eq!(ipvs.destination(web.id, address.into()).unwrap().destination, after);
}

#[test]
fn changing_the_weight_keeps_tunnel_and_thresholds() {
    let mut ipvs = fresh();
    let web = web();
    ipvs.add_service(&web).unwrap();
    let address = "10.0.0.1:80".parse().unwrap();
    let tunnels = [
        Tunnel::Gue { port: 6080, checksum: GueChecksum::RemoteOffload },
        Tunnel::Gre { checksum: true },
    ];
    for tunnel in tunnels {
        let destination = Destination::tunnel(address, tunnel).weight(7).thresholds(10, 5);
        ipvs.add_destination(web.id, &destination).unwrap();
        ipvs.set_weight(web.id, address.into(), 0).unwrap();
        let entry = ipvs.destination(web.id, address.into()).unwrap();
        assert_eq!(entry.destination, destination.clone().weight(0));
        ipvs.set_weight_of(web.id, &entry, 5).unwrap();
        let entry = ipvs.destination(web.id, address.into()).unwrap();
        assert_eq!(entry.destination, destination.weight(5));
        ipvs.delete_destination(web.id, address.into()).unwrap();
    }
}

#[test]
fn one_setting_is_changed_and_the_others_stay() {
    let mut ipvs = fresh();
    let web = web();
    ipvs.add_service(&web).unwrap();
    let server = masquerade("10.0.0.1:80").weight(7).thresholds(10, 5);
    ipvs.add_destination(web.id, &server).unwrap();
    ipvs.modify_destination(web.id, server.id, |server| server.thresholds.upper = 20).unwrap();
    let entry = ipvs.destination(web.id, server.id).unwrap();
    assert_eq!(entry.destination, server.thresholds(20, 5));
}

#[test]
fn what_the_kernel_stores_beyond_the_canonical_form_is_kept_by_a_change_of_weight() {
    let mut ipvs = fresh();
    let web = web();
    ipvs.add_service(&web).unwrap();
    let address = SocketAddr::from(([10, 0, 0, 1], 80));
    for (method, tunnel) in [(5, (0, 0, 0)), (2, (7, 99, 0x1234)), (2, (1, 6080, 3))] {
        super::raw::add_destination([10, 0, 0, 1], 80, method, tunnel);
        let before = ipvs.destination(web.id, address.into()).unwrap().destination;
        ipvs.set_weight(web.id, address.into(), 9).unwrap();
        let after = ipvs.destination(web.id, address.into()).unwrap().destination;
        assert_eq!(after, before.weight(9));
        match after.forwarding {
            Forwarding::Unknown(unknown) => assert_eq!(unknown.number(), method),
            Forwarding::Tunnel(Tunnel::Unknown(unknown)) => {
                assert_eq!((unknown.kind(), unknown.port(), unknown.flags()), tunnel);
            }
            known => panic!("{known}"),
        }
        ipvs.delete_destination(web.id, address.into()).unwrap();
    }
}

#[test]
fn no_service_is_told_from_no_destinations() {
    let mut ipvs = fresh();
    let web = web();
    let missing = ipvs.destinations(web.id).unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::NoSuchService);
    ipvs.add_service(&web).unwrap();
    assert!(ipvs.destinations(web.id).unwrap().is_empty());
    let missing = ipvs.destination(web.id, masquerade("10.0.0.1:80").id).unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::NoSuchDestination);
}

#[test]
fn more_destinations_than_any_buffer_holds_are_read_whole() {
    let mut ipvs = fresh();
    let web = web();
    ipvs.add_service(&web).unwrap();
    let address = |index: u16| SocketAddr::from(([10, 1, 0, 1], index));
    for index in 1..=700 {
        ipvs.add_destination(web.id, &Destination::masquerade(address(index))).unwrap();
    }
    // The receive buffer grows after the first dump.
    for _ in 0..3 {
        let mut ports: Vec<_> = ipvs
            .destinations(web.id)
            .unwrap()
            .iter()
            .map(|entry| entry.destination.id.address.port())
            .collect();
        ports.sort_unstable();
        assert_eq!(ports, (1..=700).collect::<Vec<_>>());
    }
    assert!(ipvs.stream_destinations(web.id).unwrap().next().is_some());
    assert_eq!(ipvs.destinations(web.id).unwrap().len(), 700);
}

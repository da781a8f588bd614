//! Connections whose rows do not name their service: those of firewall marks and of port 0.

use ipvs_netlink::{AddressFamily, Change, Destination, Service};

use super::tell;
use crate::keys::Key;
use crate::stage::{Stage, WEB, id};
use crate::state::connections::Place;

const MARK: &str = "FWM 7";
const ANY_PORT: &str = "TCP 192.0.2.10:0";

/// The web at port 80; everything else of its address, and a firewall mark for another address.
fn stage() -> Stage {
    let mut stage = Stage::new();
    stage.add(Service::tcp("192.0.2.10:0".parse().unwrap()), &[]);
    stage.add(Service::fwmark(7, AddressFamily::Ipv4), &[(7, 1), (8, 1)]);
    stage.write(destination(ANY_PORT, "10.0.0.5:0"));
    stage.write(destination(MARK, "10.0.0.6:0"));
    stage.read();
    stage
}

fn destination(service: &str, destination: &str) -> Change {
    Change::AddDestination(id(service), Destination::masquerade(destination.parse().unwrap()))
}

/// Clients of the web, of other ports of its address (one port is 22), and of the mark.
const LIST: &str = "\
Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Expires PEName PEData
TCP CB007107 B2C1 C000020A 0050 0A000002 1F90 ESTABLISHED     895
TCP CB007107 B2C2 C000020A 0050 0A000003 1F90 ESTABLISHED     895
TCP CB007107 B2C3 C000020A 0016 0A000005 0016 ESTABLISHED     895
TCP CB007107 B2C4 C000020A 0017 0A000005 0017 TIME_WAIT        54
TCP CB007107 B2C5 CB007155 0050 0A000007 1F90 ESTABLISHED     895
TCP CB007107 B2C6 CB007155 0051 0A000007 1F90 ESTABLISHED     895
TCP CB007107 B2C7 CB007155 0051 0A000006 0051 CLOSE_WAIT       20
IP  CB007107 0000 00000007 0000 0A000006 0000 NONE            299
";

/// The screen of a service with one of its destinations selected, and that of its connections.
fn screens(stage: &mut Stage, service: &str, selected: &str) -> [String; 2] {
    let service = id(service);
    stage.state.service.select(&[service], 0);
    stage.key(Key::Enter);
    let ids = stage.state.destination_ids(service);
    let at = ids.iter().position(|it| *it == selected.parse().unwrap()).unwrap();
    stage.state.destination.select(&ids, at);
    tell(stage, Place { service, destination: None }, LIST);
    let of_service = stage.draw(100, 40);
    stage.key(Key::Enter);
    tell(stage, Place { service, destination: Some(selected.parse().unwrap()) }, LIST);
    let of_destination = stage.draw(100, 40);
    stage.keys("qq");
    [of_service, of_destination]
}

#[test]
fn connections_of_a_firewall_mark_are_shown() {
    let [service, connections] = screens(&mut stage(), MARK, "10.0.0.7:8080");
    assert!(service.contains("\nESTABLISHED 2  CLOSE_WAIT 1\n"), "{service}");
    assert!(service.contains("\n10.0.0.7:8080: ESTABLISHED 2\n"), "{service}");
    assert!(connections.contains("\n2 connections\n"), "{connections}");
    assert_eq!(connections.matches("203.0.113.85:").count(), 2, "{connections}");
    assert!(!service.contains("the kernel does not show"), "{service}");

    // One at port 0 gets what it was sent.
    let [service, connections] = screens(&mut stage(), MARK, "10.0.0.6:0");
    assert!(service.contains("\n10.0.0.6:0: CLOSE_WAIT 1\n"), "{service}");
    let line = "\n1 connection, 1 template of persistence\n";
    assert!(connections.contains(line), "{connections}");
}

#[test]
fn a_service_at_port_0_has_the_ports_that_no_other_service_has() {
    let [service, connections] = screens(&mut stage(), ANY_PORT, "10.0.0.5:0");
    assert!(service.contains("\nESTABLISHED 1  TIME_WAIT 1\n"), "{service}");
    assert!(service.contains("\n10.0.0.5:0: ESTABLISHED 1  TIME_WAIT 1\n"), "{service}");
    assert!(connections.contains("\n2 connections\n"), "{connections}");
    assert!(connections.contains("192.0.2.10:22"), "{connections}");
    assert!(!connections.contains("192.0.2.10:80 "), "{connections}");
}

#[test]
fn what_may_be_of_several_services_is_said_to_be() {
    let mut stage = stage();
    let said = "the kernel does not show which";
    let [service, connections] = screens(&mut stage, WEB, "10.0.0.2:8080");
    assert!(!service.contains(said) && !connections.contains(said), "{service}{connections}");

    stage.write(destination(MARK, "10.0.0.2:8080"));
    stage.read();
    for of in [WEB, MARK] {
        let [service, connections] = screens(&mut stage, of, "10.0.0.2:8080");
        let expected = "\n1 perhaps of another service: the kernel does not show which\n";
        assert!(service.contains(expected), "{service}");
        assert!(connections.contains(expected), "{connections}");
        let at_most = "\n10.0.0.2:8080: ESTABLISHED 1 (1 perhaps of another service)\n";
        assert!(service.contains(at_most), "{service}");
    }
}

#[test]
fn a_service_that_is_gone_has_its_connections_if_rows_show_them() {
    let mut stage = stage();
    let (web, mark) = (id(WEB), id(MARK));
    for service in [web, mark] {
        stage.write(Change::DeleteService(service));
    }
    stage.write(Change::DeleteService(id(ANY_PORT)));
    for (service, shown) in [
        (web, "\nESTABLISHED 2\n"),
        (mark, "not in the table any more: the kernel does not show its connections\n"),
    ] {
        stage.state.service.select(&[service], 0);
        stage.keys("c");
        stage.read();
        let place = Place { service, destination: None };
        tell(&mut stage, place, LIST);
        let drawn = stage.draw(100, 40);
        assert!(drawn.contains(shown), "{drawn}");
        stage.keys("q");
    }
}

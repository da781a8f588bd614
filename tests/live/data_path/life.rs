//! Connections and counters when services and destinations are changed, deleted and added.

use std::io;

use ipvs_netlink::{AddressFamily, Destination, Scheduler, Service, Stats};

use super::{Lab, WEB, answered, eventually, held, id, is_refused, server, tally};

fn web() -> Service {
    Service::tcp(WEB).scheduler(Scheduler::ROUND_ROBIN)
}

#[test]
fn with_weight_0_open_connections_go_on_and_new_ones_go_elsewhere() {
    let mut lab = Lab::with_servers(2);
    let service = lab.add(&web(), &[1, 1]);
    let mut connections = lab.hold(4, WEB);
    assert_eq!(held(&connections), [2, 2]);

    lab.set_weight(service, 0, 0);
    assert_eq!(tally(lab.visit(4, WEB)), [0, 4]);
    for connection in &mut connections {
        assert_eq!(connection.ask().unwrap(), connection.server);
    }
    assert_eq!(lab.entry(service, 0).connections.active, 2);

    let gone = |connection: &&mut _| answered(connection) == 0;
    connections.iter_mut().filter(gone).for_each(|connection| connection.close().unwrap());
    let left = lab.entry(service, 0).connections;
    assert_eq!((left.active, left.inactive), (0, 2));
    lab.ipvs.delete_destination(service, id(0)).unwrap();

    lab.ipvs.set_weight(service, id(1), 0).unwrap();
    assert!(is_refused(&lab.open(WEB)), "nobody is left");
}

#[test]
fn a_server_at_its_upper_threshold_gets_no_more() {
    let mut lab = Lab::with_servers(1);
    let service = lab.add(&web(), &[1]);
    let limit = |upper| move |server: &mut Destination| server.thresholds.upper = upper;
    lab.ipvs.modify_destination(service, id(0), limit(2)).unwrap();
    let connections = lab.hold(2, WEB);
    assert!(is_refused(&lab.open(WEB)));
    assert!(is_refused(&lab.open(WEB)));
    lab.ipvs.modify_destination(service, id(0), limit(0)).unwrap();
    assert_eq!(lab.visit(1, WEB), [0]);
    drop(connections);
}

#[test]
fn without_servers_or_a_service_connections_are_refused() {
    let mut lab = Lab::with_servers(1);
    let service = lab.add(&web(), &[]);
    assert!(is_refused(&lab.open(WEB)));
    lab.ipvs.delete_service(service).unwrap();
    lab.add(&web(), &[1]);
    lab.visit(1, WEB);
    lab.ipvs.delete_service(service).unwrap();
    assert!(is_refused(&lab.open(WEB)));
}

#[test]
fn open_connections_outlive_the_absence_of_their_server_or_service() {
    let mut lab = Lab::with_servers(1);
    // Without any service the kernel does not give packets to IPVS.
    lab.ipvs.add_service(&Service::fwmark(1, AddressFamily::Ipv4)).unwrap();
    let service = lab.add(&web(), &[1]);
    let mut connection = lab.open(WEB).unwrap();

    lab.ipvs.delete_destination(service, id(0)).unwrap();
    lab.ipvs.add_destination(service, &Destination::masquerade(server(0))).unwrap();
    assert_eq!(connection.ask().unwrap(), "0");

    lab.ipvs.delete_service(service).unwrap();
    lab.add(&web(), &[1]);
    assert_eq!(connection.ask().unwrap(), "0");
}

#[test]
fn deleting_the_last_service_breaks_its_open_connections() {
    let mut lab = Lab::with_servers(1);
    let service = lab.add(&web(), &[1]);
    let mut connection = lab.open(WEB).unwrap();
    lab.ipvs.delete_service(service).unwrap();
    assert_eq!(connection.ask().unwrap_err().kind(), io::ErrorKind::ConnectionReset);
}

#[test]
fn the_counters_say_what_went_through() {
    let mut lab = Lab::with_servers(2);
    let service = lab.add(&web(), &[1, 1]);
    lab.visit(6, WEB);
    eventually("both servers' three connections", || {
        (0..2).all(|n| lab.entry(service, n).stats.connections == 3)
    });
    eventually("the service's six", || lab.ipvs.service(service).unwrap().stats.connections == 6);
    eventually("sums", || {
        let Stats { incoming_packets, outgoing_packets, incoming_bytes, outgoing_bytes, .. } =
            lab.ipvs.service(service).unwrap().stats;
        let (first, second) = (lab.entry(service, 0).stats, lab.entry(service, 1).stats);
        incoming_packets == first.incoming_packets + second.incoming_packets
            && outgoing_packets == first.outgoing_packets + second.outgoing_packets
            && incoming_bytes == first.incoming_bytes + second.incoming_bytes
            && outgoing_bytes == first.outgoing_bytes + second.outgoing_bytes
    });
    let stats = lab.entry(service, 0).stats;
    // A connection is opened, asked, answered and closed: 4 to 8 packets each way
    // of 40 to 100 bytes.
    for packets in [stats.incoming_packets, stats.outgoing_packets] {
        assert!((3 * 4..=3 * 8).contains(&packets), "{stats:?}");
    }
    for (packets, bytes) in [
        (stats.incoming_packets, stats.incoming_bytes),
        (stats.outgoing_packets, stats.outgoing_bytes),
    ] {
        assert!((packets * 40..=packets * 100).contains(&bytes), "{stats:?}");
    }
    assert!(stats.incoming_bytes > stats.outgoing_bytes, "questions are longer: {stats:?}");
}

#[test]
fn zeroing_a_service_starts_its_counters_again() {
    let mut lab = Lab::with_servers(1);
    let service = lab.add(&web(), &[1]);
    let connections = |lab: &mut Lab| {
        let server = lab.entry(service, 0).stats.connections;
        (lab.ipvs.service(service).unwrap().stats.connections, server)
    };
    lab.visit(5, WEB);
    eventually("five connections", || connections(&mut lab) == (5, 5));
    lab.ipvs.zero_service(service).unwrap();
    assert_eq!(connections(&mut lab), (0, 0));
    lab.visit(2, WEB);
    eventually("two connections", || connections(&mut lab) == (2, 2));
}

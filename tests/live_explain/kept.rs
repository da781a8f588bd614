//! Connections that the kernel keeps of the same client address and port.

use std::net::SocketAddr;

use ipvs_netlink::explain::{Answer, Attempt, Missing, Note, Passed, Reason, Why};
use ipvs_netlink::{AddressFamily, Destination, Persistence, Scheduler, Service};

use crate::Score;
use crate::namespace::ip;
use crate::standing::{STICKY, set, view};
use crate::traffic::{Call, Town, server, server_at_80};

const CLIENT: &str = "10.1.2.3:4000";

/// A service with three destinations, and the one call of all tests here.
fn scene(persistence: Option<Persistence>) -> (Town, Service, Call) {
    let mut town = Town::new();
    let mut service =
        Service::tcp("127.9.0.1:80".parse().unwrap()).scheduler(Scheduler::ROUND_ROBIN);
    service.persistence = persistence;
    town.ipvs.add_service(&service).unwrap();
    for n in 0..3 {
        let server = Destination::masquerade(server(AddressFamily::Ipv4, n));
        town.ipvs.add_destination(service.id, &server).unwrap();
    }
    let to = service.id.address().unwrap();
    (town, service, Call { from: CLIENT.parse().unwrap(), to, mark: None })
}

fn attempt(service: &Service, call: &Call) -> Attempt {
    Attempt::new(call.from.ip(), service.id).client_port(call.from.port())
}

/// The client has reset its connection to a server that was deleted since. The kernel lets the
/// port be used again before it asks for the server.
#[test]
fn an_ended_connection_to_a_deleted_destination_is_scheduled_again() {
    for mode in ["0", "1", "3"] {
        for nodest in ["0", "1"] {
            let (mut town, service, call) = scene(None);
            set("conn_reuse_mode", mode);
            set("expire_nodest_conn", nodest);
            let first = town.visit(&[call])[0].unwrap();
            town.ipvs.delete_destination(service.id, first.into()).unwrap();
            let told = view(&mut town, &service, &attempt(&service, &call));
            let told = told.explain(&attempt(&service, &call));
            let dropped = (mode, nodest) == ("0", "0");
            let is_gone = matches!(told.answer, Answer::Nowhere(Reason::DestinationGone { .. }));
            assert_eq!(is_gone, dropped, "{told}");
            let mut score = Score::default();
            score.count(&told, town.visit(&[call])[0]);
            score.pass(&format!("ended and deleted, mode {mode}, expire_nodest_conn {nodest}"));
        }
    }
}

/// `expire_nodest_conn` passes over connections to a destination of weight 0, also those of a
/// persistent service. Whether its template still decides says another setting.
#[test]
fn connections_of_persistent_clients_leave_a_quiesced_destination() {
    for mode in ["0", "1"] {
        for quiescent in ["0", "1"] {
            let (mut town, service, call) = scene(Some(STICKY));
            set("conn_reuse_mode", mode);
            set("expire_nodest_conn", "1");
            set("expire_quiescent_template", quiescent);
            let first = town.visit(&[call])[0].unwrap();
            town.ipvs.set_weight(service.id, first.into(), 0).unwrap();
            let told = view(&mut town, &service, &attempt(&service, &call));
            let told = told.explain(&attempt(&service, &call));
            let passed = Note::Passed { id: first.into(), why: Passed::QuiescedConnection };
            assert!(told.notes.contains(&passed), "{told}");
            let by_template =
                matches!(told.answer, Answer::Destination { why: Why::Template { .. }, .. });
            assert_eq!(by_template, quiescent == "0", "{told}");
            let mut score = Score::default();
            score.count(&told, town.visit(&[call])[0]);
            score.pass(&format!("quiesced, mode {mode}, expire_quiescent_template {quiescent}"));
        }
    }
}

/// A service at port 0 has made the connection, and a service at the port takes the packets now.
/// The row does not say so.
#[test]
fn a_connection_of_another_service_keeps_its_destination() {
    for (mode, deleted) in [("0", false), ("0", true), ("1", false), ("1", true)] {
        let mut town = Town::new();
        set("conn_reuse_mode", mode);
        let family = AddressFamily::Ipv4;
        let to: SocketAddr = "127.9.0.1:80".parse().unwrap();
        // Only persistent services work at port 0. Their clients keep their connections.
        let at_port_0 = Service::tcp("127.9.0.1:0".parse().unwrap()).persistence(STICKY);
        town.ipvs.add_service(&at_port_0).unwrap();
        let old = Destination::masquerade(server_at_80(family, 1));
        town.ipvs.add_destination(at_port_0.id, &old).unwrap();
        let call = Call { from: CLIENT.parse().unwrap(), to, mark: None };
        assert_eq!(town.visit(&[call]), [Some(server_at_80(family, 1))]);
        let service = Service::tcp(to).scheduler(Scheduler::ROUND_ROBIN);
        town.ipvs.add_service(&service).unwrap();
        let new = Destination::masquerade(server(family, 2));
        town.ipvs.add_destination(service.id, &new).unwrap();
        if deleted {
            town.ipvs.delete_destination(at_port_0.id, old.id).unwrap();
        }
        let attempt = attempt(&service, &call);
        let told = view(&mut town, &service, &attempt).explain(&attempt);
        let by_service = matches!(
            &told.answer,
            Answer::Undetermined { missing, .. } if missing == &[Missing::FormerService(old.id)]
        );
        assert_eq!(by_service, mode == "1" || !deleted, "{told}");
        let mut score = Score::default();
        score.count(&told, town.visit(&[call])[0]);
        score.pass(&format!("of another service, mode {mode}, deleted {deleted}"));
    }
}

/// Packets of clients on this host come to IPVS whether the address is on this host or not.
#[test]
fn a_client_on_this_host_needs_no_local_address() {
    let mut town = Town::new();
    ip("route add 198.18.0.0/15 dev lo");
    let service = Service::tcp("198.18.0.1:80".parse().unwrap());
    town.ipvs.add_service(&service).unwrap();
    let destination = Destination::masquerade(server(AddressFamily::Ipv4, 1));
    town.ipvs.add_destination(service.id, &destination).unwrap();
    let to = service.id.address().unwrap();
    let call = Call { from: CLIENT.parse().unwrap(), to, mark: None };
    let attempt = attempt(&service, &call);
    let read = view(&mut town, &service, &attempt).address_is_local(Some(false));
    let told = read.client_is_local(Some(true)).explain(&attempt);
    assert_eq!(told.destination(), Some(destination.id), "{told}");
    assert_eq!(town.visit(&[call]), [Some(destination.id.address)]);
}

/// A destination that is deleted and comes back with weight 0 gets no slots of `mh`, though the
/// kernel takes it back from its trash with all its connections.
#[test]
fn a_destination_that_came_back_quiesced_has_no_slots() {
    let mut town = Town::new();
    let family = AddressFamily::Ipv4;
    let service = Service::fwmark(9, family).scheduler(Scheduler::MAGLEV_HASHING);
    town.ipvs.add_service(&service).unwrap();
    let [gone, stays] = [1, 2].map(|n| Destination::masquerade(server(family, n)).weight(5));
    town.ipvs.add_destination(service.id, &gone).unwrap();
    town.ipvs.add_destination(service.id, &stays).unwrap();
    let to = "127.9.0.1:80".parse().unwrap();
    let calls: Vec<Call> = (0..48)
        .map(|n| Call { from: format!("10.7.0.{n}:4000").parse().unwrap(), to, mark: Some(9) })
        .collect();
    let held = town.open(&calls);
    town.ipvs.delete_destination(service.id, gone.id).unwrap();
    town.ipvs.add_destination(service.id, &gone.clone().weight(0)).unwrap();
    let entries = town.ipvs.destinations(service.id).unwrap();
    let back = entries.iter().find(|entry| entry.id() == gone.id).unwrap();
    assert!(back.connections.active > 0, "it was taken back from the trash: {back:?}");
    drop(held);
    let mut score = Score::default();
    let calls: Vec<Call> = calls
        .into_iter()
        .map(|call| Call { from: SocketAddr::new(call.from.ip(), 4001), ..call })
        .collect();
    let told = |call: &Call| {
        let attempt = attempt(&service, call).address(to);
        view(&mut town, &service, &attempt).last_weight(gone.id, 0).explain(&attempt)
    };
    let views: Vec<_> = calls.iter().map(told).collect();
    for (told, server) in views.iter().zip(town.visit(&calls)) {
        assert_eq!(told.destination(), Some(stays.id), "{told}");
        score.count(told, server);
    }
    score.pass("mh with a destination that came back");
}

//! What the table alone shows.

use std::net::SocketAddr;
use std::time::Duration;

use ipvs_netlink::{
    Destination, Forwarding, Role, Scheduler, Service, ServiceFlags, SyncDaemon, Tunnel,
};

use crate::finding::Severity::{Error, Note, Warning};
use crate::patient::{Patient, direct, server, web};

#[test]
fn weight_0_under_schedulers_that_hash() {
    for scheduler in
        [Scheduler::SOURCE_HASHING, Scheduler::MAGLEV_HASHING, Scheduler::DESTINATION_HASHING]
    {
        let mut patient = Patient::with_network();
        patient.add(&web().scheduler(scheduler), &[server(2), server(3)]);
        patient.well("weight-0");
        patient.ipvs.set_weight(web().id, server(2).id, 0).unwrap();
        let evidence = patient.shows("weight-0", Error);
        assert!(evidence.contains("10.0.0.2:8080"), "{evidence}");
        // The fix of sh and mh, and that of dh.
        if scheduler == Scheduler::DESTINATION_HASHING {
            patient.ipvs.delete_destination(web().id, server(2).id).unwrap();
        } else {
            let flags = ServiceFlags::SH_FALLBACK;
            patient.ipvs.update_service(&web().scheduler(scheduler).flags(flags)).unwrap();
        }
        patient.well("weight-0");
    }
}

#[test]
fn weight_0_under_other_schedulers() {
    let mut patient = Patient::with_network();
    patient.add(&web().scheduler(Scheduler::ROUND_ROBIN), &[server(2).weight(0), server(3)]);
    patient.well("weight-0");
}

#[test]
fn ports_that_have_no_effect() {
    let mut patient = Patient::with_network();
    let other = |forwarding| Destination::new(SocketAddr::from(([10, 0, 0, 2], 8080)), forwarding);
    patient.add(&web(), &[direct(3), other(Forwarding::Masquerade)]);
    patient.well("ports");
    for forwarding in [Forwarding::DirectRoute, Forwarding::Tunnel(Tunnel::Ipip)] {
        patient.ipvs.update_destination(web().id, &other(forwarding)).unwrap();
        let evidence = patient.shows("ports", Warning);
        assert!(evidence.contains("10.0.0.2:8080"), "{evidence}");
    }
}

#[test]
fn settings_that_cannot_work() {
    let mut patient = Patient::with_network();
    patient.add(&web(), &[server(2)]);
    patient.well("table");
    patient.add(&Service::tcp(([192, 0, 2, 10], 0).into()), &[server(2)]);
    let evidence = patient.shows("table", Error);
    assert!(evidence.contains("192.0.2.10:0"), "{evidence}");
    let all_ports = Service::tcp(([192, 0, 2, 10], 0).into()).persistent(Duration::from_secs(60));
    patient.ipvs.update_service(&all_ports).unwrap();
    patient.well("table");
    let wrr = web().scheduler(Scheduler::WEIGHTED_ROUND_ROBIN);
    patient.ipvs.update_service(&wrr).unwrap();
    patient.ipvs.add_destination(wrr.id, &server(3).weight(1_000_000)).unwrap();
    let evidence = patient.shows("table", Warning);
    assert!(evidence.contains("far apart"), "{evidence}");
    patient.ipvs.set_weight(wrr.id, server(3).id, 100).unwrap();
    patient.well("table");
}

#[test]
fn destinations_of_the_other_family_and_sync_daemons() {
    let mut patient = Patient::with_network();
    let six = Destination::new(
        "[2001:db8::2]:80".parse::<SocketAddr>().unwrap(),
        Forwarding::Tunnel(Tunnel::Ipip),
    );
    patient.add(&web(), &[direct(2)]);
    patient.well("mixed-families");
    patient.ipvs.add_destination(web().id, &six).unwrap();
    let evidence = patient.shows("mixed-families", Note);
    assert!(evidence.contains("2001:db8::2"), "{evidence}");
    // As the reason says.
    let daemon = SyncDaemon::new(Role::Backup, "eth0".parse().unwrap());
    assert!(patient.ipvs.start_daemon(&daemon).is_err());
    patient.ipvs.delete_destination(web().id, six.id).unwrap();
    patient.well("mixed-families");
    patient.ipvs.start_daemon(&daemon).unwrap();
    assert!(patient.ipvs.add_destination(web().id, &six).is_err());
    patient.ipvs.stop_daemon(Role::Backup).unwrap();
}

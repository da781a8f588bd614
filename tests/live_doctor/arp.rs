//! ARP of real servers and directors.

use std::io;
use std::net::{SocketAddr, TcpListener};

use ipvs_netlink::{Client, Role, Service, SyncDaemon};

use crate::finding::Severity::{Error, Note, Warning};
use crate::network::Network;
use crate::patient::{
    IMPATIENCE, PATIENCE, Patient, connect_in, direct, look_at, network, network_in, none, one,
    set, set_in,
};

#[test]
fn arp_of_a_real_server() {
    let patient = Patient::real_server(false);
    for (check, setting, cure) in
        [("arp-ignore", "arp_ignore", "1"), ("arp-announce", "arp_announce", "2")]
    {
        let evidence = patient.shows(check, Warning);
        assert!(evidence.contains(&format!("{setting} is 0 on eth0")), "{evidence}");
        assert!(evidence.contains("10.0.0.100 on lo"), "{evidence}");
        set(&format!("net/ipv4/conf/eth0/{setting}"), cure);
        patient.well(check);
        set(&format!("net/ipv4/conf/eth0/{setting}"), "0");
        set(&format!("net/ipv4/conf/all/{setting}"), cure);
        patient.well(check);
    }
    set("net/ipv4/conf/all/arp_announce", "1");
    patient.shows("arp-announce", Warning);
    // A standby director that is a real server.
    let mut patient = patient;
    let near = Service::tcp(([10, 0, 0, 100], 80).into());
    patient.add(&near, &[direct(1), direct(2)]);
    patient.well("arp-announce");
    let daemon = SyncDaemon::new(Role::Backup, "eth0".parse().unwrap());
    patient.ipvs.start_daemon(&daemon).unwrap();
    patient.shows("arp-announce", Warning);
    patient.shows("arp-ignore", Note);
    patient.ipvs.stop_daemon(Role::Backup).unwrap();
    patient.shows("arp-ignore", Error);
    patient.ipvs.delete_service(near.id).unwrap();
    // An address that is in no network of this host.
    network(&["address del 10.0.0.100/32 dev lo"]);
    patient.well("arp-announce");
    network(&["address add 192.0.2.99/32 dev lo"]);
    patient.shows("arp-announce", Note);
}

/// A real server answers for the address of another one, and does not with the cure.
#[test]
fn arp_ignore_decides_who_answers() {
    let hosts = Network::with_servers(1).unwrap();
    let vip = std::net::IpAddr::from([10, 2, 1, 100]);
    let real = &hosts.servers[0];
    real.assign("lo", &[]).unwrap();
    network_in(real, &["address add 10.2.1.100/32 dev lo"]);
    let to = SocketAddr::new(vip, 80);
    let _server = real.run(|| TcpListener::bind(to)).unwrap();
    assert_eq!(one(&look_at(real), "arp-ignore").severity, Warning);
    connect_in(&hosts.director, to, PATIENCE).expect("the neighbour has got an answer by ARP");
    set_in(real, "net/ipv4/conf/all/arp_ignore", "1");
    none(&look_at(real), "arp-ignore");
    network_in(&hosts.director, &["neighbour flush all"]);
    assert!(connect_in(&hosts.director, to, IMPATIENCE).is_err());
}

#[test]
fn arp_of_a_director() {
    let hosts = Network::with_servers(0).unwrap();
    let director = &hosts.director;
    let near = SocketAddr::from(([10, 1, 0, 100], 80));
    let mut ipvs = Client::in_namespace_fd(director).unwrap();
    ipvs.add_service(&Service::tcp(near)).unwrap();
    network_in(director, &["address add 10.1.0.100/32 dev lo"]);
    none(&look_at(director), "arp-ignore");
    // A service without a destination refuses, so packets arrive.
    let refused = connect_in(&hosts.client, near, PATIENCE).unwrap_err();
    assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);

    set_in(director, "net/ipv4/conf/client/arp_ignore", "1");
    let finding = one(&look_at(director), "arp-ignore");
    assert_eq!(finding.severity, Error);
    assert!(finding.evidence[0].contains("10.1.0.100 on lo; arp_ignore is 1 on client"));
    network_in(&hosts.client, &["neighbour flush all"]);
    let lost = connect_in(&hosts.client, near, IMPATIENCE).unwrap_err();
    assert_ne!(lost.kind(), io::ErrorKind::ConnectionRefused);
    network_in(director, &["address del 10.1.0.100/32 dev lo"]);
    network_in(director, &["address add 10.1.0.100/24 dev client"]);
    none(&look_at(director), "arp-ignore");
}

//! Addresses and sockets of the host.

use std::net::{TcpListener, UdpSocket};
use std::time::Duration;

use ipvs_netlink::{Client, Destination, Role, Service, SyncDaemon};

use crate::finding::Severity::{Error, Note, Warning};
use crate::network::Network;
use crate::patient::{Patient, VIP, direct, look_at, network, one, server, tunnelled, vs, web};

fn add_vip() {
    network(&[&format!("address add {VIP}/32 dev lo")]);
}

#[test]
fn a_virtual_address_that_is_not_local() {
    let mut patient = Patient::with_network();
    let tunnel = ipvs_netlink::Tunnel::Ipip;
    patient.add(&web(), &[server(2), direct(3), tunnelled(4, tunnel)]);
    let evidence = patient.shows("virtual-address", Error);
    assert!(evidence.contains("direct routing, masquerading, tunnel"), "{evidence}");
    // A standby host.
    patient.ipvs.delete_destination(web().id, tunnelled(4, tunnel).id).unwrap();
    let daemon = SyncDaemon::new(Role::Backup, "eth0".parse().unwrap());
    patient.ipvs.start_daemon(&daemon).unwrap();
    patient.shows("virtual-address", Note);
    patient.ipvs.stop_daemon(Role::Backup).unwrap();
    add_vip();
    patient.well("virtual-address");
    // A whole network can be local, too.
    network(&[&format!("address del {VIP}/32 dev lo")]);
    patient.ill("virtual-address");
    network(&["route add local 192.0.2.0/24 dev lo"]);
    patient.well("virtual-address");
}

#[test]
fn a_program_whose_clients_ipvs_takes() {
    let mut patient = Patient::with_network();
    add_vip();
    patient.add(&web(), &[server(2)]);
    patient.well("shadowed-port");
    let own = TcpListener::bind((VIP, 80)).unwrap();
    let evidence = patient.shows("shadowed-port", Warning);
    assert!(evidence.contains("TCP 192.0.2.10:80 listens"), "{evidence}");
    drop(own);
    for everywhere in ["0.0.0.0:80", "[::]:80"] {
        let _any = TcpListener::bind(everywhere).unwrap();
        patient.shows("shadowed-port", Note);
    }
    // The other protocol, another port, and another address.
    let _others = (UdpSocket::bind((VIP, 80)).unwrap(), TcpListener::bind((VIP, 81)).unwrap());
    let _other = TcpListener::bind("10.0.0.1:80").unwrap();
    patient.well("shadowed-port");
}

#[test]
fn a_service_of_all_ports_takes_ssh() {
    let mut patient = Patient::with_network();
    add_vip();
    let all = Service::tcp(([192, 0, 2, 10], 0).into()).persistent(Duration::from_secs(60));
    patient.add(&all, &[Destination::masquerade(([10, 0, 0, 2], 0).into())]);
    patient.well("shadowed-port");
    let ssh = TcpListener::bind("0.0.0.0:22").unwrap();
    let evidence = patient.shows("shadowed-port", Warning);
    assert!(evidence.contains("TCP 0.0.0.0:22 listens; TCP 192.0.2.10:0"), "{evidence}");
    drop(ssh);
    let _ssh = TcpListener::bind("10.0.0.1:22").unwrap();
    patient.well("shadowed-port");
}

#[test]
fn a_program_that_is_a_destination_is_not_shadowed() {
    let mut patient = Patient::with_network();
    add_vip();
    let _own = TcpListener::bind("0.0.0.0:80").unwrap();
    patient.add(&web(), &[server(2), direct(1)]);
    patient.well("shadowed-port");
    patient.ipvs.delete_destination(web().id, direct(1).id).unwrap();
    patient.ill("shadowed-port");
}

#[test]
fn a_port_that_is_open_at_a_virtual_address() {
    let mut patient = Patient::with_network();
    add_vip();
    patient.add(&web(), &[server(2)]);
    patient.well("open-port");
    let ssh = TcpListener::bind("0.0.0.0:22").unwrap();
    let ntp = UdpSocket::bind("[::]:123").unwrap();
    let _client = UdpSocket::bind("0.0.0.0:40000").unwrap();
    let evidence = patient.shows("open-port", Note);
    assert_eq!(evidence, "192.0.2.10: TCP 22, UDP 123");
    drop((ssh, ntp));
    let _ssh = TcpListener::bind("10.0.0.1:22").unwrap();
    let _balanced = TcpListener::bind("0.0.0.0:80").unwrap();
    patient.well("open-port");
}

#[test]
fn a_loopback_address_as_destination() {
    let hosts = Network::with_servers(0).unwrap();
    let vip = (crate::network::virtual_addresses(0).v4, 80).into();
    let own = |ip: [u8; 4]| Destination::masquerade((ip, 8080).into());
    let mut ipvs = Client::in_namespace_fd(&hosts.director).unwrap();
    let web = Service::tcp(vip);
    ipvs.add_service(&web).unwrap();
    ipvs.add_destination(web.id, &own([127, 0, 0, 1])).unwrap();
    let _server = hosts.director.run(|| TcpListener::bind("0.0.0.0:8080")).unwrap();
    let finding = one(&look_at(&hosts.director), "local-destination");
    assert_eq!(finding.severity, Error);
    // As the reason says: clients of this host are served, others are not.
    let connect = |from: &crate::network::Namespace, patience| {
        from.run(|| std::net::TcpStream::connect_timeout(&vip, patience)).map(drop)
    };
    connect(&hosts.director, Duration::from_secs(20)).unwrap();
    connect(&hosts.client, Duration::from_millis(700)).unwrap_err();
    ipvs.delete_destination(web.id, own([127, 0, 0, 1]).id).unwrap();
    ipvs.add_destination(web.id, &own([10, 1, 0, 1])).unwrap();
    connect(&hosts.client, Duration::from_secs(20)).unwrap();
    assert_eq!(one(&look_at(&hosts.director), "local-destination").severity, Note);
}

#[test]
fn a_standby_host_that_balances_again() {
    let mut patient = Patient::with_network();
    patient.add(&web(), &[direct(2)]);
    patient.well("local-destination");
    patient.ipvs.add_destination(web().id, &direct(1)).unwrap();
    patient.shows("local-destination", Note);
    let daemon = SyncDaemon::new(Role::Backup, "eth0".parse().unwrap());
    patient.ipvs.start_daemon(&daemon).unwrap();
    let evidence = patient.shows("local-destination", Warning);
    assert!(evidence.contains("10.0.0.1:80"), "{evidence}");
    vs("backup_only", "1");
    patient.shows("local-destination", Note);
    patient.ipvs.stop_daemon(Role::Backup).unwrap();
}

//! Settings of IPVS, and what they do to clients.

use std::io::Read as _;
use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use ipvs_netlink::{Destination, Scheduler, Service, Setting, Timeouts};

use crate::finding::Severity::{Note, Warning};
use crate::patient::{self, Patient, direct, dns, look, one, server, set, vs, web};

/// A service that needs no interface but the loopback.
fn local() -> Service {
    Service::tcp(([127, 0, 0, 80], 80).into()).scheduler(Scheduler::ROUND_ROBIN)
}

fn at(port: u16) -> Destination {
    Destination::masquerade(([127, 0, 0, 1], port).into())
}

/// Connects from a port of the client's choice.
fn connect_from(port: u16) -> std::io::Result<std::net::TcpStream> {
    patient::connect_from(([127, 0, 0, 1], port).into(), ([127, 0, 0, 80], 80).into())
}

#[test]
fn conn_reuse_mode_0_sends_an_old_port_to_a_drained_server() {
    let mut patient = Patient::new();
    let servers =
        [8001, 8002].map(|port| std::net::TcpListener::bind(("127.0.0.1", port)).unwrap());
    patient.add(&local(), &[at(8001), at(8002)]);
    patient.well("conn-reuse-mode");
    vs("conn_reuse_mode", "0");
    patient.shows("conn-reuse-mode", Warning);

    for server in &servers {
        server.set_nonblocking(true).unwrap();
    }
    // Either listener, as soon as the kernel has told it of the connection.
    let accepted_by = |at: SocketAddr| {
        let accepted =
            || servers.iter().position(|server| server.accept().is_ok_and(|(_, peer)| peer == at));
        patient::soon(accepted).expect("no server has accepted the client")
    };
    // The server closes first, so that the client's port is free at once.
    let visit = |mode: &str, port: u16| {
        vs("conn_reuse_mode", mode);
        let client = connect_from(port).unwrap();
        let which = accepted_by(client.local_addr().unwrap());
        assert_eq!((&client).read(&mut [0]).unwrap(), 0, "the server closes");
        which
    };
    for (mode, stays) in [("0", true), ("1", false)] {
        let port = 4000 + u16::from(stays);
        let first = visit(mode, port);
        let drained = at(if first == 0 { 8001 } else { 8002 }).id;
        patient.ipvs.set_weight(local().id, drained, 0).unwrap();
        assert_eq!(visit(mode, port) == first, stays, "conn_reuse_mode {mode}");
        patient.ipvs.set_weight(local().id, drained, 1).unwrap();
    }
    patient.well("conn-reuse-mode");
}

#[test]
fn conn_reuse_mode_and_drains_by_direct_routing() {
    let mut patient = Patient::with_network();
    patient.add(&web(), &[direct(2), direct(3)]);
    patient.well("conn-reuse-mode");
    patient.ipvs.set_weight(web().id, direct(2).id, 0).unwrap();
    patient.shows("conn-reuse-mode", Note);
    vs("conn_reuse_mode", "3");
    patient.well("conn-reuse-mode");
    vs("conn_reuse_mode", "1");
    vs("expire_nodest_conn", "1");
    patient.well("conn-reuse-mode");
}

#[test]
fn expire_nodest_conn() {
    let mut patient = Patient::with_network();
    patient.well("expire-nodest-conn");
    patient.add(&web(), &[server(2)]);
    let evidence = patient.shows("expire-nodest-conn", Note);
    assert!(evidence.contains("TCP 192.0.2.10:80"), "{evidence}");
    patient.add(&dns(), &[server(2)]);
    patient.shows("expire-nodest-conn", Warning);
    vs("expire_nodest_conn", "1");
    patient.well("expire-nodest-conn");
}

#[test]
fn persistence_and_drains() {
    let mut patient = Patient::new();
    let _servers =
        [8001, 8002].map(|port| std::net::TcpListener::bind(("127.0.0.1", port)).unwrap());
    patient.add(&local(), &[at(8001), at(8002)]);
    patient.well("expire-quiescent-template");
    patient.ipvs.update_service(&local().persistent(Duration::from_secs(300))).unwrap();
    let evidence = patient.shows("expire-quiescent-template", Note);
    assert!(evidence.contains("persistent 300"), "{evidence}");
    patient.well("persistent-drain");

    let drained = |patient: &mut Patient| {
        let all = patient.ipvs.destinations(local().id).unwrap();
        all.iter().find(|it| it.connections.persistent > 0).unwrap().destination.clone()
    };
    connect_from(5000).unwrap();
    let first = drained(&mut patient);
    patient.ipvs.set_weight(local().id, first.id, 0).unwrap();
    let evidence = patient.shows("persistent-drain", Warning);
    assert!(evidence.contains("1 template of 300 s"), "{evidence}");
    patient.well("expire-quiescent-template");
    let sent =
        |patient: &mut Patient| patient.ipvs.destination(local().id, first.id).unwrap().connections;
    let before = sent(&mut patient);
    connect_from(5001).unwrap();
    let after = sent(&mut patient);
    assert!(after.active + after.inactive > before.active + before.inactive, "the drain goes on");
    vs("expire_quiescent_template", "1");
    patient.well("persistent-drain");
    connect_from(5002).unwrap();
    let cured = sent(&mut patient);
    assert_eq!(cured.active + cured.inactive, after.active + after.inactive);
    patient.well("expire-quiescent-template");
}

#[test]
fn sloppy_tcp_with_schedulers_that_do_not_hash() {
    let mut patient = Patient::with_network();
    patient.add(&web().scheduler(Scheduler::ROUND_ROBIN), &[server(2)]);
    patient.well("sloppy-tcp");
    vs("sloppy_tcp", "1");
    let evidence = patient.shows("sloppy-tcp", Warning);
    assert!(evidence.contains("TCP 192.0.2.10:80 rr"), "{evidence}");
    patient.ipvs.set_scheduler(web().id, Scheduler::SOURCE_HASHING).unwrap();
    patient.well("sloppy-tcp");
}

/// The claim of the finding: the packet of an unknown connection goes to another server.
#[test]
fn sloppy_tcp_sends_a_running_connection_to_another_server() {
    use std::io::Write as _;
    let mut patient = Patient::new();
    let servers =
        [8001, 8002].map(|port| std::net::TcpListener::bind(("127.0.0.1", port)).unwrap());
    patient.add(&local(), &[at(8001), at(8002)]);
    // IPVS forgets the connection.
    patient.ipvs.set_timeouts(Timeouts::default().tcp(Duration::from_secs(1))).unwrap();
    vs("sloppy_tcp", "1");
    let mut client = connect_from(6000).unwrap();
    let connections = |patient: &mut Patient| {
        let all = patient.ipvs.destinations(local().id).unwrap();
        all.iter().map(|it| it.connections.active + it.connections.inactive).collect::<Vec<_>>()
    };
    let first = connections(&mut patient);
    assert_eq!(first.iter().sum::<u32>(), 1);
    while connections(&mut patient).iter().sum::<u32>() > 0 {
        std::thread::sleep(Duration::from_millis(50));
    }
    client.write_all(b"more").unwrap();
    let second = connections(&mut patient);
    assert_eq!(second.iter().sum::<u32>(), 1, "a connection from a packet without SYN");
    assert_ne!(first, second, "of another server");
    drop(servers);
}

#[test]
fn run_estimation() {
    let mut patient = Patient::with_network();
    patient.add(&web(), &[server(2)]);
    patient.well("run-estimation");
    vs("run_estimation", "0");
    patient.shows("run-estimation", Warning);
    vs("run_estimation", "1");
    patient.well("run-estimation");
    if look().vs.get(Setting::EST_CPULIST).is_some() {
        vs("est_cpulist", "\n");
        patient.shows("run-estimation", Warning);
        vs("est_cpulist", "0");
        patient.well("run-estimation");
    }
}

/// Returns how many tracked connections are to the virtual address.
fn tracked() -> usize {
    let all = std::fs::read_to_string("/proc/thread-self/net/nf_conntrack").unwrap();
    all.lines().filter(|line| line.contains("dst=127.0.0.80")).count()
}

#[test]
fn conntrack_beside_rules_that_track() {
    let mut patient = Patient::new();
    let server = std::net::TcpListener::bind("127.0.0.1:8001").unwrap();
    patient.add(&local(), &[at(8001)]);
    let connect = || std::net::TcpStream::connect(server.local_addr().unwrap()).unwrap();
    let _plain = connect();
    patient.well("conntrack");
    // Masqueraded FTP makes the kernel track all connections of the namespace, as rules do.
    let ftp = Service::tcp(([127, 0, 0, 81], 21).into());
    patient.add(&ftp, &[at(8001)]);
    let _plain = connect();
    let evidence = patient.shows("conntrack", Warning);
    assert!(evidence.contains("nf_conntrack_count is "), "{evidence}");
    // As the reason says.
    let _untracked = connect_from(7000).unwrap();
    assert_eq!(tracked(), 0);
    vs("conntrack", "1");
    let _tracked = connect_from(7001).unwrap();
    assert_eq!(tracked(), 1);
    patient.well("conntrack");

    // The limit belongs to the host. So only what is decided of it is tested.
    let mut host = look();
    let entries = host.sysctls.number("net/netfilter/nf_conntrack_count").unwrap();
    host.sysctls.0.insert("net/netfilter/nf_conntrack_max".into(), entries.to_string());
    assert_eq!(one(&host, "conntrack").severity, Warning);
}

#[test]
fn udp_clients_that_stay() {
    let mut patient = Patient::new();
    let udp = Service::udp(([127, 0, 0, 80], 53).into()).scheduler(Scheduler::ROUND_ROBIN);
    let _servers = [8001, 8002].map(|port| UdpSocket::bind(("127.0.0.1", port)).unwrap());
    patient.add(&udp, &[at(8001)]);
    patient.well("udp-stickiness");
    patient.ipvs.add_destination(udp.id, &at(8002)).unwrap();
    let evidence = patient.shows("udp-stickiness", Note);
    assert!(evidence.contains("the timeout of UDP is 300 s"), "{evidence}");

    let client = UdpSocket::bind("127.0.0.1:0").unwrap();
    client.send_to(b"1", "127.0.0.80:53").unwrap();
    let all = patient.ipvs.destinations(udp.id).unwrap();
    let first = all.iter().find(|it| it.connections.inactive == 1).unwrap().id();
    patient.ipvs.set_weight(udp.id, first, 0).unwrap();
    let evidence = patient.shows("udp-stickiness", Warning);
    assert!(evidence.contains("has weight 0 and active 0 inactive 1"), "{evidence}");
    patient.ipvs.set_weight(udp.id, first, 1).unwrap();
    patient.ipvs.update_service(&udp.one_packet()).unwrap();
    patient.well("udp-stickiness");
}

#[test]
fn a_setting_of_another_namespace_does_not_matter() {
    let mut patient = Patient::with_network();
    patient.add(&web(), &[server(2)]);
    set("net/ipv4/ip_forward", "1");
    std::thread::spawn(|| {
        let mut other = Patient::with_network();
        other.add(&web(), &[server(2)]);
        other.ill("ip-forward");
    })
    .join()
    .unwrap();
    patient.well("ip-forward");
}

//! Forwarding, ARP and tunnels.

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsFd as _, AsRawFd as _};
use std::time::{Duration, Instant};

use ipvs_netlink::{Client, Destination, GueChecksum, Role, Service, SyncDaemon, Tunnel};
use rtnetlink::packet_route::link::{InfoData, InfoVeth};
use rtnetlink::{LinkUnspec, LinkVeth};

use crate::finding::Severity::{Error, Note, Warning};
use crate::network::{Namespace, Network, server_addresses, virtual_addresses};
use crate::patient::{
    Patient, connect_from, direct, found, look, look_at, network, none, one, server, set,
    tunnelled, vs, web,
};

/// Long enough for a connection that works, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);
/// Long enough to see that one does not.
const IMPATIENCE: Duration = Duration::from_millis(700);

fn connect(from: &Namespace, to: SocketAddr, patience: Duration) -> io::Result<()> {
    from.run(|| TcpStream::connect_timeout(&to, patience)).map(drop)
}

fn run(namespace: &Namespace, commands: &[&str]) {
    let run = || {
        network(commands);
        Ok(())
    };
    namespace.run(run).unwrap();
}

fn write(namespace: &Namespace, path: &str, value: &str) {
    namespace.run(|| std::fs::write(format!("/proc/sys/net/{path}"), value)).unwrap();
}

#[test]
fn masquerading_without_forwarding() {
    let hosts = Network::with_servers(1).unwrap();
    let mut ipvs = Client::in_namespace_fd(&hosts.director).unwrap();
    for (setting, vip, to) in [
        ("ipv4/ip_forward", virtual_addresses(0).v4, server_addresses(0).v4),
        ("ipv6/conf/all/forwarding", virtual_addresses(0).v6, server_addresses(0).v6),
    ] {
        let (vip, to) = (SocketAddr::new(vip, 80), SocketAddr::new(to, 8080));
        let _server = hosts.servers[0].run(|| TcpListener::bind(to)).unwrap();
        ipvs.add_service(&Service::tcp(vip)).unwrap();
        ipvs.add_destination(Service::tcp(vip).id, &Destination::masquerade(to)).unwrap();
        none(&look_at(&hosts.director), "ip-forward");
        connect(&hosts.client, vip, PATIENCE).unwrap();

        write(&hosts.director, setting, "0");
        let finding = one(&look_at(&hosts.director), "ip-forward");
        assert_eq!(finding.severity, Error);
        assert!(finding.evidence[0].contains(&to.to_string()), "{finding:?}");
        // As the reason says.
        let lost = connect(&hosts.client, vip, IMPATIENCE).unwrap_err();
        assert_eq!(lost.kind(), io::ErrorKind::TimedOut);
        write(&hosts.director, setting, "1");
        none(&look_at(&hosts.director), "ip-forward");
    }
}

#[test]
fn direct_routing_needs_no_forwarding() {
    let mut patient = Patient::with_network();
    patient.add(&web(), &[direct(2)]);
    patient.well("ip-forward");
    // Its own servers neither.
    patient.add(&Service::tcp(([192, 0, 2, 11], 80).into()), &[server(1)]);
    patient.well("ip-forward");
}

#[test]
fn a_destination_without_a_route() {
    let mut patient = Patient::with_network();
    let far = Destination::masquerade(([198, 51, 100, 2], 80).into());
    patient.add(&web(), &[server(2), far]);
    let evidence = patient.shows("route", Error);
    assert!(evidence.contains("198.51.100.2") && !evidence.contains("10.0.0.2"), "{evidence}");
    network(&["route add default via 10.0.0.254"]);
    patient.well("route");
}

/// A host with a virtual address for direct routing or a tunnel.
fn real_server(tunnel: bool) -> Patient {
    let patient = Patient::with_network();
    let mut commands = vec!["address add 10.0.0.100/32 dev lo"];
    if tunnel {
        commands.push("link add ipip1 type ipip local 10.0.0.1 remote 10.0.0.254");
        commands.push("link set ipip1 up");
    }
    network(&commands);
    patient
}

#[test]
fn rp_filter_of_a_tunnel_on_a_real_server() {
    let patient = real_server(true);
    set("net/ipv4/conf/all/rp_filter", "0");
    set("net/ipv4/conf/ipip1/rp_filter", "1");
    let evidence = patient.shows("rp-filter", Error);
    assert!(evidence.contains("ipip1 (ipip)") && evidence.contains("10.0.0.100"), "{evidence}");
    set("net/ipv4/conf/ipip1/rp_filter", "2");
    set("net/ipv4/conf/all/rp_filter", "1");
    let evidence = patient.shows("rp-filter", Error);
    assert!(evidence.contains("rp_filter is 2, and the interface has no"), "{evidence}");
    network(&["address add 192.0.2.1/32 dev ipip1"]);
    patient.well("rp-filter");
    set("net/ipv4/conf/ipip1/rp_filter", "0");
    patient.ill("rp-filter");
    set("net/ipv4/conf/all/rp_filter", "0");
    patient.well("rp-filter");
    // Without a tunnel it does not matter.
    let patient = real_server(false);
    set("net/ipv4/conf/all/rp_filter", "1");
    patient.well("rp-filter");
}

/// A packet out of a tunnel arrives with the cure only.
#[test]
fn rp_filter_drops_what_comes_out_of_a_tunnel() {
    let hosts = Network::with_servers(1).unwrap();
    let real = &hosts.servers[0];
    let vip = SocketAddr::new(virtual_addresses(0).v4, 53);
    let to = server_addresses(0).v4;
    run(
        real,
        &[
            &format!("address add {}/32 dev lo", vip.ip()),
            &format!("link add ipip1 type ipip local {to} remote any"),
            "link set ipip1 up",
        ],
    );
    let service = Service::udp(vip);
    let tunnel =
        Destination::new(SocketAddr::new(to, 53), ipvs_netlink::Forwarding::Tunnel(Tunnel::Ipip));
    let mut ipvs = Client::in_namespace_fd(&hosts.director).unwrap();
    ipvs.add_service(&service).unwrap();
    ipvs.add_destination(service.id, &tunnel).unwrap();
    let waiting = real.run(|| UdpSocket::bind(vip)).unwrap();
    let arrives = |patience| {
        let client = hosts.client.run(|| UdpSocket::bind("0.0.0.0:0")).unwrap();
        client.send_to(b"1", vip).unwrap();
        waiting.set_read_timeout(Some(patience)).unwrap();
        waiting.recv(&mut [0]).is_ok()
    };
    write(real, "ipv4/conf/ipip1/rp_filter", "1");
    assert_eq!(one(&look_at(real), "rp-filter").severity, Error);
    assert!(!arrives(IMPATIENCE));
    write(real, "ipv4/conf/ipip1/rp_filter", "2");
    assert_eq!(one(&look_at(real), "rp-filter").severity, Error);
    assert!(!arrives(IMPATIENCE), "the interface has no address");
    run(real, &["address add 192.0.2.1/32 dev ipip1"]);
    none(&look_at(real), "rp-filter");
    assert!(arrives(PATIENCE));
    write(real, "ipv4/conf/ipip1/rp_filter", "0");
    run(real, &["address del 192.0.2.1/32 dev ipip1"]);
    none(&look_at(real), "rp-filter");
    assert!(arrives(PATIENCE));
}

/// Gives a server a cable to the client. IPVS would see answers that pass through its host.
fn answer_past_the_director(hosts: &Network, n: u8) {
    let real = &hosts.servers[usize::from(n)];
    let cable = format!("direct{n}");
    let end = LinkUnspec::new_with_name("direct").setns_by_fd(real.as_fd().as_raw_fd());
    let cable = LinkVeth::new(&cable, "direct")
        .set_info_data(InfoData::Veth(InfoVeth::Peer(end.build())))
        .build();
    hosts.client.configure(async |handle| handle.link().add(cable).execute().await).unwrap();
    let client = format!("address add 10.9.{n}.1/24 dev direct{n}");
    run(&hosts.client, &[&client, &format!("link set direct{n} up")]);
    let (own, way) = (
        format!("address add 10.9.{n}.2/24 dev direct"),
        format!("route add 10.1.0.11/32 via 10.9.{n}.1"),
    );
    run(real, &[&own, "link set direct up", &way]);
}

/// A client that uses its port again, by direct routing, which shows IPVS one half of the packets.
#[test]
fn an_old_port_reaches_a_drained_server_by_direct_routing() {
    let hosts = Network::with_servers(2).unwrap();
    let vip = SocketAddr::new(virtual_addresses(0).v4, 80);
    let servers: Vec<TcpListener> = (0..)
        .zip(&hosts.servers)
        .map(|(n, server)| {
            run(server, &[&format!("address add {}/32 dev lo", vip.ip())]);
            answer_past_the_director(&hosts, n);
            let listener = server.run(|| TcpListener::bind(vip)).unwrap();
            listener.set_nonblocking(true).unwrap();
            listener
        })
        .collect();
    let server = |n| {
        let address = SocketAddr::new(server_addresses(n).v4, 80);
        Destination::new(address, ipvs_netlink::Forwarding::DirectRoute)
    };
    let web = Service::tcp(vip).scheduler(ipvs_netlink::Scheduler::ROUND_ROBIN);
    let mut ipvs = Client::in_namespace_fd(&hosts.director).unwrap();
    ipvs.add_service(&web).unwrap();
    (0..2).for_each(|n| ipvs.add_destination(web.id, &server(n)).unwrap());
    let visit = |port| {
        let client = hosts.client.run(|| connect_from(([10, 1, 0, 11], port).into(), vip)).unwrap();
        let accept = |server: &TcpListener| server.accept().map(|(stream, _)| stream);
        let begin = Instant::now();
        let (n, stream) = loop {
            let mut accepted = servers.iter().map(accept).zip(0..);
            if let Some((Ok(stream), n)) = accepted.find(|(stream, _)| stream.is_ok()) {
                break (n, stream);
            }
            assert!(begin.elapsed() < PATIENCE);
        };
        // The server closes first, so that the client's port is free at once.
        drop(stream);
        io::Read::read(&mut &client, &mut [0]).unwrap();
        drop(client);
        n
    };
    for (mode, stays) in [("1", true), ("3", false)] {
        write(&hosts.director, "ipv4/vs/conn_reuse_mode", mode);
        let port = 4000 + u16::from(stays);
        let first = visit(port);
        ipvs.set_weight(web.id, server(first).id, 0).unwrap();
        let found = found(&look_at(&hosts.director), "conn-reuse-mode").len();
        assert_eq!(found, usize::from(stays), "conn_reuse_mode {mode}");
        assert_eq!(visit(port) == first, stays, "conn_reuse_mode {mode}");
        ipvs.set_weight(web.id, server(first).id, 1).unwrap();
    }
}

#[test]
fn arp_of_a_real_server() {
    let patient = real_server(false);
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
    run(real, &["address add 10.2.1.100/32 dev lo"]);
    let to = SocketAddr::new(vip, 80);
    let _server = real.run(|| TcpListener::bind(to)).unwrap();
    assert_eq!(one(&look_at(real), "arp-ignore").severity, Warning);
    connect(&hosts.director, to, PATIENCE).expect("the neighbour has got an answer by ARP");
    write(real, "ipv4/conf/all/arp_ignore", "1");
    none(&look_at(real), "arp-ignore");
    run(&hosts.director, &["neighbour flush all"]);
    assert!(connect(&hosts.director, to, IMPATIENCE).is_err());
}

#[test]
fn arp_of_a_director() {
    let hosts = Network::with_servers(0).unwrap();
    let director = &hosts.director;
    let near = SocketAddr::from(([10, 1, 0, 100], 80));
    let mut ipvs = Client::in_namespace_fd(director).unwrap();
    ipvs.add_service(&Service::tcp(near)).unwrap();
    run(director, &["address add 10.1.0.100/32 dev lo"]);
    none(&look_at(director), "arp-ignore");
    // A service without a destination refuses, so packets arrive.
    let refused = connect(&hosts.client, near, PATIENCE).unwrap_err();
    assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);

    write(director, "ipv4/conf/client/arp_ignore", "1");
    let finding = one(&look_at(director), "arp-ignore");
    assert_eq!(finding.severity, Error);
    assert!(finding.evidence[0].contains("10.1.0.100 on lo; arp_ignore is 1 on client"));
    run(&hosts.client, &["neighbour flush all"]);
    let lost = connect(&hosts.client, near, IMPATIENCE).unwrap_err();
    assert_ne!(lost.kind(), io::ErrorKind::ConnectionRefused);
    run(director, &["address del 10.1.0.100/32 dev lo"]);
    run(director, &["address add 10.1.0.100/24 dev client"]);
    none(&look_at(director), "arp-ignore");
}

#[test]
fn tunnels_that_a_full_packet_does_not_fit() {
    let mut patient = Patient::with_network();
    let gue = Tunnel::Gue { port: 6080, checksum: GueChecksum::None };
    let gre = |checksum| Tunnel::Gre { checksum };
    let all = [(2, Tunnel::Ipip, 20), (3, gre(false), 24), (4, gre(true), 28), (5, gue, 32)];
    let service = |n| Service::tcp(([192, 0, 2, n], 80).into());
    for (n, tunnel, _) in all {
        patient.add(&service(n), &[tunnelled(n, tunnel)]);
    }
    let evidence = patient.shows("tunnel-mtu", Warning);
    for (_, _, room) in all {
        assert!(evidence.contains(&format!("takes {room}, so {} fit", 1500 - room)), "{evidence}");
    }
    for (n, _, room) in all {
        network(&[&format!("link set eth0 mtu {}", 1499 + room)]);
        let evidence = patient.shows("tunnel-mtu", Warning);
        assert!(evidence.contains(&format!("192.0.2.{n}:80")), "{evidence}");
        patient.ipvs.delete_service(service(n).id).unwrap();
        patient.add(&service(n), &[]);
    }
    patient.well("tunnel-mtu");
    network(&["link set eth0 mtu 1532"]);
    for (n, tunnel, _) in all {
        patient.ipvs.add_destination(service(n).id, &tunnelled(n, tunnel)).unwrap();
    }
    patient.well("tunnel-mtu");
    patient.ipvs.flush().unwrap();
    network(&["link set eth0 mtu 1500"]);
    patient.add(&web(), &[tunnelled(2, Tunnel::Ipip)]);
    vs("pmtu_disc", "0");
    patient.shows("tunnel-mtu", Note);
    // The route says it.
    network(&["link set eth0 mtu 9000"]);
    patient.well("tunnel-mtu");
    network(&["route add 10.0.0.2/32 dev eth0 mtu 1400"]);
    let evidence = patient.shows("tunnel-mtu", Note);
    assert!(evidence.contains("carries 1400"), "{evidence}");
}

#[test]
fn a_tunnel_that_carries_less_than_ipv6_needs() {
    let mut patient = Patient::with_network();
    let service = Service::tcp("[2001:db8::10]:80".parse().unwrap());
    patient.add(&service, &[tunnelled(2, Tunnel::Ipip)]);
    network(&["link set eth0 mtu 1299"]);
    patient.shows("tunnel-mtu", Error);
    network(&["link set eth0 mtu 1300"]);
    patient.shows("tunnel-mtu", Warning);
    network(&["link set eth0 mtu 1520"]);
    patient.well("tunnel-mtu");
}

/// Over IPv6 nothing at all is sent, not even small packets.
#[test]
fn a_tunnel_over_ipv6_that_carries_less_sends_nothing() {
    let hosts = Network::with_servers(1).unwrap();
    let (director, real) = (&hosts.director, &hosts.servers[0]);
    let service = Service::udp(SocketAddr::new(virtual_addresses(0).v6, 53));
    let to = SocketAddr::new(server_addresses(0).v6, 53);
    let gre = ipvs_netlink::Forwarding::Tunnel(Tunnel::Gre { checksum: false });
    let mut ipvs = Client::in_namespace_fd(director).unwrap();
    ipvs.add_service(&service).unwrap();
    ipvs.add_destination(service.id, &Destination::new(to, gre)).unwrap();
    let client = hosts.client.run(|| UdpSocket::bind("[::]:0")).unwrap();
    // The server knows no GRE, and counts what arrives.
    let arrived = || look_at(real).unknown_protocols;
    let send = || client.send_to(b"1", service.id.address().unwrap()).unwrap();
    for (mtu, sends) in [(1324, true), (1323, false)] {
        run(director, &[&format!("link set server0 mtu {mtu}")]);
        let severity = one(&look_at(director), "tunnel-mtu").severity;
        assert_eq!(severity, if sends { Warning } else { Error });
        let before = arrived();
        send();
        let begin = Instant::now();
        let patience = if sends { PATIENCE } else { IMPATIENCE };
        while arrived() == before && begin.elapsed() < patience {}
        assert_eq!(arrived() > before, sends, "{mtu}");
    }
}

/// The kernel tells a client which packets fit.
#[test]
fn a_full_packet_that_does_not_fit_is_answered() {
    let hosts = Network::with_servers(1).unwrap();
    let vip = SocketAddr::new(virtual_addresses(0).v4, 53);
    let ipip = ipvs_netlink::Forwarding::Tunnel(Tunnel::Ipip);
    let to = Destination::new(SocketAddr::new(server_addresses(0).v4, 53), ipip);
    let mut ipvs = Client::in_namespace_fd(&hosts.director).unwrap();
    ipvs.add_service(&Service::udp(vip)).unwrap();
    ipvs.add_destination(Service::udp(vip).id, &to).unwrap();
    assert_eq!(one(&look_at(&hosts.director), "tunnel-mtu").severity, Warning);
    let client = hosts.client.run(|| UdpSocket::bind("0.0.0.0:0")).unwrap();
    client.send_to(&[0; 1472], vip).unwrap();
    let route = || {
        let ip = vip.ip().to_string();
        hosts.client.run(|| Ok(crate::namespace::run("ip", &["route", "get", &ip]))).unwrap()
    };
    let begin = Instant::now();
    while !route().contains("mtu 1480") {
        assert!(begin.elapsed() < PATIENCE, "{}", route());
    }
}

#[test]
fn a_tunnel_interface_that_is_down() {
    let patient = real_server(true);
    patient.well("tunnel-device");
    network(&["address add 192.0.2.77/32 dev ipip1", "link set ipip1 down"]);
    let evidence = patient.shows("tunnel-device", Error);
    assert!(evidence.contains("192.0.2.77 on ipip1, which is down"), "{evidence}");
    network(&["link set ipip1 up"]);
    patient.well("tunnel-device");
}

#[test]
fn packets_of_a_tunnel_that_nothing_takes() {
    let hosts = Network::with_servers(1).unwrap();
    let (director, real) = (&hosts.director, &hosts.servers[0]);
    let vip = SocketAddr::new(virtual_addresses(0).v4, 80);
    run(real, &[&format!("address add {}/32 dev lo", vip.ip())]);
    none(&look_at(real), "tunnel-device");
    // No test here makes a GRE interface, so the kernel has no handler for the protocol.
    let mut ipvs = Client::in_namespace_fd(director).unwrap();
    let gre = Destination::new(
        SocketAddr::new(server_addresses(0).v4, 80),
        ipvs_netlink::Forwarding::Tunnel(Tunnel::Gre { checksum: false }),
    );
    ipvs.add_service(&Service::tcp(vip)).unwrap();
    ipvs.add_destination(Service::tcp(vip).id, &gre).unwrap();
    assert!(connect(&hosts.client, vip, IMPATIENCE).is_err());
    let finding = one(&look_at(real), "tunnel-device");
    assert_eq!(finding.severity, Warning);
    assert!(finding.evidence[0].contains("packets of unknown protocols"), "{finding:?}");
    let host = look();
    none(&host, "tunnel-device");
}

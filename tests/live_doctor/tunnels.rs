//! Tunnels, on directors and on real servers.

use std::net::{SocketAddr, UdpSocket};
use std::time::Instant;

use ipvs_netlink::{Client, Destination, GueChecksum, Service, Tunnel};

use crate::finding::Severity::{Error, Note, Warning};
use crate::network::{Network, server_addresses, virtual_addresses};
use crate::patient::{
    IMPATIENCE, PATIENCE, Patient, connect_in, look, look_at, network, network_in, none, one, set,
    set_in, tunnelled, vs, web,
};

#[test]
fn rp_filter_of_a_tunnel_on_a_real_server() {
    let patient = Patient::real_server(true);
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
    let patient = Patient::real_server(false);
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
    network_in(
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
    set_in(real, "net/ipv4/conf/ipip1/rp_filter", "1");
    assert_eq!(one(&look_at(real), "rp-filter").severity, Error);
    assert!(!arrives(IMPATIENCE));
    set_in(real, "net/ipv4/conf/ipip1/rp_filter", "2");
    assert_eq!(one(&look_at(real), "rp-filter").severity, Error);
    assert!(!arrives(IMPATIENCE), "the interface has no address");
    network_in(real, &["address add 192.0.2.1/32 dev ipip1"]);
    none(&look_at(real), "rp-filter");
    assert!(arrives(PATIENCE));
    set_in(real, "net/ipv4/conf/ipip1/rp_filter", "0");
    network_in(real, &["address del 192.0.2.1/32 dev ipip1"]);
    none(&look_at(real), "rp-filter");
    assert!(arrives(PATIENCE));
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
        network_in(director, &[&format!("link set server0 mtu {mtu}")]);
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
    let patient = Patient::real_server(true);
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
    network_in(real, &[&format!("address add {}/32 dev lo", vip.ip())]);
    none(&look_at(real), "tunnel-device");
    // No test here makes a GRE interface, so the kernel has no handler for the protocol.
    let mut ipvs = Client::in_namespace_fd(director).unwrap();
    let gre = Destination::new(
        SocketAddr::new(server_addresses(0).v4, 80),
        ipvs_netlink::Forwarding::Tunnel(Tunnel::Gre { checksum: false }),
    );
    ipvs.add_service(&Service::tcp(vip)).unwrap();
    ipvs.add_destination(Service::tcp(vip).id, &gre).unwrap();
    assert!(connect_in(&hosts.client, vip, IMPATIENCE).is_err());
    let finding = one(&look_at(real), "tunnel-device");
    assert_eq!(finding.severity, Warning);
    assert!(finding.evidence[0].contains("packets of unknown protocols"), "{finding:?}");
    let host = look();
    none(&host, "tunnel-device");
}

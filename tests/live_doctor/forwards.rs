//! Forwarding by the host, and past it.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::{AsFd as _, AsRawFd as _};

use ipvs_netlink::{Client, Destination, Service};
use rtnetlink::packet_route::link::{InfoData, InfoVeth};
use rtnetlink::{LinkUnspec, LinkVeth};

use crate::finding::Severity::Error;
use crate::network::{Network, server_addresses, virtual_addresses};
use crate::patient::{
    IMPATIENCE, PATIENCE, Patient, connect_from, connect_in, direct, found, look_at, network,
    network_in, none, one, server, set_in, soon, web,
};

#[test]
fn masquerading_without_forwarding() {
    let hosts = Network::with_servers(1).unwrap();
    let mut ipvs = Client::in_namespace_fd(&hosts.director).unwrap();
    for (setting, vip, to) in [
        ("net/ipv4/ip_forward", virtual_addresses(0).v4, server_addresses(0).v4),
        ("net/ipv6/conf/all/forwarding", virtual_addresses(0).v6, server_addresses(0).v6),
    ] {
        let (vip, to) = (SocketAddr::new(vip, 80), SocketAddr::new(to, 8080));
        let _server = hosts.servers[0].run(|| TcpListener::bind(to)).unwrap();
        ipvs.add_service(&Service::tcp(vip)).unwrap();
        ipvs.add_destination(Service::tcp(vip).id, &Destination::masquerade(to)).unwrap();
        none(&look_at(&hosts.director), "ip-forward");
        connect_in(&hosts.client, vip, PATIENCE).unwrap();

        set_in(&hosts.director, setting, "0");
        let finding = one(&look_at(&hosts.director), "ip-forward");
        assert_eq!(finding.severity, Error);
        assert!(finding.evidence[0].contains(&to.to_string()), "{finding:?}");
        // As the reason says.
        let lost = connect_in(&hosts.client, vip, IMPATIENCE).unwrap_err();
        assert_eq!(lost.kind(), io::ErrorKind::TimedOut);
        set_in(&hosts.director, setting, "1");
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
    network_in(&hosts.client, &[&client, &format!("link set direct{n} up")]);
    let (own, way) = (
        format!("address add 10.9.{n}.2/24 dev direct"),
        format!("route add 10.1.0.11/32 via 10.9.{n}.1"),
    );
    network_in(real, &[&own, "link set direct up", &way]);
}

/// A client that uses its port again, by direct routing, which shows IPVS one half of the packets.
#[test]
fn an_old_port_reaches_a_drained_server_by_direct_routing() {
    let hosts = Network::with_servers(2).unwrap();
    let vip = SocketAddr::new(virtual_addresses(0).v4, 80);
    let servers: Vec<TcpListener> = (0..)
        .zip(&hosts.servers)
        .map(|(n, server)| {
            network_in(server, &[&format!("address add {}/32 dev lo", vip.ip())]);
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
        let accept = || {
            let mut accepted = servers.iter().map(TcpListener::accept).zip(0..);
            accepted.find_map(|(accepted, n)| Some((n, accepted.ok()?)))
        };
        let (n, stream) = soon(accept).expect("no server has accepted the client");
        // The server closes first, so that the client's port is free at once.
        drop(stream);
        io::Read::read(&mut &client, &mut [0]).unwrap();
        drop(client);
        n
    };
    for (mode, stays) in [("1", true), ("3", false)] {
        set_in(&hosts.director, "net/ipv4/vs/conn_reuse_mode", mode);
        let port = 4000 + u16::from(stays);
        let first = visit(port);
        ipvs.set_weight(web.id, server(first).id, 0).unwrap();
        let found = found(&look_at(&hosts.director), "conn-reuse-mode").len();
        assert_eq!(found, usize::from(stays), "conn_reuse_mode {mode}");
        assert_eq!(visit(port) == first, stays, "conn_reuse_mode {mode}");
        ipvs.set_weight(web.id, server(first).id, 1).unwrap();
    }
}

//! Protocols, address families and forwarding methods.

use std::io::{self, Write};
use std::net::{IpAddr, Ipv6Addr, SocketAddr, UdpSocket};
use std::os::fd::{AsRawFd, OwnedFd};
use std::thread;

use ipvs_netlink::{AddressFamily, Client, Destination, Scheduler, Service};
use nix::sys::socket::{
    AddressFamily as SocketFamily, Backlog, SockFlag, SockProtocol, SockType, SockaddrStorage,
    bind, listen, socket,
};

use super::greeting::{Connection, serve, serve_on};
use super::network::{
    Namespace, Network, client_addresses, has_ipv6, server_addresses, virtual_addresses,
};
use super::{Lab, PATIENCE, WEB, held, is_refused, server, tally};

/// A UDP server that answers every datagram with its number.
pub(super) fn serve_udp(namespace: &Namespace, n: u16) {
    let socket = namespace.run(|| UdpSocket::bind(server(n))).unwrap();
    thread::spawn(move || -> io::Result<()> {
        loop {
            let (_, from) = socket.recv_from(&mut [0; 16])?;
            socket.send_to(n.to_string().as_bytes(), from)?;
        }
    });
}

pub(super) fn udp_client(lab: &Lab) -> UdpSocket {
    let socket = lab.namespace.run(|| UdpSocket::bind("127.0.0.1:0")).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket
}

/// Sends a datagram to the service. Returns the answer and its source address.
pub(super) fn ask(socket: &UdpSocket) -> (usize, SocketAddr) {
    let mut answer = [0; 16];
    socket.send_to(b"who is there?", WEB).unwrap();
    let (length, from) = socket.recv_from(&mut answer).unwrap();
    (std::str::from_utf8(&answer[..length]).unwrap().parse().unwrap(), from)
}

fn udp_lab(service: &Service) -> Lab {
    let mut lab = Lab::with_servers(0);
    (0..2).for_each(|n| serve_udp(lab.namespace, n));
    lab.add(service, &[1, 1]);
    lab
}

#[test]
fn the_datagrams_of_a_udp_socket_stay_together() {
    let service = Service::udp(WEB).scheduler(Scheduler::ROUND_ROBIN);
    let mut lab = udp_lab(&service);
    let sockets = [udp_client(&lab), udp_client(&lab)];
    let firsts = sockets.each_ref().map(ask);
    assert_eq!(tally(firsts.map(|(server, _)| server)), [1, 1]);
    assert_eq!(firsts.map(|(_, from)| from), [WEB; 2]);
    for _ in 0..3 {
        assert_eq!(sockets.each_ref().map(ask), firsts);
    }
    let connections = [0, 1].map(|n| lab.entry(service.id, n).connections);
    assert_eq!(connections.map(|now| (now.active, now.inactive)), [(0, 1); 2]);
}

#[test]
fn one_packet_scheduling_treats_every_datagram_by_itself() {
    let service = Service::udp(WEB).scheduler(Scheduler::ROUND_ROBIN).one_packet();
    let mut lab = udp_lab(&service);
    let socket = udp_client(&lab);
    let answers: Vec<_> = (0..6).map(|_| ask(&socket)).collect();
    assert_eq!(tally(answers.iter().map(|&(server, _)| server)), [3, 3]);
    assert!(answers.windows(2).all(|pair| pair[0] != pair[1]), "{answers:?}");
    // No connection is remembered by which the answer could be masqueraded.
    assert!(answers.iter().all(|&(_, from)| from != WEB), "{answers:?}");
    let connections = [0, 1].map(|n| lab.entry(service.id, n).connections);
    assert_eq!(connections.map(|now| (now.active, now.inactive)), [(0, 0); 2]);
}

#[test]
fn an_ipv6_service_balances_connections() {
    let mut lab = Lab::with_servers(2);
    let web = SocketAddr::from((Ipv6Addr::LOCALHOST, 80));
    lab.add(&Service::tcp(web).scheduler(Scheduler::ROUND_ROBIN), &[1, 1]);
    assert_eq!(tally(lab.visit(4, web)), [2, 2]);
}

#[test]
fn an_sctp_service_balances_associations() {
    let mut lab = Lab::with_servers(0);
    let sctp = || -> io::Result<OwnedFd> {
        let flags = SockFlag::SOCK_CLOEXEC;
        Ok(socket(SocketFamily::Inet, SockType::Stream, flags, SockProtocol::Sctp)?)
    };
    if let Err(error) = lab.namespace.run(sctp) {
        // Past the test harness, which shows nothing of a test that passes.
        writeln!(io::stderr(), "this kernel has no SCTP ({error}): not tested").unwrap();
        return;
    }
    let mut servers = Vec::new();
    for n in 0..2 {
        let listener = lab.namespace.run(sctp).unwrap();
        bind(listener.as_raw_fd(), &SockaddrStorage::from(server(n))).unwrap();
        listen(&listener, Backlog::MAXCONN).unwrap();
        servers.push(serve_on(listener.into(), &n.to_string()).unwrap());
    }
    let service = Service::sctp(WEB).scheduler(Scheduler::ROUND_ROBIN);
    lab.add(&service, &[1, 1]);
    let open = |_| Connection::over(lab.namespace.run(sctp).unwrap(), WEB, PATIENCE).unwrap();
    let connections: Vec<_> = (0..4).map(open).collect();
    assert_eq!(held(&connections), [2, 2]);
    let active = [0, 1].map(|n| lab.entry(service.id, n).connections.active);
    assert_eq!(active, [2, 2]);
}

#[test]
fn a_firewall_mark_service_takes_what_carries_its_mark() {
    let mut lab = Lab::with_servers(2);
    let service = Service::fwmark(5, AddressFamily::Ipv4).scheduler(Scheduler::ROUND_ROBIN);
    lab.add(&service, &[1, 1]);
    let mut connections = Vec::new();
    for port in [80, 443] {
        let to = SocketAddr::new(WEB.ip(), port);
        connections.extend((0..2).map(|_| lab.open_marked(5, to).unwrap()));
        assert!(is_refused(&lab.open_marked(6, to)));
        assert!(is_refused(&lab.open(to)));
    }
    assert_eq!(held(&connections), [2, 2]);
}

#[test]
fn masquerading_balances_what_is_routed_through_the_director() {
    let network = Network::with_servers(3).unwrap();
    let mut ipvs = Client::in_namespace_fd(&network.director).unwrap();
    let ways = |pick: fn(super::network::Addresses) -> IpAddr| {
        let servers = [0, 1, 2].map(|n| SocketAddr::new(pick(server_addresses(n)), 8080));
        let web = SocketAddr::new(pick(virtual_addresses(0)), 80);
        (pick(client_addresses(0)), web, servers)
    };
    assert!(has_ipv6(), "this kernel has no IPv6");
    for (client, web, servers) in [ways(|both| both.v4), ways(|both| both.v6)] {
        let service = Service::tcp(web).scheduler(Scheduler::ROUND_ROBIN);
        ipvs.add_service(&service).unwrap();
        let mut listening = Vec::new();
        for (n, (address, namespace)) in servers.into_iter().zip(&network.servers).enumerate() {
            listening.push(serve(namespace, address, &n.to_string()).unwrap());
            ipvs.add_destination(service.id, &Destination::masquerade(address)).unwrap();
        }
        let open = |_| Connection::open(&network.client, client, web, PATIENCE).unwrap();
        let connections: Vec<_> = (0..6).map(open).collect();
        assert_eq!(held(&connections), [2, 2, 2], "{web}");
    }
}

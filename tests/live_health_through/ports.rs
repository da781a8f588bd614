//! A connection that the kernel remembers goes to the server that it began with, so no source port is
//! used twice.

use std::collections::BTreeSet;
use std::io::Read as _;
use std::net::{SocketAddr, TcpStream};
use std::os::fd::AsRawFd as _;
use std::time::Duration;

use ipvs_netlink::health::Verdict::{Down, Up};
use ipvs_netlink::health::probe::{AcceptLocal, Probe, RunnerOptions};
use ipvs_netlink::health::through::Marks;
use ipvs_netlink::{AddressFamily, Client, Destination, Forwarding, Service};
use nix::sys::socket::{
    AddressFamily as Family, SockFlag, SockType, SockaddrStorage, bind, connect, setsockopt,
    socket, sockopt,
};

use crate::network::{Namespace, Network};
use crate::program::{PATIENCE, Program, range, table, watched};
use crate::server::serve;
use crate::way::{Way, ip, set, virtuals};

/// Lets the answers of both servers arrive.
fn both_accept(director: &Namespace) -> [AcceptLocal; 2] {
    ["server0", "server1"].map(|interface| director.run(|| AcceptLocal::set(interface)).unwrap())
}

/// Connects from a source port with a mark.
fn visit(director: &Namespace, mark: u32, from: SocketAddr, to: SocketAddr) -> bool {
    let open = || Ok(socket(Family::Inet, SockType::Stream, SockFlag::SOCK_CLOEXEC, None)?);
    let socket = director.run(open).unwrap();
    setsockopt(&socket, sockopt::Mark, &mark).unwrap();
    setsockopt(&socket, sockopt::ReuseAddr, &true).unwrap();
    bind(socket.as_raw_fd(), &SockaddrStorage::from(from)).unwrap();
    let stream = TcpStream::from(socket);
    stream.set_write_timeout(Some(Duration::from_millis(700))).unwrap();
    let connected = connect(stream.as_raw_fd(), &SockaddrStorage::from(to)).is_ok();
    // The server closes first, so the port is free at once.
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    if connected {
        assert_eq!((&stream).read(&mut [0; 1]).unwrap(), 0);
    }
    connected
}

/// The reason why source ports are chosen with care.
#[test]
fn a_remembered_connection_wins_over_the_mark() {
    let network = Network::with_servers(3).unwrap();
    let director = &network.director;
    let way = Way::one(Forwarding::Masquerade, true);
    let visits = serve(&network.servers[0], &[way.server_port()]);
    // The second server is dead and refuses. The third one does not answer.
    ip(&network.servers[2], "route add blackhole 10.2.3.1/32");
    let mut ipvs = Client::in_namespace_fd(director).unwrap();
    for host in [0, 1, 2] {
        let service = Service::fwmark(u32::from(host) + 7, AddressFamily::Ipv4);
        ipvs.add_service(&service).unwrap();
        let server = Destination::new(way.server(host), way.forwarding);
        ipvs.add_destination(service.id, &server).unwrap();
    }
    let from = |last, port| SocketAddr::from(([10, 2, last, 1], port));
    let visit = |host: u32, from| visit(director, host + 7, from, way.vip());
    assert!(visit(0, from(1, 50_000)));
    assert!(!visit(2, from(3, 50_001)));
    assert!(!visit(0, from(3, 50_001)), "the third server does not answer for the first one");
    assert!(visit(0, from(3, 50_002)));

    // Even more so where the kernel takes no new connection for one.
    set(director, "ipv4/vs/conn_reuse_mode", "0");
    assert!(!visit(1, from(2, 50_003)));
    assert!(visit(0, from(1, 50_004)));
    assert!(visit(1, from(1, 50_004)), "the first server answers for the second one");
    assert_eq!(visits.lock().unwrap().len(), 4);
}

#[test]
fn no_source_port_is_used_twice_over_restarts_and_the_verdicts_are_right() {
    let network = Network::with_servers(2).unwrap();
    let director = &network.director;
    let _accept = both_accept(director);
    let way = Way::one(Forwarding::DirectRoute, true);
    network.servers.iter().for_each(|server| virtuals(server, "add", "lo"));
    // The second server is dead: it refuses.
    let visits = serve(&network.servers[0], &[way.server_port()]);
    let mut seen = BTreeSet::new();
    let mut count = 0;
    for _ in 0..2 {
        let marks = Marks::new(range(), &table(director)).unwrap();
        let program = Program::start(director, RunnerOptions::new().marks(marks));
        let service = way.table(way.service(), &[0, 1]);
        program.watch(watched(service, Probe::tcp().through()));
        program
            .wait_for(&[(way.service(), way.server(0), Up), (way.service(), way.server(1), Down)]);
        program.wait_for_checks(24);
        program.stop();
        let new = std::mem::take(&mut *visits.lock().unwrap());
        count += new.len();
        assert!(new.iter().all(|(_, from)| (61_000..=65_535).contains(&from.port())), "{new:?}");
        assert!(new.iter().all(|(_, from)| from.ip().to_string().ends_with("10.2.1.1")), "{new:?}");
        seen.extend(new.iter().map(|(_, from)| from.port()));
    }
    assert!(count > 20, "{count}");
    assert_eq!(seen.len(), count, "a port was used twice");
}

//! Datagrams of UDP.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::net::{SocketAddr, UdpSocket};
use std::thread::sleep;
use std::time::{Duration, Instant};

use ipvs_netlink::explain::{Answer, Attempt, Reason};
use ipvs_netlink::{AddressFamily, Destination, Scheduler, Service, ServiceFlags};

use crate::Score;
use crate::harness::{Budget, Random};
use crate::standing::{STICKY, set, view};
use crate::traffic::{Clients, Town, server};

const SERVERS: u16 = 4;
const PATIENCE: Duration = Duration::from_millis(100);

/// Servers of UDP in a town.
struct Servers(BTreeMap<SocketAddr, UdpSocket>);

impl Servers {
    fn new(family: AddressFamily) -> Self {
        let socket = |n| {
            let socket = UdpSocket::bind(server(family, n)).unwrap();
            socket.set_nonblocking(true).unwrap();
            (server(family, n), socket)
        };
        Self((0..SERVERS).map(socket).collect())
    }

    /// Sends a datagram, and returns the server that receives it.
    fn visit(&self, from: SocketAddr, to: SocketAddr) -> Option<SocketAddr> {
        let client = UdpSocket::bind(from).unwrap();
        client.connect(to).unwrap();
        // The kernel tells clients on this host that it drops the packet.
        if client.send(b"hello").is_err_and(|error| error.kind() == ErrorKind::PermissionDenied) {
            return None;
        }
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            for (address, socket) in &self.0 {
                match socket.recv_from(&mut [0; 8]) {
                    Ok((_, peer)) if peer == from => return Some(*address),
                    Ok(other) => panic!("{other:?}"),
                    Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
                }
            }
            sleep(Duration::from_millis(1));
        }
        None
    }
}

fn service(
    town: &mut Town,
    family: AddressFamily,
    change: impl FnOnce(Service) -> Service,
) -> Service {
    let to = if family == AddressFamily::Ipv4 { "127.9.0.1:53" } else { "[fd00:9::1]:53" };
    let service = change(Service::udp(to.parse().unwrap()));
    town.ipvs.add_service(&service).unwrap();
    for n in 0..SERVERS {
        let server = Destination::masquerade(server(family, n)).weight(1 + u32::from(n));
        town.ipvs.add_destination(service.id, &server).unwrap();
    }
    service
}

fn asked(
    town: &mut Town,
    service: &Service,
    from: SocketAddr,
) -> ipvs_netlink::explain::Explanation {
    let attempt = Attempt::new(from.ip(), service.id).client_port(from.port());
    view(town, service, &attempt).explain(&attempt)
}

#[test]
fn every_datagram_goes_where_it_is_said_to_go() {
    let mut random = Random::new(Budget::new(0).seed);
    let mut clients = Clients::new();
    let mut town = Town::new();
    for family in [AddressFamily::Ipv4, AddressFamily::Ipv6] {
        let servers = Servers::new(family);
        for scheduler in
            [Scheduler::SOURCE_HASHING, Scheduler::DESTINATION_HASHING, Scheduler::MAGLEV_HASHING]
        {
            for flags in [ServiceFlags::empty(), ServiceFlags::SH_PORT | ServiceFlags::ONE_PACKET] {
                let service = service(&mut town, family, |it| it.scheduler(scheduler).flags(flags));
                let mut score = Score::default();
                let mut from = clients.next(&mut random, family);
                for n in 0..16 {
                    // The second datagram of a port goes where the first one went.
                    if n % 4 > 0 {
                        from = clients.next(&mut random, family);
                    }
                    let told = asked(&mut town, &service, from);
                    score.count(&told, servers.visit(from, service.id.address().unwrap()));
                }
                score.pass(&format!("UDP {family:?} {scheduler} {flags}"));
                town.ipvs.delete_service(service.id).unwrap();
            }
        }
    }
}

#[test]
fn templates_of_udp_keep_their_clients() {
    let mut town = Town::new();
    let family = AddressFamily::Ipv4;
    let servers = Servers::new(family);
    let sticky = STICKY.netmask([255, 255, 255, 0].into());
    let service =
        service(&mut town, family, |it| it.scheduler(Scheduler::ROUND_ROBIN).persistence(sticky));
    let (mut score, mut templates) = (Score::default(), 0);
    for n in 0..20 {
        let from: SocketAddr = ([10, 6, n % 3, n], 3000 + u16::from(n)).into();
        let told = asked(&mut town, &service, from);
        templates += usize::from(told.to_string().contains("a template of persistence"));
        score.count(&told, servers.visit(from, service.id.address().unwrap()));
    }
    score.pass("UDP persistent");
    assert_eq!(templates, 17);
}

/// A datagram does not begin a connection: the kernel goes on with the one that it keeps.
#[test]
fn a_connection_of_udp_keeps_its_client_and_port() {
    let from: SocketAddr = "10.1.2.3:4000".parse().unwrap();
    for nodest in ["0", "1"] {
        let mut town = Town::new();
        let family = AddressFamily::Ipv4;
        let servers = Servers::new(family);
        let service = service(&mut town, family, |it| it.scheduler(Scheduler::ROUND_ROBIN));
        set("expire_nodest_conn", nodest);
        let to = service.id.address().unwrap();
        let first = servers.visit(from, to).unwrap();
        town.ipvs.set_weight(service.id, first.into(), 0).unwrap();
        let told = asked(&mut town, &service, from);
        assert_eq!(told.destination(), Some(first.into()), "{told}");
        assert_eq!(servers.visit(from, to), Some(first));
        town.ipvs.delete_destination(service.id, first.into()).unwrap();
        let told = asked(&mut town, &service, from);
        let is_gone = matches!(told.answer, Answer::Nowhere(Reason::DestinationGone { .. }));
        assert_eq!(is_gone, nodest == "0", "{told}");
        let mut score = Score::default();
        score.count(&told, servers.visit(from, to));
        score.pass(&format!("UDP of a deleted destination, expire_nodest_conn {nodest}"));
    }
}

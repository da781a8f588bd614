//! What a check through the virtual address finds, and one of the server's own address does not.

use std::net::SocketAddr;

use ipvs_netlink::health::Verdict::{self, Down, Up};
use ipvs_netlink::health::probe::{AcceptLocal, Exchange, HttpCheck, Origin, Probe, RunnerOptions};
use ipvs_netlink::table::TableService;
use ipvs_netlink::{Client, Destination, DestinationId, Forwarding, Service, ServiceId};

use crate::network::Network;
use crate::program::{Program, mark_services, marks, watched};
use crate::server::{answer_at, serve, speak_http};
use crate::way::{Way, ip, unwrap_tunnels, vip, virtuals, wrap_tunnels};

/// The service of the direct check, at another port.
fn direct(way: &Way) -> ServiceId {
    let mut address = way.vip();
    address.set_port(way.port() + 100);
    ServiceId::tcp(address)
}

/// The verdicts on the one server by each way, through the virtual address and by its own address.
fn expected(
    ways: &[Way],
    is_up: impl Fn(&Way) -> bool,
) -> Vec<(ServiceId, DestinationId, Verdict)> {
    let verdict = |is_up| if is_up { Up } else { Down };
    let all = ways.iter().flat_map(|way| {
        let server = way.server(0);
        [(way.service(), server, verdict(is_up(way))), (direct(way), server, Up)]
    });
    all.collect()
}

#[test]
fn every_way_is_checked_as_clients_go_it() {
    let network = Network::with_servers(1).unwrap();
    let (director, server) = (&network.director, &network.servers[0]);
    unwrap_tunnels(&network, 0);
    ip(server, "link add vip type dummy");
    ip(server, "link set vip up");
    let ways = Way::all();
    let ports: Vec<u16> = ways.iter().map(Way::server_port).collect();
    let _visits = serve(server, &ports);

    let accept = director.run(|| AcceptLocal::set("server0")).unwrap();
    let mut ipvs = Client::in_namespace_fd(director).unwrap();
    let program = Program::start(director, RunnerOptions::new().marks(marks(&mut ipvs)));
    for way in &ways {
        program.watch(watched(way.table(way.service(), &[0]), Probe::tcp().through()));
        program.watch(watched(way.table(direct(way), &[0]), Probe::tcp()));
    }

    // The server has no virtual address.
    program.wait_for(&expected(&ways, |way| !way.needs_virtual_address()));
    virtuals(server, "add", "vip");
    program.wait_for(&expected(&ways, |_| true));
    assert_eq!(mark_services(director).len(), ways.len());
    // The server unwraps nothing.
    wrap_tunnels(&network, 0);
    program.wait_for(&expected(&ways, |way| !way.needs_unwrapping()));
    assert_eq!(program.refused(), []);
    program.stop();
    drop(accept);
    assert_eq!(mark_services(director), []);
}

#[test]
fn the_virtual_address_need_not_be_one_of_the_director() {
    let network = Network::with_servers(1).unwrap();
    let (director, server) = (&network.director, &network.servers[0]);
    unwrap_tunnels(&network, 0);
    ip(server, "link add vip type dummy");
    ip(server, "link set vip up");
    virtuals(server, "add", "vip");
    let ways = Way::all();
    let ports: Vec<u16> = ways.iter().map(Way::server_port).collect();
    let _visits = serve(server, &ports);
    for (address, prefix) in [(vip(true), 24), (vip(false), 64)] {
        ip(director, &format!("address del {address}/{prefix} dev lo"));
    }

    let mut ipvs = Client::in_namespace_fd(director).unwrap();
    let program = Program::start(director, RunnerOptions::new().marks(marks(&mut ipvs)));
    for way in &ways {
        program.watch(watched(way.table(way.service(), &[0]), Probe::tcp().through()));
    }
    // The other addresses of the networks are the director's own, and IPv4 has a network of them.
    ip(director, &format!("route add {} via 10.1.0.11", vip(true)));
    ip(director, &format!("-6 route add {} via fd00:1::11", vip(false)));
    let up: Vec<_> = ways.iter().map(|way| (way.service(), way.server(0), Up)).collect();
    program.wait_for(&up);
    // No setting was needed, although the route to the address is another one than to the server.
    program.stop();
}

#[test]
fn datagrams_go_the_same_way_and_leave_nothing_behind() {
    let network = Network::with_servers(1).unwrap();
    let (director, server) = (&network.director, &network.servers[0]);
    unwrap_tunnels(&network, 0);
    ip(server, "link add vip type dummy");
    ip(server, "link set vip up");
    let ways: Vec<Way> = Way::all();
    let masqueraded = ways.iter().filter(|way| !way.needs_virtual_address());
    masqueraded.for_each(|way| answer_at(server, way.server(0).address));

    let _accept = director.run(|| AcceptLocal::set("server0")).unwrap();
    let mut ipvs = Client::in_namespace_fd(director).unwrap();
    let program = Program::start(director, RunnerOptions::new().marks(marks(&mut ipvs)));
    let service = |way: &Way| ServiceId::udp(way.vip());
    let probe = || Probe::udp(Exchange::new("who is there?", "there?")).through();
    for way in &ways {
        program.watch(watched(way.table(service(way), &[0]), probe()));
    }
    let expected = |is_up: fn(&Way) -> bool| {
        let verdict = |way| if is_up(way) { Up } else { Down };
        ways.iter().map(|way| (service(way), way.server(0), verdict(way))).collect::<Vec<_>>()
    };
    program.wait_for(&expected(|way| !way.needs_virtual_address()));
    virtuals(server, "add", "vip");
    ways.iter().filter(|way| way.needs_virtual_address()).for_each(|way| {
        answer_at(server, way.vip());
    });
    program.wait_for(&expected(|_| true));
    let connections =
        director.run(|| std::fs::read_to_string("/proc/thread-self/net/ip_vs_conn")).unwrap();
    assert_eq!(connections.lines().count(), 1, "{connections}");
    program.stop();
}

/// A server that answers requests of HTTP, and one that is the director itself.
#[test]
fn checks_of_every_kind_go_to_every_host() {
    let network = Network::with_servers(1).unwrap();
    let (director, server) = (&network.director, &network.servers[0]);
    virtuals(server, "add", "lo");
    let routed = Way::one(Forwarding::DirectRoute, true);
    let hosts = speak_http(server, routed.server_port());
    let _accept = director.run(|| AcceptLocal::set("server0")).unwrap();
    let mut ipvs = Client::in_namespace_fd(director).unwrap();
    let program = Program::start(director, RunnerOptions::new().marks(marks(&mut ipvs)));
    // The answers arrive at the interface that the check names.
    let bound = Origin::new().interface("server0");
    let http = Probe::http(HttpCheck::get("/health").unwrap()).through().origin(bound);
    program.watch(watched(routed.table(routed.service(), &[0]), http));

    let local = Way::one(Forwarding::Masquerade, true);
    let own = SocketAddr::from(([10, 2, 1, 1], 7000));
    let _visits = serve(director, &[own.port()]);
    let table = TableService::new(Service::new(local.service()));
    let table = table.with(Destination::masquerade(own));
    let origin = Origin::new().source([10, 1, 0, 1].into());
    program.watch(watched(table, Probe::tcp().through().origin(origin)));

    program
        .wait_for(&[(routed.service(), routed.server(0), Up), (local.service(), own.into(), Up)]);
    // The server is asked for the virtual address, as by a client.
    let asked = hosts.lock().unwrap().first().cloned();
    assert_eq!(asked.as_deref(), Some(&*format!("Host: {}", routed.vip()).to_lowercase()));
    program.stop();
}

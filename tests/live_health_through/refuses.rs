//! What keeps checks from being done is told, and is no failure.

use std::fs;
use std::net::SocketAddr;

use ipvs_netlink::health::Verdict::{Down, Up};
use ipvs_netlink::health::Watched;
use ipvs_netlink::health::probe::{
    AcceptLocal, CommandCheck, Origin, Probe, Runner, RunnerOptions, WatchError,
};
use ipvs_netlink::health::through::ThroughError;
use ipvs_netlink::table::TableService;
use ipvs_netlink::{Client, Destination, Forwarding, Service, ServiceId, Tunnel};

use crate::network::Network;
use crate::program::{Program, marks, ms, pace, watched};
use crate::server::serve;
use crate::way::{Way, ip, set, unwrap_tunnels, vip, virtuals};

fn is_accept_local(error: &ThroughError) -> bool {
    matches!(error, ThroughError::AcceptLocal { interface, .. } if interface == "server0")
}

fn is_reverse_path(error: &ThroughError) -> bool {
    matches!(error, ThroughError::ReversePath { interface, .. } if interface == "server0")
}

/// Waits until the checks of these services are refused, each once and for this reason.
#[track_caller]
fn wait_for_refusals(program: &Program, ways: &[Way], is_meant: fn(&ThroughError) -> bool) {
    program.wait("refused", |said| {
        let is_told = |way: &Way| {
            let mut refused = said.refused.iter();
            refused.any(|(id, error)| *id == way.service() && is_meant(error))
        };
        ways.iter().all(is_told)
    });
    let refused = program.refused();
    assert!(refused.iter().all(|(_, error)| is_meant(error)), "{refused:?}");
    assert_eq!(refused.len(), ways.len(), "{refused:?}");
}

#[test]
fn a_missing_setting_is_named_with_its_interface() {
    let network = Network::with_servers(1).unwrap();
    let (director, server) = (&network.director, &network.servers[0]);
    unwrap_tunnels(&network, 0);
    virtuals(server, "add", "lo");
    let methods = [Forwarding::DirectRoute, Forwarding::Tunnel(Tunnel::Ipip)];
    let ways = methods.map(|method| Way::one(method, true));
    let others = [
        Way::one(Forwarding::Masquerade, true),
        Way::one(Forwarding::DirectRoute, false),
        Way::one(Forwarding::Tunnel(Tunnel::Ipip), false),
    ];
    let ports: Vec<u16> = ways.iter().chain(&others).map(Way::server_port).collect();
    let _visits = serve(server, &ports);
    let mut ipvs = Client::in_namespace_fd(director).unwrap();
    let program = Program::start(director, RunnerOptions::new().marks(marks(&mut ipvs)));
    for way in ways.iter().chain(&others) {
        program.watch(watched(way.table(way.service(), &[0]), Probe::tcp().through()));
    }
    let up = |ways: &[Way]| {
        ways.iter().map(|way| (way.service(), way.server(0), Up)).collect::<Vec<_>>()
    };
    // IPv6 and masquerading need nothing.
    program.wait_for(&up(&others));
    wait_for_refusals(&program, &ways, is_accept_local);
    assert!(ways.iter().all(|way| program.verdict(way.service(), way.server(0)).is_none()));

    let accept = director.run(|| AcceptLocal::set("server0")).unwrap();
    program.wait_for(&up(&ways));
    drop(accept);
    wait_for_refusals(&program, &ways, is_accept_local);
    // The setting of all interfaces is as good, but a strict filter drops the answers all the same.
    set(director, "ipv4/conf/all/rp_filter", "1");
    set(director, "ipv4/conf/all/accept_local", "1");
    wait_for_refusals(&program, &ways, is_reverse_path);
    set(director, "ipv4/conf/all/rp_filter", "2");
    program.wait_for_checks(20);
    assert_eq!(program.refused(), []);
    program.wait_for(&up(&ways));
    program.stop();
}

/// The kernel does drop what the library refuses.
#[test]
fn a_strict_reverse_path_filter_drops_the_answers() {
    let network = Network::with_servers(1).unwrap();
    let (director, server) = (&network.director, &network.servers[0]);
    virtuals(server, "add", "lo");
    let way = Way::one(Forwarding::DirectRoute, true);
    let _visits = serve(server, &[way.server_port()]);
    let mut ipvs = Client::in_namespace_fd(director).unwrap();
    let service = Service::fwmark(7, ipvs_netlink::AddressFamily::Ipv4);
    ipvs.add_service(&service).unwrap();
    let destination = Destination::new(way.server(0), way.forwarding);
    ipvs.add_destination(service.id, &destination).unwrap();
    let origin = Origin::new().mark(7).source([10, 2, 1, 1].into());
    let probe = Probe::tcp().origin(origin).timeout(ms(700));
    let passes = || director.run(|| probe.once(way.vip())).unwrap().is_passed();
    // What the library sets is put back, by whichever thread.
    let setting = "ipv4/conf/server0/accept_local";
    let read = || director.run(|| fs::read_to_string(format!("/proc/sys/net/{setting}"))).unwrap();
    for former in ["0\n", "1\n"] {
        set(director, setting, former);
        let accept = director.run(|| AcceptLocal::set("server0")).unwrap();
        assert_eq!(read(), "1\n");
        accept.put_back().unwrap();
        assert_eq!(read(), former);
    }
    let settings = [("0", "0"), ("1", "1"), ("1", "2"), ("1", "0")];
    let passed = settings.map(|(accept_local, rp_filter)| {
        set(director, "ipv4/conf/server0/accept_local", accept_local);
        set(director, "ipv4/conf/server0/rp_filter", rp_filter);
        passes()
    });
    assert_eq!(passed, [false, false, true, true]);
}

#[test]
fn a_source_that_is_a_virtual_address_is_refused_and_another_one_may_be_given() {
    let network = Network::with_servers(1).unwrap();
    let (director, server) = (&network.director, &network.servers[0]);
    let way = Way::one(Forwarding::Masquerade, true);
    let _visits = serve(server, &[way.server_port()]);
    let mut ipvs = Client::in_namespace_fd(director).unwrap();
    let program = Program::start(director, RunnerOptions::new().marks(marks(&mut ipvs)));
    // The director's address at the server's side is a virtual one, too.
    let own = ServiceId::tcp(([10, 2, 1, 1], 99).into());
    program.watch(Watched::new(TableService::new(Service::new(own))));
    let through = |origin: Origin| {
        watched(way.table(way.service(), &[0]), Probe::tcp().through().origin(origin))
    };
    // Another check of the same destination is not refused. Each refusal is told once.
    let good = Probe::tcp().through().origin(Origin::new().source([10, 1, 0, 1].into()));
    program.watch(through(Origin::new()).check(good, pace()));
    program.wait("refused", |said| !said.refused.is_empty());
    program.wait_for_checks(10);
    let error = ThroughError::SourceIsVirtual([10, 2, 1, 1].into());
    assert_eq!(program.refused(), [(way.service(), error)]);
    program.watch(through(Origin::new().source([10, 1, 0, 1].into())));
    program.wait_for(&[(way.service(), way.server(0), Up)]);
    // The address of the service itself.
    program.watch(through(Origin::new().source(vip(true))));
    program.wait("refused", |said| !said.refused.is_empty());
    assert_eq!(program.refused()[0].1, ThroughError::SourceIsVirtual(vip(true)));
    assert_eq!(program.verdict(way.service(), way.server(0)), Some(Up));
    program.stop();
}

#[test]
fn what_cannot_go_through_is_refused_before_anything_happens() {
    let network = Network::with_servers(1).unwrap();
    let director = &network.director;
    let way = Way::one(Forwarding::Masquerade, true);
    let refused = |runner: &Runner, watched| match runner.watch(watched, None).unwrap_err() {
        WatchError::Through { service, error, .. } => {
            assert_eq!(service, way.service());
            error
        }
        other => panic!("{other}"),
    };
    let table = || way.table(way.service(), &[0]);
    let check = |probe: Probe| Watched::new(table()).check(probe.through(), pace());
    let without = Runner::start(RunnerOptions::new()).unwrap();
    assert_eq!(refused(&without, check(Probe::tcp())), ThroughError::NoMarks);
    let mut ipvs = Client::in_namespace_fd(director).unwrap();
    let runner = Runner::start(RunnerOptions::new().marks(marks(&mut ipvs))).unwrap();
    let command = Probe::command(CommandCheck::new("true", [""; 0]));
    assert!(matches!(refused(&runner, check(command)), ThroughError::Kind(_)));
    let marked = Probe::tcp().origin(Origin::new().mark(3));
    assert_eq!(refused(&runner, check(marked)), ThroughError::MarkGiven(3));
    let source = vip(false);
    let other = Probe::tcp().origin(Origin::new().source(source));
    assert_eq!(refused(&runner, check(other)), ThroughError::SourceFamily(source));
    let slow = Probe::tcp().timeout(ms(60_001));
    assert_eq!(refused(&runner, check(slow)), ThroughError::TooLong);
    let mut mixed = table();
    let far: SocketAddr = "[fd00:2:1::2]:80".parse().unwrap();
    mixed.insert(Destination::tunnel(far, Tunnel::Ipip));
    let mixed = Watched::new(mixed).check(Probe::tcp().through(), pace());
    assert_eq!(refused(&runner, mixed), ThroughError::SourceNeeded);
    assert!(runner.updates().try_next().is_none());
}

#[test]
fn a_lost_route_to_the_server_is_a_failure_and_one_to_the_address_is_none() {
    let network = Network::with_servers(1).unwrap();
    let (director, server) = (&network.director, &network.servers[0]);
    let way = Way::one(Forwarding::Masquerade, true);
    let _visits = serve(server, &[way.server_port()]);
    let mut ipvs = Client::in_namespace_fd(director).unwrap();
    let program = Program::start(director, RunnerOptions::new().marks(marks(&mut ipvs)));
    program.watch(watched(way.table(way.service(), &[0]), Probe::tcp().through()));
    program.wait_for(&[(way.service(), way.server(0), Up)]);
    ip(director, &format!("address del {}/24 dev lo", vip(true)));
    program.wait("refused", |said| !said.refused.is_empty());
    assert_eq!(program.refused(), [(way.service(), ThroughError::NoRoute(vip(true)))]);
    assert_eq!(program.verdict(way.service(), way.server(0)), Some(Up));
    ip(director, &format!("address add {}/24 dev lo", vip(true)));
    ip(director, "route del 10.2.1.0/24 dev server0");
    program.wait_for(&[(way.service(), way.server(0), Down)]);
    assert_eq!(program.refused(), []);
    program.stop();
}

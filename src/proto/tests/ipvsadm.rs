//! Our requests say what those of `ipvsadm` 1.31 say.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::model::{
    AddressFamily, Change, Destination, GueChecksum, Persistence, PersistenceEngine, Role,
    Scheduler, Service, ServiceFlags, ServiceId, SyncDaemon, Timeouts, Tunnel,
};
use crate::proto::tests::meaning::{Asked, Meaning};
use crate::wire::Request;
use crate::wire::tests::capture::Capture;

const LONG: Duration = Duration::from_secs(360);

fn tcp(address: &str) -> Service {
    Service::tcp(address.parse().unwrap()).scheduler(Scheduler::ROUND_ROBIN)
}

fn udp(address: &str) -> Service {
    Service::udp(address.parse().unwrap()).scheduler(Scheduler::ROUND_ROBIN)
}

fn mark(family: AddressFamily) -> Service {
    Service::fwmark(5, family).scheduler(Scheduler::ROUND_ROBIN)
}

fn web() -> ServiceId {
    tcp("10.0.0.1:80").id
}

fn masquerade(address: &str) -> Destination {
    Destination::masquerade(address.parse().unwrap())
}

fn tunnel(address: &str, tunnel: Tunnel) -> Destination {
    Destination::tunnel(address.parse().unwrap(), tunnel)
}

fn route(address: &str) -> Destination {
    Destination::direct_route(address.parse().unwrap())
}

fn daemon(role: Role) -> SyncDaemon {
    SyncDaemon::new(role, "d0".parse().unwrap())
}

/// A listing: the services, and the destinations of each.
fn listing() -> Vec<Asked> {
    let services = [
        web(),
        tcp("10.0.0.1:443").id,
        udp("10.0.0.1:53").id,
        udp("10.0.0.1:5060").id,
        tcp("[2001:db8::1]:80").id,
        mark(AddressFamily::Ipv4).id,
        mark(AddressFamily::Ipv6).id,
    ];
    let mut asked = vec![Asked::Read(Request::Services)];
    asked.extend(services.map(Asked::destinations));
    asked
}

/// What each command asks for, after the info that all begin with.
fn commands() -> Vec<(&'static str, Vec<Asked>)> {
    let one = |change: Change| vec![Asked::from(change)];
    let add = |service| one(Change::AddService(service));
    let attach = |destination| one(Change::AddDestination(web(), destination));
    let gue = Tunnel::Gue { port: 6080, checksum: GueChecksum::Full };
    let sh_flags = ServiceFlags::SH_FALLBACK | ServiceFlags::SH_PORT;
    let sticky = |seconds| Persistence::new(Duration::from_secs(seconds));
    let timeouts = |all: [u64; 3]| {
        let [tcp, tcp_fin, udp] = all.map(|it| (it != 0).then_some(Duration::from_secs(it)));
        one(Change::SetTimeouts(Timeouts { tcp, tcp_fin, udp }))
    };
    let backup = daemon(Role::Backup).sync_id(6).max_length(1300).port(9000).ttl(7);
    let group = [239, 1, 2, 3].into();
    let (v6, v6_server) = (tcp("[2001:db8::1]:80"), masquerade("[2001:db8::2]:80"));
    let net = [255, 255, 255, 0].into();
    let missing = tcp("10.0.0.1:80").scheduler("nosuch".parse().unwrap());
    let https = tcp("10.0.0.1:443").scheduler(Scheduler::WEIGHTED_LEAST_CONNECTION);
    let sip = udp("10.0.0.1:5060").persistence(sticky(60).engine(PersistenceEngine::SIP));
    let old = route("10.0.1.2:80").id;
    vec![
        ("01", add(tcp("10.0.0.1:80"))),
        ("02", add(https.persistence(sticky(300).netmask(net)))),
        ("03", add(v6.clone().scheduler(Scheduler::SOURCE_HASHING).flags(sh_flags))),
        ("04", add(mark(AddressFamily::Ipv4).persistent(LONG))),
        ("05", add(mark(AddressFamily::Ipv6))),
        ("06", add(sip)),
        ("07", add(udp("10.0.0.1:53").one_packet())),
        ("08", {
            let edited = tcp("10.0.0.1:80").scheduler(Scheduler::WEIGHTED_ROUND_ROBIN);
            one(Change::UpdateService(edited))
        }),
        ("09", attach(masquerade("10.0.1.1:8080").weight(3).thresholds(200, 100))),
        ("10", attach(route("10.0.1.2:80"))),
        ("11", attach(tunnel("10.0.1.3:80", Tunnel::Ipip))),
        ("12", attach(tunnel("10.0.1.4:80", gue))),
        ("13", attach(tunnel("10.0.1.5:80", Tunnel::Gre { checksum: false }))),
        ("14", one(Change::AddDestination(v6.id, v6_server))),
        ("15", one(Change::AddDestination(mark(AddressFamily::Ipv4).id, route("10.0.1.6:0")))),
        ("16", one(Change::UpdateDestination(web(), masquerade("10.0.1.1:8080").weight(5)))),
        ("17", one(Change::DeleteDestination(web(), old))),
        ("18", listing()),
        ("19", listing()),
        ("20", vec![Asked::service(web()), Asked::destinations(web())]),
        ("21", vec![Asked::Read(Request::Timeouts)]),
        ("22", vec![Asked::Read(Request::Daemons)]),
        ("23", timeouts([900, 120, 300])),
        ("24", timeouts([0, 60, 0])),
        ("25", one(Change::StartDaemon(daemon(Role::Master).sync_id(5)))),
        ("26", one(Change::StartDaemon(backup.group(group)))),
        ("27", vec![Asked::Read(Request::Daemons)]),
        ("28", one(Change::StopDaemon(Role::Master))),
        ("29", one(Change::ZeroService(web()))),
        ("30", one(Change::ZeroAll)),
        ("31", listing()),
        ("32", one(Change::DeleteService(mark(AddressFamily::Ipv4).id))),
        ("33", one(Change::Flush)),
        ("34", add(missing)),
        ("35", one(Change::DeleteService(tcp("10.0.0.9:80").id))),
    ]
}

#[test]
fn every_command_says_the_same() {
    let captures = Capture::all().into_iter().filter(|it| it.name.starts_with("ipvsadm-"));
    let commands = commands();
    let mut seen = BTreeSet::new();
    for capture in captures {
        let number = &capture.name["ipvsadm-".len()..][..2];
        let (number, asked) = commands.iter().find(|it| it.0 == number).unwrap();
        let theirs: Vec<Meaning> = capture.requests().iter().map(Meaning::of).collect();
        let mut ours = vec![Asked::INFO.meaning()];
        ours.extend(asked.iter().map(Asked::meaning));
        assert_eq!(ours, theirs, "{}", capture.name);
        seen.insert(*number);
    }
    assert_eq!(seen.len(), commands.len());
}

#[test]
fn the_comparison_sees_a_difference() {
    let add = |service: Service| Asked::from(Change::AddService(service)).meaning();
    let attach = |it: Destination| Asked::from(Change::AddDestination(web(), it)).meaning();
    assert_ne!(add(tcp("10.0.0.1:80")), add(tcp("10.0.0.1:81")));
    assert_ne!(add(tcp("10.0.0.1:80")), add(tcp("10.0.0.1:80").one_packet()));
    assert_ne!(attach(masquerade("10.0.1.1:80")), attach(masquerade("10.0.1.1:80").weight(2)));
    let gre = |checksum| attach(tunnel("10.0.1.1:80", Tunnel::Gre { checksum }));
    assert_ne!(gre(false), gre(true));
    assert_ne!(Asked::service(web()).meaning(), Asked::Read(Request::Services).meaning());
}

//! Our requests say what those say that three kernels took.

use std::time::Duration;

use crate::model::{
    AddressFamily, Change, Destination, Forwarding, GueChecksum, Persistence, PersistenceEngine,
    Role, Scheduler, Service, ServiceFlags, ServiceId, SyncDaemon, Timeouts, Tunnel,
};
use crate::proto::tests::family;
use crate::proto::tests::meaning::{Asked, Meaning};
use crate::uapi::*;
use crate::wire::Request;
use crate::wire::tests::capture::{Capture, KERNELS};

fn assert_said(file: &str, asked: impl Into<Asked>) {
    let asked = asked.into();
    for kernel in KERNELS {
        let name = format!("{kernel}-{file}");
        let mut requests = Capture::named(&name).requests();
        assert_eq!(requests.len(), 1, "{name}");
        requests[0].kind = family().number();
        assert_eq!(asked.meaning(), Meaning::of(&requests[0]), "{name}");
    }
}

fn tcp(address: &str) -> Service {
    Service::tcp(address.parse().unwrap())
}

fn rr(service: Service) -> Service {
    service.scheduler(Scheduler::ROUND_ROBIN)
}

fn v4() -> ServiceId {
    tcp("192.0.2.1:80").id
}

fn v6() -> ServiceId {
    tcp("[2001:db8::1]:443").id
}

fn sticky(seconds: u64) -> Persistence {
    Persistence::new(Duration::from_secs(seconds))
}

#[test]
fn additions_of_services() {
    let udp = |address: &str| rr(Service::udp(address.parse().unwrap()));
    let sctp = Service::sctp("192.0.2.1:3868".parse().unwrap());
    let masked = sticky(360).netmask([255, 255, 255, 0].into());
    let hashed = ServiceFlags::SCHED_1 | ServiceFlags::SCHED_2;
    let services = [
        ("008-new-svc-v4-tcp", tcp("192.0.2.1:80")),
        ("010-new-svc-v4-udp-ops", udp("192.0.2.1:53").one_packet()),
        ("011-new-svc-v4-sctp", sctp.scheduler(Scheduler::WEIGHTED_ROUND_ROBIN)),
        ("012-new-svc-v4-persistent", tcp("192.0.2.2:443").persistence(masked)),
        (
            "013-new-svc-v6-persistent",
            rr(tcp("[2001:db8::1]:443")).persistence(sticky(50).prefix(64)),
        ),
        ("014-new-svc-v6-udp", udp("[2001:db8::1]:53")),
        ("015-new-svc-fwm-v4", rr(Service::fwmark(1, AddressFamily::Ipv4))),
        ("016-new-svc-fwm-v6", rr(Service::fwmark(1, AddressFamily::Ipv6))),
        (
            "017-new-svc-pe-sip",
            udp("192.0.2.3:5060").persistence(sticky(60).engine(PersistenceEngine::SIP)),
        ),
        ("018-new-svc-sched-none", tcp("192.0.2.4:80").scheduler(Scheduler::NONE)),
        (
            "019-new-svc-sh-flags",
            tcp("192.0.2.5:80").scheduler(Scheduler::SOURCE_HASHING).flags(hashed),
        ),
        (
            "020-new-svc-mh-flags",
            tcp("192.0.2.6:80").scheduler(Scheduler::MAGLEV_HASHING).flags(hashed),
        ),
    ];
    for (file, service) in services {
        assert_said(file, Change::AddService(service));
    }
}

#[test]
fn an_update_replaces_all_flags() {
    let service = rr(tcp("192.0.2.1:80")).persistence(sticky(120));
    for kernel in KERNELS {
        let capture = Capture::named(&format!("{kernel}-021-set-svc"));
        let mut request = capture.requests().remove(0);
        request.kind = family().number();
        // The capture changes only the flag for persistence.
        let flags = [&[8 + 4, 0][..], &IPVS_SVC_ATTR_FLAGS.to_ne_bytes()].concat();
        let at = request.payload.windows(4).position(|it| it == flags).unwrap();
        assert_eq!(request.payload[at + 8..at + 12], 1_u32.to_ne_bytes());
        request.payload[at + 8..at + 12].fill(0xff);
        let asked = Asked::from(Change::UpdateService(service.clone()));
        assert_eq!(asked.meaning(), Meaning::of(&request), "{kernel}");
    }
}

#[test]
fn additions_of_destinations() {
    let masquerade = |address: &str| Destination::masquerade(address.parse().unwrap());
    let tunnel = |address: &str, it| Destination::tunnel(address.parse().unwrap(), it);
    let route = |address: &str| Destination::direct_route(address.parse().unwrap());
    let gue = |checksum| Tunnel::Gue { port: 6080, checksum };
    let gre = |checksum| Tunnel::Gre { checksum };
    let of_v4 = [
        ("031-new-dest-masq", masquerade("10.0.0.1:8080")),
        ("032-new-dest-masq-af", masquerade("10.0.0.2:8080").weight(100).thresholds(200, 100)),
        ("033-new-dest-droute", route("10.0.0.3:80").weight(0)),
        ("034-new-dest-ipip", tunnel("10.0.0.4:80", Tunnel::Ipip)),
        ("035-new-dest-gue", tunnel("10.0.0.5:80", gue(GueChecksum::None))),
        ("036-new-dest-gue-csum", tunnel("10.0.0.6:80", gue(GueChecksum::Full))),
        ("037-new-dest-gue-remcsum", tunnel("10.0.0.7:80", gue(GueChecksum::RemoteOffload))),
        ("038-new-dest-gre", tunnel("10.0.0.8:80", gre(false))),
        ("039-new-dest-gre-csum", tunnel("10.0.0.9:80", gre(true))),
        ("040-new-dest-local", masquerade("127.0.0.1:80").forwarding(Forwarding::LocalNode)),
        ("041-new-dest-bypass", masquerade("10.0.0.10:80").forwarding(Forwarding::Bypass)),
        ("042-new-dest-v6-in-v4", tunnel("[2001:db8:1::1]:80", Tunnel::Ipip)),
    ];
    for (file, destination) in of_v4 {
        assert_said(file, Change::AddDestination(v4(), destination));
    }
    let v6_server = masquerade("[2001:db8:1::1]:8443");
    assert_said("043-new-dest-v6", Change::AddDestination(v6(), v6_server));
    let v4_server = tunnel("10.0.0.11:443", Tunnel::Ipip);
    assert_said("044-new-dest-v4-in-v6", Change::AddDestination(v6(), v4_server));
    let mark = ServiceId::fwmark(1, AddressFamily::Ipv4);
    assert_said("045-new-dest-fwm", Change::AddDestination(mark, route("10.0.0.12:0")));
    let edited = masquerade("10.0.0.1:8080").weight(5).thresholds(10, 5);
    assert_said("046-set-dest", Change::UpdateDestination(v4(), edited));
    let id = masquerade("10.0.0.10:80").id;
    assert_said("053-del-dest", Change::DeleteDestination(v4(), id));
}

#[test]
fn daemons_and_timeouts() {
    let daemon = |role| SyncDaemon::new(role, "d0".parse().unwrap());
    let master = daemon(Role::Master).sync_id(5);
    let backup = daemon(Role::Backup).max_length(1300).port(9000).ttl(7);
    let v6_master = daemon(Role::Master).sync_id(7).group("ff05::51".parse().unwrap());
    assert_said("080-new-daemon-master", Change::StartDaemon(master));
    let backup = backup.group([239, 1, 2, 3].into());
    assert_said("082-new-daemon-backup", Change::StartDaemon(backup));
    assert_said("088-new-daemon-v6", Change::StartDaemon(v6_master));
    assert_said("085-del-daemon", Change::StopDaemon(Role::Master));
    assert_said("087-del-daemon-backup", Change::StopDaemon(Role::Backup));
    let [tcp, tcp_fin, udp] = [1000, 60, 200].map(|it| Some(Duration::from_secs(it)));
    assert_said("005-set-config", Change::SetTimeouts(Timeouts { tcp, tcp_fin, udp }));
}

#[test]
fn removals_zeroing_and_reads() {
    let mark = |family| ServiceId::fwmark(1, family);
    assert_said("075-del-svc-v4", Change::DeleteService(tcp("192.0.2.5:80").id));
    assert_said("076-del-svc-fwm6", Change::DeleteService(mark(AddressFamily::Ipv6)));
    assert_said("073-zero-svc", Change::ZeroService(v4()));
    assert_said("074-zero-all", Change::ZeroAll);
    assert_said("077-flush", Change::Flush);
    let reads = [
        ("009-get-info", Asked::INFO),
        ("004-get-config", Asked::Read(Request::Timeouts)),
        ("022-get-svc-v4", Asked::service(v4())),
        ("023-get-svc-v6", Asked::service(v6())),
        ("024-get-svc-fwm", Asked::service(mark(AddressFamily::Ipv4))),
        ("029-dump-services", Asked::Read(Request::Services)),
        ("047-dump-dests", Asked::destinations(v4())),
        ("048-dump-dests-v6", Asked::destinations(v6())),
        ("049-dump-dests-fwm", Asked::destinations(mark(AddressFamily::Ipv4))),
        ("083-dump-daemons-both", Asked::Read(Request::Daemons)),
    ];
    for (file, asked) in reads {
        assert_said(file, asked);
    }
}

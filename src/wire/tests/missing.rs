//! Which attributes a report cannot be without.

use std::time::Duration;

use crate::model::{
    AddressFamily, Connections, Destination, DestinationEntry, Info, Persistence,
    PersistenceEngine, Role, Service, ServiceEntry, Stats, SyncDaemon, Tunnel, Version,
};
use crate::uapi::*;
use crate::wire::Reported;
use crate::wire::tests::any_report::AnyReport;
use crate::wire::tests::raw::{Attribute, join, split, within};

/// The kinds of the attributes without which the report cannot be read.
fn needed(report: &AnyReport) -> Vec<u16> {
    let (bytes, nested) = (report.bytes(), !report.nests().is_empty());
    let all = if nested { split(&split(&bytes)[0].1) } else { split(&bytes) };
    let is_needed = |kind: &u16| {
        let rest = |all: Vec<Attribute>| all.into_iter().filter(|it| it.0 != *kind).collect();
        let rest = if nested { within(&bytes, rest) } else { join(&rest(split(&bytes))) };
        AnyReport::decode(report.command(), &rest).is_err()
    };
    all.into_iter().map(|it| it.0).filter(is_needed).collect()
}

fn service(service: Service) -> AnyReport {
    AnyReport::Service(ServiceEntry { service, stats: Stats::default() })
}

#[test]
fn a_service_has_identity_scheduler_and_flags() {
    let plain = Service::tcp("192.0.2.1:80".parse().unwrap());
    let identity =
        [IPVS_SVC_ATTR_AF, IPVS_SVC_ATTR_PROTOCOL, IPVS_SVC_ATTR_ADDR, IPVS_SVC_ATTR_PORT];
    let settings = [IPVS_SVC_ATTR_SCHED_NAME, IPVS_SVC_ATTR_FLAGS];
    assert_eq!(needed(&service(plain.clone())), [&identity[..], &settings].concat());
    let sticky = Persistence::new(Duration::from_secs(60)).engine(PersistenceEngine::SIP);
    let persistence = [IPVS_SVC_ATTR_TIMEOUT, IPVS_SVC_ATTR_NETMASK];
    let persistent = service(plain.persistence(sticky));
    assert_eq!(needed(&persistent), [&identity[..], &settings, &persistence].concat());
    let mark = [IPVS_SVC_ATTR_AF, IPVS_SVC_ATTR_FWMARK];
    let marked = service(Service::fwmark(5, AddressFamily::Ipv6));
    assert_eq!(needed(&marked), [mark, settings].concat());
}

fn destination() -> DestinationEntry {
    let gre = Tunnel::Gre { checksum: true };
    let destination = Destination::tunnel("10.0.0.2:80".parse().unwrap(), gre);
    DestinationEntry { destination, connections: Connections::default(), stats: Stats::default() }
}

#[test]
fn a_destination_has_identity_method_and_weight() {
    let expected = [
        IPVS_DEST_ATTR_ADDR,
        IPVS_DEST_ATTR_PORT,
        IPVS_DEST_ATTR_ADDR_FAMILY,
        IPVS_DEST_ATTR_FWD_METHOD,
        IPVS_DEST_ATTR_WEIGHT,
    ];
    assert_eq!(needed(&AnyReport::Destination(destination())), expected);
}

#[test]
fn old_kernels_leave_the_family_of_a_destination_to_its_service() {
    let bytes = AnyReport::Destination(destination()).bytes();
    let old = within(&bytes, |all| {
        all.into_iter().filter(|it| it.0 != IPVS_DEST_ATTR_ADDR_FAMILY).collect()
    });
    assert_eq!(DestinationEntry::decode(&old, Some(AddressFamily::Ipv4)), Ok(destination()));
    let v6 = DestinationEntry::decode(&old, Some(AddressFamily::Ipv6)).unwrap();
    assert_eq!(v6.destination.id.family(), AddressFamily::Ipv6);
    let both = DestinationEntry::decode(&bytes, Some(AddressFamily::Ipv6));
    assert_eq!(both, Ok(destination()), "what the kernel says counts");
}

#[test]
fn a_daemon_has_role_interface_and_id() {
    let daemon = SyncDaemon::new(Role::Master, "eth0".parse().unwrap()).port(8848).ttl(1);
    let daemon = daemon.max_length(1472).group([224, 0, 0, 81].into());
    let expected = [IPVS_DAEMON_ATTR_STATE, IPVS_DAEMON_ATTR_MCAST_IFN, IPVS_DAEMON_ATTR_SYNC_ID];
    assert_eq!(needed(&AnyReport::Daemon(daemon)), expected);
}

#[test]
fn info_has_both_numbers() {
    let version = Version { major: 1, minor: 2, patch: 1 };
    let info = Info { version, connection_table_size: 0 };
    let expected = [IPVS_INFO_ATTR_VERSION, IPVS_INFO_ATTR_CONN_TAB_SIZE];
    assert_eq!(needed(&AnyReport::Info(info)), expected);
}

#[test]
fn a_value_that_is_too_short_is_no_value() {
    for report in
        [AnyReport::Destination(destination()), service(Service::fwmark(5, AddressFamily::Ipv4))]
    {
        for place in 0..split(&split(&report.bytes())[0].1).len() {
            let short = within(&report.bytes(), |mut all| {
                all[place].1.pop();
                all
            });
            let kind = split(&split(&short)[0].1)[place].0;
            let read = AnyReport::decode(report.command(), &short);
            // A name needs no NUL, an IPv4 address only four of its bytes, and of the
            // flags the mask is not read. The timeout of what is not persistent is not either.
            let lenient = match report {
                AnyReport::Service(_) => matches!(
                    kind,
                    IPVS_SVC_ATTR_SCHED_NAME
                        | IPVS_SVC_ATTR_FLAGS
                        | IPVS_SVC_ATTR_TIMEOUT
                        | IPVS_SVC_ATTR_NETMASK
                ),
                _ => kind == IPVS_DEST_ATTR_ADDR,
            };
            if lenient {
                assert_eq!(read.as_ref(), Ok(&report), "{kind}");
            } else {
                assert!(read.is_err(), "{kind}");
            }
        }
    }
}

//! Names that must not reach `modprobe`: no client sends them, whatever settings a kernel reports.

use ipvs_netlink::{
    Certainty, ErrorKind, IpvsMessage, PersistenceEngine, Scheduler, Service, ServiceId,
};
use netlink_packet_core::ParseableParametrized;
use netlink_packet_generic::GenlHeader;

use super::namespace::fresh;
use super::raw::*;

/// A persistence timeout that validation refuses.
const SECONDS: u32 = 5_000_000;

fn web() -> Attributes {
    service_id(6, [192, 0, 2, 10], 80)
}

/// A persistent service.
fn settings(scheduler: &[u8]) -> Attributes {
    web().bytes(6, scheduler).bytes(7, &[1, 0, 0, 0, 255, 255, 255, 255]).u32(8, SECONDS).u32(9, 0)
}

/// Makes a service entry as a hostile program would report it.
fn reported(service: &Attributes) -> Service {
    let counters = (1..=10).fold(attributes(), |all, kind| all.bytes(kind, &[0; 8]));
    let bytes = attributes().nest(1, &service.clone().nest(12, &counters)).into_bytes();
    let header = GenlHeader { cmd: NEW_SERVICE, version: 1 };
    match IpvsMessage::parse_with_param(&bytes[..], header).unwrap() {
        IpvsMessage::Service(entry) => entry.service,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_odd_name_is_refused_though_the_service_breaks_another_rule_already() {
    let mut ipvs = fresh();
    let id = ServiceId::tcp(([192, 0, 2, 10], 80).into());
    assert_eq!(send(NEW_SERVICE, &attributes().nest(1, &settings(b"rr\0"))), 0);
    let before = ipvs.service(id).unwrap().service;
    assert_eq!(before.persistence.unwrap().timeout.as_secs(), u64::from(SECONDS));
    assert!(before.validate().is_err());

    let scheduler = reported(&settings(b"../../x y\0")).scheduler;
    let engine = reported(&settings(b"rr\0").bytes(11, b"$(id)/..\0")).persistence.unwrap().engine;
    let refusals = [
        ipvs.set_scheduler(id, scheduler),
        ipvs.modify_service(id, |it| it.scheduler = scheduler),
        ipvs.modify_service(id, |it| it.persistence.as_mut().unwrap().engine = engine),
        ipvs.add_service(&Service::new(id).scheduler(scheduler)),
    ];
    for refusal in refusals {
        let error = refusal.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidValue, "{error}");
        assert_eq!(error.certainty(), Some(Certainty::NotSent));
    }
    assert_eq!(ipvs.service(id).unwrap().service, before);

    // A setting that was read and breaks a rule may stay.
    ipvs.set_scheduler(id, Scheduler::SOURCE_HASHING).unwrap();
    let after = ipvs.service(id).unwrap().service;
    assert_eq!(after, before.scheduler(Scheduler::SOURCE_HASHING));
    assert_eq!(PersistenceEngine::new("$(id)/..").unwrap_err().field(), "persistence engine");
}

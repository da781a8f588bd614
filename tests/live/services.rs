//! Services: every setting survives the way through the kernel.

use std::net::Ipv4Addr;
use std::time::Duration;

use ipvs_netlink::{
    AddressFamily, Change, ErrorKind, Persistence, PersistenceEngine, Protocol, Scheduler, Service,
    ServiceFlags, ServiceId,
};

use super::namespace::fresh;

fn tcp(address: &str) -> Service {
    Service::tcp(address.parse().unwrap())
}

fn minute() -> Persistence {
    Persistence::new(Duration::from_secs(60))
}

#[test]
fn every_service_is_read_back_as_it_was_written() {
    let mut ipvs = fresh();
    let address = "10.0.0.1:80".parse().unwrap();
    let services = [
        tcp("10.0.0.1:80"),
        tcp("[2001:db8::1]:80"),
        tcp("0.0.0.0:0").persistence(minute()),
        Service::udp(address).one_packet(),
        Service::sctp(address).scheduler(Scheduler::NONE),
        Service::udp("[2001:db8::1]:53".parse().unwrap()),
        Service::fwmark(1, AddressFamily::Ipv4),
        Service::fwmark(1, AddressFamily::Ipv6).persistence(minute().prefix(64)),
        Service::fwmark(u32::MAX, AddressFamily::Ipv4),
        tcp("10.0.0.2:1").persistent(Duration::from_secs(4_294_967)),
        tcp("10.0.0.2:2").persistent(Duration::ZERO),
        tcp("10.0.0.2:3").persistence(minute().netmask([255, 0, 255, 0].into())),
        tcp("10.0.0.2:4").persistence(minute().netmask(Ipv4Addr::UNSPECIFIED)),
        tcp("10.0.0.2:5").persistence(minute().netmask(Ipv4Addr::BROADCAST)),
        tcp("[2001:db8::2]:1").persistence(minute().prefix(1)),
        tcp("[2001:db8::2]:2").persistence(minute().prefix(128)),
        Service::udp("10.0.0.2:5060".parse().unwrap())
            .persistence(minute().engine(PersistenceEngine::SIP)),
        tcp("10.0.0.3:1").flags(ServiceFlags::SCHED_3),
        tcp("10.0.0.3:2").flags(ServiceFlags::from_bits_retain(0x8000_0040)),
        tcp("10.0.0.3:3")
            .scheduler(Scheduler::SOURCE_HASHING)
            .flags(ServiceFlags::SH_FALLBACK | ServiceFlags::SH_PORT),
        tcp("10.0.0.3:4")
            .scheduler(Scheduler::MAGLEV_HASHING)
            .flags(ServiceFlags::MH_FALLBACK | ServiceFlags::MH_PORT),
    ];
    for service in &services {
        ipvs.add_service(service).unwrap();
        assert_eq!(&ipvs.service(service.id).unwrap().service, service);
    }
    let all = ipvs.services().unwrap();
    assert_eq!(all.len(), services.len());
    for service in &services {
        assert!(all.iter().any(|entry| entry.service == *service), "{service:?}");
    }
    let streamed: Result<Vec<_>, _> = ipvs.stream_services().unwrap().collect();
    assert_eq!(streamed.unwrap(), all);
}

#[test]
fn every_scheduler_of_the_kernel_can_be_set_and_is_loaded_on_demand() {
    let mut ipvs = fresh();
    let known = [
        "rr", "wrr", "lc", "wlc", "lblc", "lblcr", "dh", "sh", "sed", "nq", "fo", "ovf", "mh",
        "none",
    ];
    let web = tcp("10.0.0.1:80");
    ipvs.add_service(&web).unwrap();
    for name in known {
        let scheduler: Scheduler = name.parse().unwrap();
        ipvs.set_scheduler(web.id, scheduler).unwrap();
        assert_eq!(ipvs.service(web.id).unwrap().service.scheduler, scheduler);
    }
    // Linux 5.12 has twos, but not every build of it.
    match ipvs.set_scheduler(web.id, Scheduler::WEIGHTED_RANDOM_TWOS_CHOICE) {
        Ok(()) => assert_eq!(ipvs.service(web.id).unwrap().service.scheduler.to_string(), "twos"),
        Err(error) => assert_eq!(error.kind(), ErrorKind::UnknownScheduler),
    }
}

#[test]
fn an_update_replaces_every_setting() {
    let mut ipvs = fresh();
    let before = Service::udp("10.0.0.1:5060".parse().unwrap())
        .scheduler(Scheduler::SOURCE_HASHING)
        .flags(ServiceFlags::SH_PORT | ServiceFlags::ONE_PACKET)
        .persistence(minute().netmask([255, 255, 255, 0].into()).engine(PersistenceEngine::SIP));
    ipvs.add_service(&before).unwrap();
    let after = Service::new(before.id).scheduler(Scheduler::ROUND_ROBIN);
    ipvs.update_service(&after).unwrap();
    assert_eq!(ipvs.service(before.id).unwrap().service, after);
}

#[test]
fn changing_the_scheduler_keeps_the_persistence_engine_and_the_flags() {
    let mut ipvs = fresh();
    let service = Service::udp("10.0.0.1:5060".parse().unwrap())
        .one_packet()
        .persistence(minute().netmask([255, 255, 0, 0].into()).engine(PersistenceEngine::SIP));
    ipvs.add_service(&service).unwrap();
    ipvs.set_scheduler(service.id, Scheduler::ROUND_ROBIN).unwrap();
    let expected = service.scheduler(Scheduler::ROUND_ROBIN);
    assert_eq!(ipvs.service(expected.id).unwrap().service, expected);
}

#[test]
fn one_setting_is_changed_and_the_others_stay() {
    let mut ipvs = fresh();
    let service = Service::udp("10.0.0.1:5060".parse().unwrap())
        .scheduler(Scheduler::MAGLEV_HASHING)
        .flags(ServiceFlags::MH_PORT)
        .persistence(minute().engine(PersistenceEngine::SIP));
    ipvs.add_service(&service).unwrap();
    ipvs.modify_service(service.id, |service| service.flags |= ServiceFlags::MH_FALLBACK).unwrap();
    let expected = service.flags(ServiceFlags::MH_PORT | ServiceFlags::MH_FALLBACK);
    assert_eq!(ipvs.service(expected.id).unwrap().service, expected);
    let moved = ipvs.modify_service(expected.id, |service| service.id = tcp("10.0.0.2:1").id);
    assert_eq!(moved.unwrap_err().kind(), ErrorKind::InvalidValue);
}

#[test]
fn a_service_that_this_crate_would_not_create_is_read_zeroed_updated_and_deleted() {
    let mut ipvs = fresh();
    let esp = ServiceId::Address {
        protocol: Protocol::from_number(50),
        address: "10.0.0.1:0".parse().unwrap(),
    };
    assert_eq!(ipvs.add_service(&Service::new(esp)).unwrap_err().kind(), ErrorKind::InvalidValue);
    super::raw::add_service(50, [10, 0, 0, 1], 0, "rr");
    assert_eq!(ipvs.service(esp).unwrap().service.scheduler, Scheduler::ROUND_ROBIN);
    assert_eq!(ipvs.services().unwrap().len(), 1);
    ipvs.zero_service(esp).unwrap();
    ipvs.set_scheduler(esp, Scheduler::LEAST_CONNECTION).unwrap();
    assert!(ipvs.destinations(esp).unwrap().is_empty());
    ipvs.delete_service(esp).unwrap();
    assert!(ipvs.services().unwrap().is_empty());
}

#[test]
fn the_same_mark_in_both_families_names_two_services() {
    let mut ipvs = fresh();
    for family in [AddressFamily::Ipv4, AddressFamily::Ipv6] {
        ipvs.add_service(&Service::fwmark(7, family)).unwrap();
    }
    ipvs.delete_service(ServiceId::fwmark(7, AddressFamily::Ipv4)).unwrap();
    let left = ipvs.services().unwrap();
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].service.id.to_string(), "FWM 7 IPv6");
}

#[test]
fn flush_and_zero_succeed_on_an_empty_table_and_flush_empties_a_full_one() {
    let mut ipvs = fresh();
    ipvs.flush().unwrap();
    ipvs.zero_all().unwrap();
    for port in 1..=300 {
        ipvs.add_service(&tcp(&format!("10.0.0.1:{port}"))).unwrap();
    }
    assert_eq!(ipvs.services().unwrap().len(), 300);
    ipvs.flush().unwrap();
    assert!(ipvs.services().unwrap().is_empty());
}

#[test]
fn a_change_as_a_value_does_what_the_method_does() {
    let mut ipvs = fresh();
    let web = tcp("10.0.0.1:80");
    ipvs.apply_change(&Change::AddService(web.clone())).unwrap();
    assert_eq!(ipvs.service(web.id).unwrap().service, web);
    ipvs.apply_change(&Change::DeleteService(web.id)).unwrap();
    assert_eq!(ipvs.service(web.id).unwrap_err().kind(), ErrorKind::NoSuchService);
}

#[test]
fn a_stream_given_up_early_leaves_the_client_usable() {
    let mut ipvs = fresh();
    for port in 1..=500 {
        ipvs.add_service(&tcp(&format!("10.0.0.1:{port}"))).unwrap();
    }
    for _ in 0..3 {
        let first = ipvs.stream_services().unwrap().next().unwrap().unwrap();
        assert_eq!(ipvs.service(first.service.id).unwrap().service, first.service);
        assert_eq!(ipvs.services().unwrap().len(), 500);
    }
}

//! The services that kernels reported.

use std::time::Duration;

use crate::model::{
    AddressFamily, Netmask, Persistence, PersistenceEngine, Rates, Scheduler, Service,
    ServiceEntry, ServiceFlags, Stats,
};
use crate::wire::tests::capture::{Capture, KERNELS};

fn tcp(address: &str) -> Service {
    Service::tcp(address.parse().unwrap())
}

fn udp(address: &str) -> Service {
    Service::udp(address.parse().unwrap()).scheduler(Scheduler::ROUND_ROBIN)
}

fn sticky(seconds: u64) -> Persistence {
    Persistence::new(Duration::from_secs(seconds))
}

/// What was written before the services of the captures were read.
fn edited() -> Service {
    tcp("192.0.2.1:80").scheduler(Scheduler::ROUND_ROBIN).persistence(sticky(120))
}

fn v6_persistent() -> Service {
    tcp("[2001:db8::1]:443").scheduler(Scheduler::ROUND_ROBIN).persistence(sticky(50).prefix(64))
}

fn fwmark(family: AddressFamily) -> Service {
    Service::fwmark(1, family).scheduler(Scheduler::ROUND_ROBIN)
}

fn with_engine() -> Service {
    udp("192.0.2.3:5060").persistence(sticky(60).engine(PersistenceEngine::SIP))
}

fn unscheduled() -> Service {
    tcp("192.0.2.4:80").scheduler(Scheduler::NONE)
}

fn source_hashed() -> Service {
    let flags = ServiceFlags::SH_FALLBACK | ServiceFlags::SH_PORT;
    tcp("192.0.2.5:80").scheduler(Scheduler::SOURCE_HASHING).flags(flags)
}

fn all() -> Vec<Service> {
    let mh_flags = ServiceFlags::MH_FALLBACK | ServiceFlags::MH_PORT;
    vec![
        edited(),
        udp("192.0.2.1:53").one_packet(),
        Service::sctp("192.0.2.1:3868".parse().unwrap()).scheduler(Scheduler::WEIGHTED_ROUND_ROBIN),
        tcp("192.0.2.2:443").persistence(sticky(360).netmask([255, 255, 255, 0].into())),
        v6_persistent(),
        udp("[2001:db8::1]:53"),
        fwmark(AddressFamily::Ipv4),
        fwmark(AddressFamily::Ipv6),
        with_engine(),
        unscheduled(),
        source_hashed(),
        tcp("192.0.2.6:80").scheduler(Scheduler::MAGLEV_HASHING).flags(mh_flags),
    ]
}

fn entries(name: &str) -> Vec<ServiceEntry> {
    Capture::named(name).reports(None)
}

fn assert_single(file: &str, expected: &Service) {
    for kernel in KERNELS {
        let expected = ServiceEntry { service: expected.clone(), stats: Stats::default() };
        assert_eq!(entries(&format!("{kernel}-{file}")), [expected], "{kernel}-{file}");
    }
}

#[test]
fn each_kind_of_service_reads_as_it_was_written() {
    assert_single("022-get-svc-v4", &edited());
    assert_single("023-get-svc-v6", &v6_persistent());
    assert_single("024-get-svc-fwm", &fwmark(AddressFamily::Ipv4));
    assert_single("025-get-svc-pe", &with_engine());
    assert_single("026-get-svc-none", &unscheduled());
    assert_single("027-get-svc-sh", &source_hashed());
    assert_single("028-get-svc-ack", &edited());
}

#[test]
fn a_dump_has_every_service_once() {
    let mut expected = all();
    expected.sort_by_key(|service| service.id);
    for kernel in KERNELS {
        for file in ["029-dump-services", "030-dump-services-with-ack-flag", "071-err-ebusy"] {
            let entries = entries(&format!("{kernel}-{file}"));
            assert!(entries.iter().all(|entry| entry.stats == Stats::default()));
            let mut services: Vec<_> = entries.into_iter().map(|entry| entry.service).collect();
            services.sort_by_key(|service| service.id);
            assert_eq!(services, expected, "{kernel}-{file}");
        }
        assert_eq!(entries(&format!("{kernel}-007-dump-services-empty")), []);
    }
}

#[test]
fn forty_services_come_in_several_datagrams() {
    for kernel in KERNELS {
        let capture = Capture::named(&format!("{kernel}-090-dump-services-multi"));
        assert_eq!(capture.received.len(), 3, "{kernel}");
        let mut services: Vec<ServiceEntry> = capture.reports(None);
        services.sort_by_key(|entry| entry.service.id);
        let expected: Vec<_> = (0..40)
            .map(|n| tcp(&format!("198.51.100.{n}:{}", 8000 + n)).scheduler(Scheduler::ROUND_ROBIN))
            .collect();
        assert_eq!(services.into_iter().map(|entry| entry.service).collect::<Vec<_>>(), expected);
    }
}

fn stats(counters: [u64; 5], rates: [u64; 5]) -> Stats {
    let [connections, incoming_packets, outgoing_packets, incoming_bytes, outgoing_bytes] = rates;
    let rates =
        Rates { connections, incoming_packets, outgoing_packets, incoming_bytes, outgoing_bytes };
    let [connections, incoming_packets, outgoing_packets, incoming_bytes, outgoing_bytes] =
        counters;
    Stats { connections, incoming_packets, outgoing_packets, incoming_bytes, outgoing_bytes, rates }
}

#[test]
fn counters_and_rates_are_read_with_and_without_padding() {
    let service = tcp("10.100.0.1:80").scheduler(Scheduler::ROUND_ROBIN);
    for (kernel, bytes_per_second) in
        [("k61", [307, 227]), ("k612", [308, 229]), ("k73", [308, 229])]
    {
        let [incoming, outgoing] = bytes_per_second;
        let stats = stats([10, 61, 41, 3290, 2440], [1, 6, 4, incoming, outgoing]);
        let expected = ServiceEntry { service: service.clone(), stats };
        assert_eq!(entries(&format!("{kernel}-data-get-service-stats-nonzero")), [expected]);
    }
}

#[test]
fn masks_and_prefixes_are_read() {
    let v6 = tcp("[fd99::1]:80").scheduler(Scheduler::ROUND_ROBIN);
    let v6 = v6.persistence(sticky(60).prefix(64));
    let v4 = tcp("10.100.0.1:80").scheduler(Scheduler::ROUND_ROBIN);
    let v4 = v4.persistence(sticky(300).netmask([255, 255, 255, 0].into()));
    assert_eq!(v4.persistence.unwrap().netmask, Some(Netmask::Ipv4([255, 255, 255, 0].into())));
    let v6_stats = stats([6, 26, 14, 1935, 1111], [1, 3, 2, 217, 139]);
    let k612_stats = stats([6, 36, 24, 1950, 1428], [1, 4, 3, 244, 178]);
    for kernel in KERNELS {
        let expected = ServiceEntry { service: v6.clone(), stats: v6_stats };
        assert_eq!(entries(&format!("{kernel}-data-get-service-v6-persistent")), [expected]);
        // The others were read before their first estimation.
        let v4_stats = if kernel == "k612" { k612_stats } else { Stats::default() };
        let expected = ServiceEntry { service: v4.clone(), stats: v4_stats };
        assert_eq!(entries(&format!("{kernel}-data-get-service-persistent")), [expected]);
    }
}

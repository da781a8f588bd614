//! The destinations that kernels reported.

use crate::model::{
    AddressFamily, Connections, Destination, DestinationEntry, Forwarding, GueChecksum, Rates,
    Stats, Tunnel,
};
use crate::wire::tests::capture::{Capture, KERNELS};

fn entries(name: &str) -> Vec<DestinationEntry> {
    // The kernel says the family of each destination, so the service's does not matter.
    let capture = Capture::named(name);
    let entries = capture.reports(Some(AddressFamily::Ipv4));
    assert_eq!(entries, capture.reports(Some(AddressFamily::Ipv6)));
    assert_eq!(entries, capture.reports(None));
    entries
}

fn assert_idle(file: &str, expected: &[Destination]) {
    for kernel in KERNELS {
        let idle = |destination: &Destination| DestinationEntry {
            destination: destination.clone(),
            connections: Connections::default(),
            stats: Stats::default(),
        };
        let expected: Vec<_> = expected.iter().map(idle).collect();
        assert_eq!(entries(&format!("{kernel}-{file}")), expected, "{kernel}-{file}");
    }
}

fn tunnel(address: &str, tunnel: Tunnel) -> Destination {
    Destination::tunnel(address.parse().unwrap(), tunnel)
}

fn masquerade(address: &str) -> Destination {
    Destination::masquerade(address.parse().unwrap())
}

fn gue(checksum: GueChecksum) -> Tunnel {
    Tunnel::Gue { port: 6080, checksum }
}

#[test]
fn every_forwarding_method_and_tunnel_is_read() {
    let newest_first = [
        tunnel("[2001:db8:1::1]:80", Tunnel::Ipip),
        masquerade("10.0.0.10:80").forwarding(Forwarding::Bypass),
        masquerade("127.0.0.1:80").forwarding(Forwarding::LocalNode),
        tunnel("10.0.0.9:80", Tunnel::Gre { checksum: true }),
        tunnel("10.0.0.8:80", Tunnel::Gre { checksum: false }),
        tunnel("10.0.0.7:80", gue(GueChecksum::RemoteOffload)),
        tunnel("10.0.0.6:80", gue(GueChecksum::Full)),
        tunnel("10.0.0.5:80", gue(GueChecksum::None)),
        tunnel("10.0.0.4:80", Tunnel::Ipip),
        Destination::direct_route("10.0.0.3:80".parse().unwrap()).weight(0),
        masquerade("10.0.0.2:8080").weight(100).thresholds(200, 100),
        masquerade("10.0.0.1:8080").weight(5).thresholds(10, 5),
    ];
    assert_idle("047-dump-dests", &newest_first);
}

#[test]
fn families_may_be_mixed() {
    let v6 = [tunnel("10.0.0.11:443", Tunnel::Ipip), masquerade("[2001:db8:1::1]:8443")];
    assert_idle("048-dump-dests-v6", &v6);
}

#[test]
fn the_destination_of_a_mark_may_have_port_zero() {
    let mark = [Destination::direct_route("10.0.0.12:0".parse().unwrap())];
    assert_idle("049-dump-dests-fwm", &mark);
}

#[test]
fn an_unknown_service_has_an_empty_dump() {
    for file in ["050-dump-dests-unknown", "051-dump-dests-noattr", "052-dump-dests-done-extack"] {
        assert_idle(file, &[]);
    }
}

fn busy(weight: u32, connections: [u32; 3], stats: Stats) -> DestinationEntry {
    let [active, inactive, persistent] = connections;
    DestinationEntry {
        destination: masquerade(&format!("10.{}.0.2:8080", weight + 1)).weight(weight),
        connections: Connections { active, inactive, persistent },
        stats,
    }
}

#[test]
fn counters_rates_and_connections_are_read() {
    let older = Stats {
        connections: 5,
        incoming_packets: 30,
        outgoing_packets: 20,
        incoming_bytes: 1625,
        outgoing_bytes: 1190,
        rates: Rates {
            connections: 0,
            incoming_packets: 3,
            outgoing_packets: 2,
            incoming_bytes: 152,
            outgoing_bytes: 112,
        },
    };
    for (kernel, incoming, outgoing) in [("k61", 155, 116), ("k612", 156, 117), ("k73", 156, 117)] {
        let mut newer = older;
        (newer.incoming_packets, newer.outgoing_packets) = (31, 21);
        (newer.incoming_bytes, newer.outgoing_bytes) = (1665, 1250);
        (newer.rates.incoming_bytes, newer.rates.outgoing_bytes) = (incoming, outgoing);
        let expected = [busy(2, [2, 14, 0], newer), busy(1, [2, 14, 0], older)];
        assert_eq!(entries(&format!("{kernel}-data-dump-dest-stats-nonzero")), expected);
    }
}

#[test]
fn persistence_templates_are_counted_apart() {
    for kernel in KERNELS {
        let entries = entries(&format!("{kernel}-data-dump-dest-persist-conns"));
        let expected =
            [busy(2, [4, 23, 1], entries[0].stats), busy(1, [4, 16, 0], Stats::default())];
        assert_eq!(entries, expected, "{kernel}");
    }
}

mod counts;
mod exposition;
mod random;
#[cfg(feature = "prometheus")]
mod registry;
mod samples;

use std::collections::BTreeMap;
use std::time::Duration;

use crate::metrics::{Destinations, Format, Options, Scrape, Source};
use crate::model::{
    AddressFamily, Connections, Destination, DestinationEntry, Protocol, Service, ServiceEntry,
    ServiceId, ServiceSnapshot, Snapshot, Stats, Tunnel,
};

fn stats(base: u64) -> Stats {
    Stats {
        connections: base,
        incoming_packets: base + 1,
        outgoing_packets: base + 2,
        incoming_bytes: base + 3,
        outgoing_bytes: base + 4,
        ..Stats::default()
    }
}

fn entry(destination: Destination, base: u64) -> DestinationEntry {
    let connections = Connections { active: 7, inactive: 8, persistent: 9 };
    DestinationEntry::new(destination, connections, stats(base))
}

fn server(text: &str) -> Destination {
    Destination::masquerade(text.parse().unwrap())
}

/// One service of each kind, and one without destinations.
fn table() -> Snapshot {
    let esp = Protocol::from_number(50);
    let service = |service: Service, base, destinations| {
        ServiceSnapshot::new(ServiceEntry::new(service, stats(base)), destinations)
    };
    let ipv6 = Service::sctp("[2001:db8::1]:5060".parse().unwrap());
    let ipv6 = ipv6.persistent(Duration::from_secs(300));
    let odd = ServiceId::Address { protocol: esp, address: "192.0.2.9:0".parse().unwrap() };
    let tunnel = Destination::tunnel("10.0.0.5:0".parse().unwrap(), Tunnel::Ipip);
    Snapshot::from_iter([
        service(
            Service::tcp("192.0.2.10:80".parse().unwrap()),
            1000,
            vec![
                entry(server("10.0.0.2:8080").weight(3), 100),
                entry(server("10.0.0.3:8080").weight(0), 200),
                entry(server("10.0.0.4:8080").thresholds(15, 0), 300),
            ],
        ),
        service(ipv6, 2000, vec![entry(server("[2001:db8::2]:5060"), 400)]),
        service(Service::new(odd), 3000, Vec::new()),
        service(Service::fwmark(5, AddressFamily::Ipv4), 4000, vec![entry(tunnel.clone(), 500)]),
        service(Service::fwmark(5, AddressFamily::Ipv6), 5000, vec![entry(tunnel, 600)]),
    ])
}

fn all() -> Options {
    Options::new().destinations(Destinations::ALL)
}

fn print(scrape: &Scrape<'_>, format: Format) -> String {
    let mut text = Vec::new();
    scrape.write(format, &mut text).unwrap();
    String::from_utf8(text).unwrap()
}

/// Prints one snapshot in the format of Prometheus.
fn printed(snapshot: &Snapshot, options: Options) -> String {
    print(&Scrape::new(Source::new(snapshot), options), Format::Prometheus)
}

/// The lines that are no comments.
fn lines(text: &str) -> BTreeMap<&str, &str> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| line.rsplit_once(' ').unwrap()).collect()
}

fn web() -> ServiceId {
    ServiceId::tcp("192.0.2.10:80".parse().unwrap())
}

use std::time::Duration;

use crate::model::{
    Connections, Destination, DestinationEntry, Service, ServiceEntry, ServiceSnapshot, Snapshot,
    Stats,
};
use crate::procfs::{Connection, Owners};

fn with(service: Service, destinations: &[&str]) -> ServiceSnapshot {
    let entry = |it: &&str| {
        let destination = Destination::masquerade(it.parse().unwrap());
        DestinationEntry::new(destination, Connections::default(), Stats::default())
    };
    let destinations = destinations.iter().map(entry).collect();
    ServiceSnapshot::new(ServiceEntry::new(service, Stats::default()), destinations)
}

fn plain(service: &str, destinations: &[&str]) -> ServiceSnapshot {
    with(Service::new(service.parse().unwrap()), destinations)
}

fn persistent(service: &str, destinations: &[&str]) -> ServiceSnapshot {
    let service = Service::new(service.parse().unwrap());
    with(service.persistent(Duration::from_secs(60)), destinations)
}

/// The owners of a connection, or of a template if it says so.
fn owners(table: &Snapshot, row: &str) -> Vec<String> {
    let row: Connection = row.parse().unwrap();
    let owners = Owners::in_table(table);
    let all = owners.of(&row).map(|it| match it.destination {
        Some(destination) => format!("{} {destination}", it.service),
        None => it.service.to_string(),
    });
    all.collect()
}

const fn none() -> [&'static str; 0] {
    []
}

#[test]
fn a_connection_is_of_its_address_or_of_a_mark() {
    let table = Snapshot::from_iter([
        plain("TCP 192.0.2.10:80", &["10.0.0.2:8080", "10.0.0.3:8080"]),
        plain("TCP 192.0.2.10:0", &["10.0.0.2:0"]),
        plain("FWM 5", &["10.0.0.3:8080"]),
        plain("FWM 6", &["10.0.0.3:0", "10.0.0.4:0"]),
        plain("FWM 5 IPv6", &["10.0.0.3:8080"]),
    ]);
    let of = |to: &str, at: &str| {
        owners(&table, &format!("TCP C6336407 0FA0 {to} {at} ESTABLISHED     899"))
    };
    assert_eq!(of("C000020A 0050", "0A000002 1F90"), ["TCP 192.0.2.10:80 10.0.0.2:8080"]);
    assert_eq!(of("C000020A 0051", "0A000002 0051"), ["TCP 192.0.2.10:0 10.0.0.2:0"]);
    // What the service at the port lacks came by that of port 0.
    assert_eq!(of("C000020A 0050", "0A000002 0051"), ["TCP 192.0.2.10:0 10.0.0.2:0"]);
    assert_eq!(
        of("C000020A 0050", "0A000003 1F90"),
        ["TCP 192.0.2.10:80 10.0.0.3:8080", "FWM 5 10.0.0.3:8080", "FWM 6 10.0.0.3:0"]
    );
    assert_eq!(of("C000020B 0050", "0A000003 1F91"), ["FWM 6 10.0.0.3:0"]);
    // The mark has the destination, and the service at the address may have had it.
    assert_eq!(of("C000020A 0050", "0A000004 0050"), ["FWM 6 10.0.0.4:0", "TCP 192.0.2.10:80"]);
    assert_eq!(of("C000020A 0050", "0A000009 0050"), ["TCP 192.0.2.10:80"]);
    assert_eq!(of("C000020B 0050", "0A000009 0050"), none());
}

#[test]
fn a_template_names_its_service() {
    let table = Snapshot::from_iter([
        persistent("TCP 192.0.2.10:80", &["10.0.0.2:8080"]),
        persistent("TCP 192.0.2.10:21", &["10.0.0.2:21"]),
        persistent("TCP 192.0.2.11:0", &["10.0.0.2:0"]),
        persistent("FWM 5", &["10.0.0.2:8080"]),
        persistent("FWM 6", &["10.0.0.2:8080", "10.0.0.2:8081"]),
    ]);
    let of = |protocol: &str, to: &str, at: &str| {
        owners(&table, &format!("{protocol} C6336407 0000 {to} {at} NONE            299"))
    };
    let web = of("TCP", "C000020A 0050", "0A000002 1F90");
    assert_eq!(web, ["TCP 192.0.2.10:80 10.0.0.2:8080"]);
    assert_eq!(of("TCP", "C000020A 0000", "0A000002 0000"), ["TCP 192.0.2.10:21 10.0.0.2:21"]);
    assert_eq!(of("TCP", "C000020B 0000", "0A000002 0000"), ["TCP 192.0.2.11:0 10.0.0.2:0"]);
    assert_eq!(of("IP ", "00000005 0000", "0A000002 0000"), ["FWM 5 10.0.0.2:8080"]);
    assert_eq!(of("IP ", "00000006 0000", "0A000002 0000"), ["FWM 6"]);
    assert_eq!(of("IP ", "00000007 0000", "0A000002 0000"), none());
}

#[test]
fn connections_of_a_persistent_mark_keep_the_port_of_their_packets() {
    let row = "TCP C6336407 0FA0 C000020B 0050 0A000002 0050 ESTABLISHED     899";
    let table = |mark| Snapshot::from_iter([mark]);
    let found = |mark| owners(&table(mark), row);
    assert_eq!(found(persistent("FWM 5", &["10.0.0.2:8080"])), ["FWM 5 10.0.0.2:8080"]);
    assert_eq!(found(plain("FWM 5", &["10.0.0.2:8080"])), none());
    assert_eq!(found(persistent("FWM 5", &["10.0.0.2:8080", "10.0.0.2:8081"])), none());
    // Nor is it the one whose port the client happened to choose.
    assert_eq!(found(persistent("FWM 5", &["10.0.0.2:80", "10.0.0.2:8081"])), none());
}

#[test]
fn data_of_ftp_is_of_the_service_of_ftp() {
    let table = Snapshot::from_iter([
        persistent("TCP 192.0.2.10:21", &["10.0.0.2:2121", "10.0.0.3:2121"]),
        persistent("TCP 192.0.2.10:0", &["10.0.0.2:0"]),
        plain("TCP 192.0.2.10:2000", &["10.0.0.2:2000"]),
    ]);
    let of = |protocol: &str, to: &str, at: &str| {
        owners(&table, &format!("{protocol} C6336407 0FA0 C000020A {to} {at} ESTABLISHED     899"))
    };
    let ftp = "TCP 192.0.2.10:21 10.0.0.2:2121";
    assert_eq!(of("TCP", "0015", "0A000002 0849"), [ftp]);
    assert_eq!(of("TCP", "0014", "0A000002 0014"), [ftp]);
    assert_eq!(of("TCP", "C350", "0A000002 C350"), [ftp]);
    assert_eq!(of("TCP", "07D0", "0A000002 07D0"), ["TCP 192.0.2.10:2000 10.0.0.2:2000"]);
    assert_eq!(of("TCP", "0050", "0A000002 0050"), ["TCP 192.0.2.10:0 10.0.0.2:0"]);
    assert_eq!(of("UDP", "C350", "0A000002 C350"), none());
}

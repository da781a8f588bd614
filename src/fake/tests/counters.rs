//! Counters, rates and connections are written as the real kernels wrote theirs.

use std::time::Duration;

use crate::fake::netlink::attributes::{Attributes, Kind};
use crate::fake::requests::destination::DestinationRequest;
use crate::fake::requests::service::ServiceRequest;
use crate::fake::table::counters::Shown;
use crate::fake::tests::captures::{Capture, captures, receive, socket, with};
use crate::fake::tests::raw::{DONE, messages};
use crate::fake::{Kernel, Version, convert};
use crate::model::{Change, Connections, Destination, Rates, Service, ServiceId, Stats};
use crate::uapi::{AF_INET, IPVS_DEST_ATTR_ACTIVE_CONNS, IPVS_DEST_ATTR_STATS64};

const ANY: [Kind; 16] = [Kind::Any; 16];

fn nest(bytes: &[u8]) -> Attributes<'_, 16> {
    Attributes::parse(bytes, 0, &ANY).unwrap()
}

/// The counters of a service or a destination, which have the same type in both.
fn stats(entry: &Attributes<'_, 16>) -> Stats {
    let counters = nest(entry.get(IPVS_DEST_ATTR_STATS64).unwrap());
    let value = |kind| u64::from_ne_bytes(counters.get(kind).unwrap().try_into().unwrap());
    convert::stats(Shown { totals: [1, 2, 3, 4, 5].map(value), rates: [6, 7, 8, 9, 10].map(value) })
}

/// Makes the service and the destinations that a capture reports, and asks for them again.
fn replay(version: Version, family: u16, capture: &Capture) -> bool {
    let kernel = Kernel::with_version(version);
    let host = kernel.initial();
    let request = messages(&capture.sent[0]).remove(0);
    let asked = nest(request.rest.get(4..).unwrap()).get(1).unwrap();
    let asked = ServiceRequest::parse(0, Some(asked)).unwrap();
    let id: ServiceId = convert::service_id(&asked.key).unwrap();
    let mut reports: Vec<_> = capture.received.iter().flat_map(|it| messages(it)).collect();
    reports.retain(|message| message.kind != DONE);
    reports.reverse();
    let mut busy = false;
    for report in &reports {
        let top = nest(report.rest.get(4..).unwrap());
        if let Some(bytes) = top.get(1) {
            let service = ServiceRequest::parse(0, Some(bytes)).unwrap();
            let settings = service.settings().unwrap();
            let service = convert::service(&service.key, &settings).unwrap();
            host.write(&Change::AddService(service)).unwrap();
            busy |= stats(&nest(bytes)) != Stats::default();
            host.set_service_stats(id, &stats(&nest(bytes))).unwrap();
        }
        if let Some(bytes) = top.get(2) {
            let _ = host.write(&Change::AddService(Service::new(id)));
            let destination = DestinationRequest::parse(Some(bytes), true).unwrap();
            let key = destination.key(AF_INET).unwrap();
            let destination = convert::destination(&key, &destination.settings.unwrap());
            let server = destination.id;
            host.write(&Change::AddDestination(id, destination)).unwrap();
            let entry = nest(bytes);
            let number = |more| entry.u32(IPVS_DEST_ATTR_ACTIVE_CONNS + more).unwrap();
            let connections =
                Connections { active: number(0), inactive: number(1), persistent: number(2) };
            busy |= connections != Connections::default();
            host.set_connections(id, server, connections).unwrap();
            host.set_stats(id, server, &stats(&entry)).unwrap();
        }
    }
    let socket = socket(&host, true, true);
    for datagram in &capture.sent {
        socket.send(&with(datagram, Some((family, 28)), None)).unwrap();
    }
    let port = Some(socket.port());
    let theirs = capture.received.iter().map(|it| with(it, Some((family, 28)), port));
    assert_eq!(receive(&socket), theirs.collect::<Vec<_>>(), "{}", capture.name);
    busy
}

fn replays(version: Version, kernel: &str, family: u16, at_least: usize) {
    let mut captures = captures(kernel);
    captures.retain(|capture| capture.name.starts_with("data-"));
    assert_eq!(captures.len(), 5);
    let busy = captures.iter().filter(|capture| replay(version, family, capture)).count();
    assert!(busy >= at_least, "only {busy} had counters");
}

#[test]
fn of_user_mode_linux_6_1() {
    replays(Version::V6_1, "k61", 28, 2);
}

#[test]
fn of_linux_6_12() {
    replays(Version::V6_12, "k612", 34, 4);
}

#[test]
fn traffic_ends_with_its_destination() {
    let kernel = Kernel::new();
    let host = kernel.initial();
    let service = Service::tcp("192.0.2.10:80".parse().unwrap());
    let server = Destination::masquerade("10.0.0.2:8080".parse().unwrap());
    host.write(&Change::AddService(service.clone())).unwrap();
    let add = Change::AddDestination(service.id, server.clone());
    host.write(&add).unwrap();
    let traffic = Rates { connections: 3, ..Rates::default() };
    host.set_traffic(service.id, server.id, &traffic).unwrap();
    kernel.advance(Duration::from_secs(10));
    host.write(&Change::DeleteDestination(service.id, server.id)).unwrap();
    kernel.advance(Duration::from_secs(10));
    host.write(&add).unwrap();
    kernel.advance(Duration::from_secs(10));
    let found = host.service(service.id).unwrap();
    assert_eq!(found.entry.stats.connections, 30);
    assert_eq!(found.destinations[0].stats.connections, 30);
}

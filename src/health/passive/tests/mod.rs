mod connections;
mod schedule;
mod signs;

use std::net::SocketAddr;
use std::time::Duration;

use crate::model::{
    Connections, Destination, DestinationEntry, Protocol, Service, ServiceEntry, ServiceSnapshot,
    Snapshot, Stats,
};
use crate::procfs::{Connection, ConnectionState};

/// The address of the destination with this last octet.
fn server(octet: u8) -> SocketAddr {
    ([10, 0, 0, octet], 8080).into()
}

fn service(id: &str) -> Service {
    Service::new(id.parse().unwrap())
}

/// Counters: connections, packets in, packets out.
fn counted([connections, incoming_packets, outgoing_packets]: [u64; 3]) -> Stats {
    Stats { connections, incoming_packets, outgoing_packets, ..Stats::default() }
}

fn table(service: &Service, destinations: Vec<(Destination, [u64; 3])>) -> Snapshot {
    let entry = |(destination, counters): (Destination, _)| {
        DestinationEntry::new(destination, Connections::default(), counted(counters))
    };
    let destinations: Vec<_> = destinations.into_iter().map(entry).collect();
    let stats = destinations.iter().map(|it| it.stats).sum();
    let service = ServiceEntry::new(service.clone(), stats);
    Snapshot::from_iter([ServiceSnapshot::new(service, destinations)])
}

/// Connections of different clients to a destination.
fn rows(count: u16, to: &str, destination: SocketAddr, state: ConnectionState) -> Vec<Connection> {
    let row = |n: u16| Connection {
        protocol: Protocol::TCP,
        client: ([198, 51, 100, 7], 1024 + n).into(),
        virtual_address: to.parse().unwrap(),
        destination,
        state,
        expires: Duration::from_secs(60),
        engine_data: None,
        origin: None,
    };
    (0..count).map(row).collect()
}

//! Whole tables, while others write them.

mod datagrams;
mod destinations_of;
mod of_some;
mod whole;

use crate::engine::Engine;
use crate::engine::tests::changes::service;
use crate::engine::tests::dumps::entry;
use crate::engine::tests::script::{Script, dumped, ready};
use crate::model::{Service, ServiceEntry, ServiceId, ServiceSnapshot, Snapshot, Stats};
use crate::wire::tests::any_report::AnyReport;

fn id(port: u16) -> ServiceId {
    ServiceId::tcp(([192, 0, 2, 10], port).into())
}

fn services(ports: &[u16]) -> Vec<AnyReport> {
    let entry = |port: &u16| ServiceEntry {
        service: Service { id: id(*port), ..service() },
        stats: Stats::default(),
    };
    ports.iter().map(|port| AnyReport::Service(entry(port))).collect()
}

fn destinations(numbers: &[u8]) -> Vec<AnyReport> {
    numbers.iter().map(|number| AnyReport::Destination(entry(*number))).collect()
}

/// The sockets, and what each dump over them reports, by datagram.
struct Table {
    commands: Script,
    dumps: Script,
    engine: Engine<Script>,
}

impl Table {
    fn new() -> Self {
        let (commands, dumps) = (Script::new(), Script::new());
        let mut engine = commands.engine_with(Some(&dumps));
        // As after a service with few destinations.
        engine.few_destinations = true;
        Self { commands, dumps, engine }
    }

    fn services(self, datagrams: &[&[u16]]) -> Self {
        self.commands.then(dumped(datagrams.iter().map(|ports| services(ports)).collect()));
        self
    }

    /// Destinations again, in larger datagrams.
    fn larger(self, datagrams: &[&[u8]]) -> Self {
        self.commands.then(dumped(datagrams.iter().map(|numbers| destinations(numbers)).collect()));
        self
    }

    /// The services again, in smaller datagrams.
    fn again(self, datagrams: &[&[u16]]) -> Self {
        self.dumps.then(dumped(datagrams.iter().map(|ports| services(ports)).collect()));
        self
    }

    fn destinations(self, datagrams: &[&[u8]]) -> Self {
        self.dumps.then(dumped(datagrams.iter().map(|numbers| destinations(numbers)).collect()));
        self
    }

    fn read(self) -> Snapshot {
        self.read_with(Vec::new())
    }

    fn read_with(mut self, known: Vec<ServiceSnapshot>) -> Snapshot {
        let snapshot = ready(self.engine.snapshot_with(known)).unwrap();
        self.commands.assert_finished();
        self.dumps.assert_finished();
        snapshot
    }
}

fn shape(snapshot: &Snapshot) -> Vec<(u16, Vec<u16>)> {
    let port = |service: &ServiceSnapshot| service.entry.service.id.address().unwrap().port();
    let ports = |service: &ServiceSnapshot| {
        let all = service.destinations.iter();
        all.map(|entry| entry.destination.id.address.port()).collect()
    };
    snapshot.services().map(|service| (port(service), ports(service))).collect()
}

fn ports_up_to(last: u16) -> Vec<u16> {
    (1..=last).collect()
}

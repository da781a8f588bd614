//! The rules by which the kernel counts, in small, with the counters that no reading shows.

use std::collections::BTreeMap;

use crate::model::{
    Connections, Destination, DestinationEntry, Service, ServiceEntry, ServiceId, ServiceSnapshot,
    Snapshot, Stats,
};

/// One counter of one object of the kernel.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counter {
    /// The number of the object. No two objects ever have the same.
    pub(super) object: u64,
    /// What was counted since the object was made.
    counted: u64,
    /// What the last step has seen of it.
    pub(super) seen: u64,
    /// What zeroing subtracts.
    pub(super) zero: u64,
}

impl Counter {
    fn stats(&self) -> Stats {
        let connections = self.seen - self.zero;
        Stats { connections, incoming_packets: 3 * connections, ..Stats::default() }
    }
}

#[derive(Clone, Debug, Default)]
struct Server {
    /// The number of the service for which it counts.
    service: u64,
    counter: Counter,
}

#[derive(Clone, Debug, Default)]
struct Virtual {
    counter: Counter,
    servers: BTreeMap<u8, Server>,
}

/// Services and destinations by small numbers, and the trash.
#[derive(Clone, Debug, Default)]
pub(super) struct Kernel {
    services: BTreeMap<u8, Virtual>,
    trash: BTreeMap<(u8, u8), Server>,
    made: u64,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Event {
    AddService(u8),
    DeleteService(u8),
    AddDestination(u8, u8),
    DeleteDestination(u8, u8),
    /// Frees what lies in the trash.
    Expire(u8, u8),
    Zero(u8),
    ZeroAll,
    Count(u8, u8, u64),
    /// The estimator copies what was counted.
    Step,
}

impl Kernel {
    pub(super) fn happen(&mut self, event: Event) {
        match event {
            Event::AddService(service) => {
                let counter = self.counter();
                let servers = BTreeMap::new();
                self.services.entry(service).or_insert(Virtual { counter, servers });
            }
            Event::DeleteService(service) => {
                let servers = self.services.remove(&service).unwrap_or_default().servers;
                self.trash.extend(servers.into_iter().map(|(n, server)| ((service, n), server)));
            }
            Event::AddDestination(service, n) => self.add_destination(service, n),
            Event::DeleteDestination(service, n) => {
                let servers = self.services.get_mut(&service).map(|it| &mut it.servers);
                let server = servers.and_then(|servers| servers.remove(&n));
                self.trash.extend(server.map(|server| ((service, n), server)));
            }
            Event::Expire(service, n) => {
                self.trash.remove(&(service, n));
            }
            Event::Zero(service) => {
                self.services.get_mut(&service).into_iter().for_each(Virtual::zero);
            }
            Event::ZeroAll => self.services.values_mut().for_each(Virtual::zero),
            Event::Count(service, n, more) => {
                let Some(service) = self.services.get_mut(&service) else { return };
                if let Some(server) = service.servers.get_mut(&n) {
                    server.counter.counted += more;
                    service.counter.counted += more;
                }
            }
            // What lies in the trash is not looked at.
            Event::Step => self.counters_mut().for_each(|it| it.seen = it.counted),
        }
    }

    fn counter(&mut self) -> Counter {
        self.made += 1;
        Counter { object: self.made, ..Counter::default() }
    }

    fn add_destination(&mut self, service: u8, n: u8) {
        let fresh = self.counter();
        let Some(owner) = self.services.get_mut(&service) else { return };
        if owner.servers.contains_key(&n) {
            return;
        }
        let now = owner.counter.object;
        let server = match self.trash.remove(&(service, n)) {
            Some(server) if server.service == now => server,
            Some(mut server) => {
                server.counter.zero = server.counter.seen;
                Server { service: now, ..server }
            }
            None => Server { service: now, counter: fresh },
        };
        owner.servers.insert(n, server);
    }

    fn counters_mut(&mut self) -> impl Iterator<Item = &mut Counter> {
        self.services.values_mut().flat_map(|Virtual { counter, servers }| {
            std::iter::once(counter).chain(servers.values_mut().map(|it| &mut it.counter))
        })
    }

    /// The counter of each object that exists, also in the trash, by its number.
    pub(super) fn counters(&self) -> BTreeMap<u64, Counter> {
        let servers = self.services.values().flat_map(|it| it.servers.values());
        let servers = servers.chain(self.trash.values()).map(|it| it.counter);
        let counters = self.services.values().map(|it| it.counter).chain(servers);
        counters.map(|it| (it.object, it)).collect()
    }

    pub(super) fn service(&self, id: ServiceId) -> Option<Counter> {
        self.services.iter().find(|(n, _)| service_id(**n) == id).map(|(_, it)| it.counter)
    }

    pub(super) fn destination(&self, id: ServiceId, n: u8) -> Option<Counter> {
        let (_, service) = self.services.iter().find(|(n, _)| service_id(**n) == id)?;
        service.servers.get(&n).map(|it| it.counter)
    }

    pub(super) fn read(&self) -> Snapshot {
        let services = self.services.iter().map(|(n, it)| {
            let destinations = it.servers.iter().map(|(n, server)| {
                let destination = Destination::masquerade(([10, 0, 0, *n], 80).into());
                let stats = server.counter.stats();
                DestinationEntry::new(destination, Connections::default(), stats)
            });
            let entry = ServiceEntry::new(Service::new(service_id(*n)), it.counter.stats());
            ServiceSnapshot::new(entry, destinations.collect())
        });
        Snapshot::new(services.collect(), true, None)
    }
}

impl Virtual {
    fn zero(&mut self) {
        let servers = self.servers.values_mut().map(|it| &mut it.counter);
        servers.chain([&mut self.counter]).for_each(|it| it.zero = it.seen);
    }
}

fn service_id(n: u8) -> ServiceId {
    ServiceId::tcp(([192, 0, 2, n], 80).into())
}

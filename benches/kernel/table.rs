//! The table that the workloads write and read.

use std::net::{Ipv4Addr, SocketAddr};

use ipvs_netlink::{Change, Destination, Scheduler, Service, ServiceId};

/// How many services, and how many destinations each of them has.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    pub(crate) services: u32,
    pub(crate) destinations: u32,
    /// How many the first one has instead, where that is another number.
    pub(crate) first: Option<u32>,
}

/// What is done with the table, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Workload {
    Program,
    List,
    Stream,
    Compare,
    /// Reads everything until two readings agree.
    Snapshot,
    Update,
    Delete,
    /// Adding and deleting one service; the size tells how often.
    Latency,
}

impl Workload {
    /// Those of a table.
    pub(crate) const OF_TABLES: [Self; 7] = [
        Self::Program,
        Self::List,
        Self::Stream,
        Self::Compare,
        Self::Snapshot,
        Self::Update,
        Self::Delete,
    ];

    /// Those of a table that is there to be read as a whole.
    pub(crate) const OF_SWEEPS: [Self; 2] = [Self::Program, Self::Snapshot];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Program => "program",
            Self::List => "list",
            Self::Stream => "stream",
            Self::Compare => "compare",
            Self::Snapshot => "snapshot",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Latency => "latency",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        let mut all = Self::OF_TABLES.into_iter().chain([Self::Latency]);
        all.find(|workload| workload.name() == name)
    }

    /// How many objects it writes or reads.
    pub(crate) const fn operations(self, size: Size) -> u32 {
        match self {
            Self::Latency => 2 * size.services,
            Self::Update => size.all_destinations(),
            _ => size.services + size.all_destinations(),
        }
    }
}

impl Size {
    pub(crate) const fn new(services: u32, destinations: u32) -> Self {
        Self { services, destinations, first: None }
    }

    const fn destinations_of(self, service: u32) -> u32 {
        match self.first {
            Some(first) if service == 0 => first,
            _ => self.destinations,
        }
    }

    pub(crate) const fn all_destinations(self) -> u32 {
        match self.services.checked_sub(1) {
            Some(others) => self.destinations_of(0) + others * self.destinations,
            None => 0,
        }
    }

    pub(crate) fn services(self) -> impl Iterator<Item = Service> {
        (0..self.services).map(|index| {
            let address = SocketAddr::from((nth(Ipv4Addr::new(10, 0, 0, 1), index), 80));
            Service::tcp(address).scheduler(Scheduler::ROUND_ROBIN)
        })
    }

    pub(crate) fn destinations(self, service: u32) -> impl Iterator<Item = Destination> {
        (0..self.destinations_of(service)).map(move |index| {
            let index = service * self.destinations + index;
            Destination::masquerade((nth(Ipv4Addr::new(172, 16, 0, 1), index), 8080).into())
        })
    }

    /// Every destination with its service's identity.
    fn pairs(self) -> impl Iterator<Item = (ServiceId, Destination)> {
        let services = (0..).zip(self.services());
        services.flat_map(move |(index, service)| {
            self.destinations(index).map(move |destination| (service.id, destination))
        })
    }

    /// The changes that a writing workload consists of.
    pub(crate) fn changes(self, workload: Workload) -> Box<dyn Iterator<Item = Change>> {
        let services = (0..).zip(self.services());
        match workload {
            Workload::Program => Box::new(services.flat_map(move |(index, service)| {
                let id = service.id;
                let destinations = self.destinations(index);
                let destinations = destinations.map(move |it| Change::AddDestination(id, it));
                [Change::AddService(service)].into_iter().chain(destinations)
            })),
            Workload::Update => {
                Box::new(self.pairs().map(|(id, it)| Change::UpdateDestination(id, it.weight(2))))
            }
            Workload::Delete => Box::new(services.flat_map(move |(index, service)| {
                let id = service.id;
                let destinations = self.destinations(index);
                let destinations = destinations.map(move |it| Change::DeleteDestination(id, it.id));
                destinations.chain([Change::DeleteService(id)])
            })),
            _ => Box::new(std::iter::empty()),
        }
    }
}

/// The service that [`Workload::Latency`] adds and deletes, and one that stays, as
/// the kernel registers its hooks with the first service and removes them with the
/// last.
pub(crate) fn lone_service() -> (Service, Service) {
    let service = |last| Service::tcp(([10, 128, 0, last], 80).into());
    (service(1).scheduler(Scheduler::ROUND_ROBIN), service(2).scheduler(Scheduler::ROUND_ROBIN))
}

/// A few changes that leave nothing behind, the last one of which deletes the service
/// that the others are about.
pub(crate) fn a_little() -> (Vec<Change>, ServiceId) {
    let (service, _) = lone_service();
    let (id, size) = (service.id, Size::new(1, 1));
    let mut changes = vec![Change::AddService(service)];
    for destination in size.destinations(0) {
        changes.push(Change::AddDestination(id, destination.clone()));
        changes.push(Change::UpdateDestination(id, destination.weight(2)));
    }
    changes.push(Change::DeleteService(id));
    (changes, id)
}

fn nth(first: Ipv4Addr, index: u32) -> Ipv4Addr {
    Ipv4Addr::from_bits(first.to_bits() + index)
}

//! Workloads for counting instructions: `icount WORKLOAD SERVICES DESTINATIONS`.
//!
//! Each exits with 0 when it is done and checked. See `benches/README.md`.

#![allow(clippy::print_stderr, reason = "a program says on stderr why it failed")]

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;

use ipvs_netlink::{Change, Client, Destination, Scheduler, Service, ServiceEntry};

type Outcome = Result<(), Box<dyn std::error::Error>>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [workload, services, destinations] = arguments.as_slice() else {
        eprintln!("usage: icount WORKLOAD SERVICES DESTINATIONS");
        return ExitCode::from(2);
    };
    let (Ok(services), Ok(destinations)) = (services.parse(), destinations.parse()) else {
        eprintln!("icount: SERVICES and DESTINATIONS are numbers");
        return ExitCode::from(2);
    };
    let size = Size { services, destinations };
    let outcome = match workload.as_str() {
        "noop" => Client::connect().map(drop).map_err(Into::into),
        "desired" => desired(size),
        "program" => program(size),
        "list" => list(size),
        "stream" => stream(size),
        "reconcile" => reconcile(size),
        "delete" => delete(size),
        "latency" => latency(services),
        _ => return ExitCode::from(2),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("icount: {error}");
            ExitCode::FAILURE
        }
    }
}

#[derive(Clone, Copy)]
struct Size {
    services: u32,
    destinations: u32,
}

impl Size {
    fn services(self) -> impl Iterator<Item = Service> {
        (0..self.services).map(|index| {
            let address = SocketAddr::from((nth(Ipv4Addr::new(10, 0, 0, 1), index), 80));
            Service::tcp(address).scheduler(Scheduler::ROUND_ROBIN)
        })
    }

    fn destinations(self, service: u32) -> impl Iterator<Item = Destination> {
        (0..self.destinations).map(move |index| {
            let index = service * self.destinations + index;
            Destination::masquerade((nth(Ipv4Addr::new(172, 16, 0, 1), index), 8080).into())
        })
    }

    fn desired(self) -> Vec<(Service, Vec<Destination>)> {
        let services = (0..).zip(self.services());
        services.map(|(index, service)| (service, self.destinations(index).collect())).collect()
    }
}

fn nth(first: Ipv4Addr, index: u32) -> Ipv4Addr {
    Ipv4Addr::from_bits(first.to_bits() + index)
}

fn ensure(holds: bool, what: &str) -> Outcome {
    if holds { Ok(()) } else { Err(what.into()) }
}

fn desired(size: Size) -> Outcome {
    let _ipvs = Client::connect()?;
    let desired = std::hint::black_box(size.desired());
    ensure(desired.len() == size.services as usize, "desired")
}

/// Writes changes as they come, in bounded memory.
struct Batches {
    ipvs: Client,
    changes: Vec<Change>,
}

impl Batches {
    fn new() -> Result<Self, ipvs_netlink::Error> {
        Ok(Self { ipvs: Client::connect()?, changes: Vec::with_capacity(1024) })
    }

    fn push(&mut self, change: Change) -> Outcome {
        self.changes.push(change);
        if self.changes.len() == self.changes.capacity() {
            self.flush()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> Outcome {
        self.ipvs.submit(&self.changes).into_result()?;
        self.changes.clear();
        Ok(())
    }
}

fn program(size: Size) -> Outcome {
    let mut writer = Batches::new()?;
    for (index, service) in (0..).zip(size.services()) {
        let id = service.id;
        writer.push(Change::AddService(service))?;
        for destination in size.destinations(index) {
            writer.push(Change::AddDestination(id, destination))?;
        }
    }
    writer.flush()
}

fn delete(size: Size) -> Outcome {
    let mut writer = Batches::new()?;
    for (index, service) in (0..).zip(size.services()) {
        for destination in size.destinations(index) {
            writer.push(Change::DeleteDestination(service.id, destination.id))?;
        }
        writer.push(Change::DeleteService(service.id))?;
    }
    writer.flush()
}

fn list(size: Size) -> Outcome {
    let mut ipvs = Client::connect()?;
    let services = ipvs.services()?;
    let mut all = Vec::with_capacity(services.len());
    for entry in services {
        let destinations = ipvs.destinations(entry.service.id)?;
        all.push((entry, destinations));
    }
    ensure(all.len() == size.services as usize, "services")?;
    let complete =
        |(_, destinations): &(_, Vec<_>)| destinations.len() == size.destinations as usize;
    ensure(all.iter().all(complete), "destinations")
}

fn stream(size: Size) -> Outcome {
    let mut ipvs = Client::connect()?;
    let ids: Result<Vec<_>, _> =
        ipvs.stream_services()?.map(|entry| entry.map(|entry| entry.service.id)).collect();
    let (mut services, mut destinations) = (0, 0);
    for id in ids? {
        services += 1;
        for entry in ipvs.stream_destinations(id)? {
            entry?;
            destinations += 1;
        }
    }
    ensure(services == size.services, "services")?;
    ensure(destinations == size.services * size.destinations, "destinations")
}

/// Reads the table and compares every field with what is wanted.
fn reconcile(size: Size) -> Outcome {
    let mut ipvs = Client::connect()?;
    let desired = size.desired();
    let services: HashMap<_, ServiceEntry> =
        ipvs.services()?.into_iter().map(|entry| (entry.service.id, entry)).collect();
    ensure(services.len() == desired.len(), "services")?;
    for (service, destinations) in &desired {
        let entry = services.get(&service.id).ok_or("a service is missing")?;
        ensure(entry.service == *service, "a service differs")?;
        let read = ipvs.destinations(service.id)?;
        // The kernel reports the newest first, so that this is nearly sorted.
        let mut read: Vec<_> = read.iter().rev().map(|entry| &entry.destination).collect();
        read.sort_unstable_by_key(|destination| destination.id);
        ensure(read.into_iter().eq(destinations), "destinations differ")?;
    }
    Ok(())
}

/// Adds and deletes a service, each confirmed before the next.
fn latency(rounds: u32) -> Outcome {
    let mut ipvs = Client::connect()?;
    let service = Service::tcp(([10, 128, 0, 1], 80).into()).scheduler(Scheduler::ROUND_ROBIN);
    for _ in 0..rounds {
        ipvs.add_service(&service)?;
        ipvs.delete_service(service.id)?;
    }
    Ok(())
}

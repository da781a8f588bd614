//! Workloads for counting instructions: `icount WORKLOAD SERVICES DESTINATIONS`.
//!
//! Each exits with 0 when it is done and checked. See `benches/README.md`.

#[path = "icount/table.rs"]
mod table;

use std::process::ExitCode;

use ipvs_netlink::{Change, Client};
use table::{Outcome, Size, ensure};

fn main() -> ExitCode {
    table::run(|workload, size| {
        Some(match workload {
            "noop" => Client::connect().map(drop).map_err(Into::into),
            "desired" => desired(size),
            "program" => program(size),
            "list" => list(size),
            "stream" => stream(size),
            "reconcile" => reconcile(size),
            "delete" => delete(size),
            "latency" => latency(size.services),
            "setdest" => set_destination(size.services, size.destinations),
            _ => return None,
        })
    })
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
    size.check(&all)
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
    let wanted = size.desired();
    let services = table::by_id(ipvs.services()?);
    ensure(services.len() == wanted.len(), "services")?;
    for (service, destinations) in &wanted {
        table::compare_service(&services, service)?;
        let read = ipvs.destinations(service.id)?;
        table::compare_destinations(&read, destinations)?;
    }
    Ok(())
}

/// Adds and deletes a service, each confirmed before the next.
fn latency(rounds: u32) -> Outcome {
    let mut ipvs = Client::connect()?;
    let service = table::lonely_service();
    for _ in 0..rounds {
        ipvs.add_service(&service)?;
        ipvs.delete_service(service.id)?;
    }
    Ok(())
}

/// Gives one destination of the first service another weight, `rounds` times, each confirmed,
/// from the entry that was read once: the destination that was added first, which the kernel
/// finds last.
fn set_destination(rounds: u32, destinations: u32) -> Outcome {
    let mut ipvs = Client::connect()?;
    let size = Size { services: 1, destinations };
    let service = size.services().next().ok_or("no service")?.id;
    let first = size.destinations(0).next().ok_or("no destination")?;
    let entry = ipvs.destination(service, first.id)?;
    for round in 0..rounds {
        ipvs.set_weight_of(service, &entry, 2 + round % 2)?;
    }
    Ok(())
}

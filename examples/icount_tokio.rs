//! Workloads for counting instructions, over the client of tokio:
//! `icount_tokio WORKLOAD SERVICES DESTINATIONS`.
//!
//! Each exits with 0 when it is done and checked. See `benches/README.md`.

#[path = "icount/table.rs"]
mod table;

use std::process::ExitCode;

use ipvs_netlink::Change;
use ipvs_netlink::tokio::Client;
use table::{Outcome, Size, ensure};

fn main() -> ExitCode {
    table::run(|workload, size| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = match runtime {
            Ok(runtime) => runtime,
            Err(error) => return Some(Err(error.into())),
        };
        Some(match workload {
            "noop" => runtime.block_on(noop()),
            "desired" => runtime.block_on(desired(size)),
            "program" => runtime.block_on(program(size)),
            "list" => runtime.block_on(list(size)),
            "stream" => runtime.block_on(stream(size)),
            "reconcile" => runtime.block_on(reconcile(size)),
            "delete" => runtime.block_on(delete(size)),
            "latency" => runtime.block_on(latency(size.services)),
            _ => return None,
        })
    })
}

async fn noop() -> Outcome {
    Client::connect().await?;
    Ok(())
}

async fn desired(size: Size) -> Outcome {
    let _ipvs = Client::connect().await?;
    let desired = std::hint::black_box(size.desired());
    ensure(desired.len() == size.services as usize, "desired")
}

/// Writes changes as they come, in bounded memory.
struct Batches {
    ipvs: Client,
    changes: Vec<Change>,
}

impl Batches {
    async fn new() -> Result<Self, ipvs_netlink::Error> {
        Ok(Self { ipvs: Client::connect().await?, changes: Vec::with_capacity(1024) })
    }

    fn is_full(&mut self, change: Change) -> bool {
        self.changes.push(change);
        self.changes.len() == self.changes.capacity()
    }

    async fn flush(&mut self) -> Outcome {
        self.ipvs.submit(&self.changes).await.into_result()?;
        self.changes.clear();
        Ok(())
    }
}

async fn program(size: Size) -> Outcome {
    let mut writer = Batches::new().await?;
    for (index, service) in (0..).zip(size.services()) {
        let id = service.id;
        if writer.is_full(Change::AddService(service)) {
            writer.flush().await?;
        }
        for destination in size.destinations(index) {
            if writer.is_full(Change::AddDestination(id, destination)) {
                writer.flush().await?;
            }
        }
    }
    writer.flush().await
}

async fn delete(size: Size) -> Outcome {
    let mut writer = Batches::new().await?;
    for (index, service) in (0..).zip(size.services()) {
        for destination in size.destinations(index) {
            if writer.is_full(Change::DeleteDestination(service.id, destination.id)) {
                writer.flush().await?;
            }
        }
        if writer.is_full(Change::DeleteService(service.id)) {
            writer.flush().await?;
        }
    }
    writer.flush().await
}

async fn list(size: Size) -> Outcome {
    let mut ipvs = Client::connect().await?;
    let services = ipvs.services().await?;
    let mut all = Vec::with_capacity(services.len());
    for entry in services {
        let destinations = ipvs.destinations(entry.service.id).await?;
        all.push((entry, destinations));
    }
    size.check(&all)
}

async fn stream(size: Size) -> Outcome {
    let mut ipvs = Client::connect().await?;
    let mut ids = Vec::new();
    let mut services = ipvs.stream_services().await?;
    while let Some(entry) = services.next().await {
        ids.push(entry?.service.id);
    }
    drop(services);
    ensure(ids.len() == size.services as usize, "services")?;
    let mut count = 0;
    for id in ids {
        let mut destinations = ipvs.stream_destinations(id).await?;
        while let Some(entry) = destinations.next().await {
            entry?;
            count += 1;
        }
    }
    ensure(count == size.services * size.destinations, "destinations")
}

/// Reads the table and compares every field with what is wanted.
async fn reconcile(size: Size) -> Outcome {
    let mut ipvs = Client::connect().await?;
    let wanted = size.desired();
    let services = table::by_id(ipvs.services().await?);
    ensure(services.len() == wanted.len(), "services")?;
    for (service, destinations) in &wanted {
        table::compare_service(&services, service)?;
        let read = ipvs.destinations(service.id).await?;
        table::compare_destinations(&read, destinations)?;
    }
    Ok(())
}

/// Adds and deletes a service, each confirmed before the next.
async fn latency(rounds: u32) -> Outcome {
    let mut ipvs = Client::connect().await?;
    let service = table::lonely_service();
    for _ in 0..rounds {
        ipvs.add_service(&service).await?;
        ipvs.delete_service(service.id).await?;
    }
    Ok(())
}

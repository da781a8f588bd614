//! The table of the workloads, and their common code.
#![allow(clippy::print_stderr, reason = "a program says on stderr why it failed")]

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;

use ipvs_netlink::{
    Destination, DestinationEntry, Listing, Scheduler, Service, ServiceEntry, ServiceId,
};

pub(crate) type Outcome = Result<(), Box<dyn std::error::Error>>;

/// Runs the workload that the command line names; `workloads` knows them.
pub(crate) fn run(workloads: impl FnOnce(&str, Size) -> Option<Outcome>) -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match arguments.as_slice() {
        [workload, services, destinations] => match (services.parse(), destinations.parse()) {
            (Ok(services), Ok(destinations)) => {
                workloads(workload, Size { services, destinations })
            }
            _ => None,
        },
        _ => None,
    };
    match outcome {
        None => {
            eprintln!("usage: WORKLOAD SERVICES DESTINATIONS; see benches/README.md");
            ExitCode::from(2)
        }
        Some(Ok(())) => ExitCode::SUCCESS,
        Some(Err(error)) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

#[derive(Clone, Copy)]
pub(crate) struct Size {
    pub(crate) services: u32,
    pub(crate) destinations: u32,
}

impl Size {
    pub(crate) fn services(self) -> impl Iterator<Item = Service> {
        (0..self.services).map(service)
    }

    pub(crate) fn destinations(self, service: u32) -> impl Iterator<Item = Destination> {
        (0..self.destinations).map(move |index| destination(service * self.destinations + index))
    }

    pub(crate) fn desired(self) -> Vec<(Service, Vec<Destination>)> {
        let services = (0..).zip(self.services());
        services.map(|(index, service)| (service, self.destinations(index).collect())).collect()
    }

    /// Returns `true` if the table is complete.
    pub(crate) fn check(self, all: &[(ServiceEntry, Listing<DestinationEntry>)]) -> Outcome {
        ensure(all.len() == self.services as usize, "services")?;
        let complete = all.iter().all(|(_, all)| all.len() == self.destinations as usize);
        ensure(complete, "destinations")
    }
}

/// The service with this number.
pub(crate) fn service(index: u32) -> Service {
    let address = SocketAddr::from((nth(Ipv4Addr::new(10, 0, 0, 1), index), 80));
    Service::tcp(address).scheduler(Scheduler::ROUND_ROBIN)
}

/// The destination with this number, counted through all services.
pub(crate) fn destination(index: u32) -> Destination {
    Destination::masquerade((nth(Ipv4Addr::new(172, 16, 0, 1), index), 8080).into())
}

fn nth(first: Ipv4Addr, index: u32) -> Ipv4Addr {
    Ipv4Addr::from_bits(first.to_bits() + index)
}

pub(crate) fn ensure(holds: bool, what: &str) -> Outcome {
    if holds { Ok(()) } else { Err(what.into()) }
}

/// The one service that the latency workload adds and deletes.
pub(crate) fn lonely_service() -> Service {
    Service::tcp(([10, 128, 0, 1], 80).into()).scheduler(Scheduler::ROUND_ROBIN)
}

pub(crate) fn by_id(services: Listing<ServiceEntry>) -> HashMap<ServiceId, ServiceEntry> {
    services.into_iter().map(|entry| (entry.service.id, entry)).collect()
}

pub(crate) fn compare_service(
    services: &HashMap<ServiceId, ServiceEntry>,
    wanted: &Service,
) -> Outcome {
    let entry = services.get(&wanted.id).ok_or("a service is missing")?;
    ensure(entry.service == *wanted, "a service differs")
}

pub(crate) fn compare_destinations(read: &[DestinationEntry], wanted: &[Destination]) -> Outcome {
    // The kernel reports the newest first, so the reversed list is nearly sorted.
    let mut read: Vec<_> = read.iter().rev().map(|entry| &entry.destination).collect();
    read.sort_unstable_by_key(|destination| destination.id);
    ensure(read.into_iter().eq(wanted), "destinations differ")
}

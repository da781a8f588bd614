//! The workloads with this crate.

use std::collections::HashMap;

use ipvs_netlink::{Client, Destination, Service, ServiceEntry};

use crate::kernel::Result;
use crate::kernel::meter::{Meter, Sample};
use crate::kernel::table::{Size, Workload, a_little, lone_service};

/// What is written with one call: bounds the memory for changes.
const AT_ONCE: usize = 1024;

pub(crate) fn run(workload: Workload, size: Size, meter: Meter) -> Result<Sample> {
    let mut ipvs = Client::connect()?;
    warm_up(&mut ipvs)?;
    match workload {
        Workload::Program | Workload::Update | Workload::Delete => {
            let sample = meter.measure(|| write(&mut ipvs, size, workload))?;
            let expected = if workload == Workload::Delete { 0 } else { size.services as usize };
            ensure(ipvs.services()?.len() == expected, "the number of services afterwards")?;
            Ok(sample)
        }
        Workload::List => meter.measure(|| list(&mut ipvs, size)),
        Workload::Stream => meter.measure(|| stream(&mut ipvs, size)),
        Workload::Compare => {
            let desired = desired(size);
            meter.measure(|| compare(&mut ipvs, &desired))
        }
        Workload::Snapshot => meter.measure(|| snapshot(&mut ipvs, size)),
        Workload::Latency => {
            let (service, other) = lone_service();
            ipvs.add_service(&other)?;
            meter.measure(|| latency(&mut ipvs, &service, size.services))
        }
    }
}

/// Goes through the code once, for the kernel to have brought it into memory.
fn warm_up(ipvs: &mut Client) -> Result<()> {
    let (changes, service) = a_little();
    let [begin @ .., end] = changes.as_slice() else { return Ok(()) };
    ipvs.submit(begin).into_result()?;
    ipvs.stream_services()?.try_for_each(|entry| entry.map(drop))?;
    ipvs.stream_destinations(service)?.try_for_each(|entry| entry.map(drop))?;
    ensure(ipvs.destinations(service)?.len() == 1, "the destination of the warming up")?;
    Ok(ipvs.submit(std::slice::from_ref(end)).into_result()?)
}

/// Building the changes is part of it.
fn write(ipvs: &mut Client, size: Size, workload: Workload) -> Result<()> {
    let mut changes = size.changes(workload);
    let mut some = Vec::with_capacity(AT_ONCE);
    loop {
        some.extend(changes.by_ref().take(AT_ONCE));
        if some.is_empty() {
            return Ok(());
        }
        ipvs.submit(&some).into_result()?;
        some.clear();
    }
}

fn list(ipvs: &mut Client, size: Size) -> Result<()> {
    let services = ipvs.services()?;
    let mut all = Vec::with_capacity(services.len());
    for entry in services {
        let destinations = ipvs.destinations(entry.service.id)?;
        all.push((entry, destinations));
    }
    ensure(all.len() == size.services as usize, "services")?;
    let destinations: usize = all.iter().map(|(_, destinations)| destinations.len()).sum();
    ensure(destinations == size.all_destinations() as usize, "destinations")
}

fn stream(ipvs: &mut Client, size: Size) -> Result<()> {
    let ids: Result<Vec<_>, _> =
        ipvs.stream_services()?.map(|entry| entry.map(|entry| entry.service.id)).collect();
    let ids = ids?;
    let mut destinations = 0;
    for id in &ids {
        for entry in ipvs.stream_destinations(*id)? {
            entry?;
            destinations += 1;
        }
    }
    ensure(ids.len() == size.services as usize, "services")?;
    ensure(destinations == size.all_destinations(), "destinations")
}

fn snapshot(ipvs: &mut Client, size: Size) -> Result<()> {
    let snapshot = ipvs.snapshot()?;
    ensure(snapshot.is_complete() && snapshot.len() == size.services as usize, "services")?;
    let destinations: usize = snapshot.services().map(|service| service.destinations.len()).sum();
    ensure(destinations == size.all_destinations() as usize, "destinations")
}

type Desired = Vec<(Service, Vec<Destination>)>;

fn desired(size: Size) -> Desired {
    let services = (0..).zip(size.services());
    services.map(|(index, service)| (service, size.destinations(index).collect())).collect()
}

/// Finds nothing to do.
fn compare(ipvs: &mut Client, desired: &Desired) -> Result<()> {
    let services: HashMap<_, ServiceEntry> =
        ipvs.services()?.into_iter().map(|entry| (entry.service.id, entry)).collect();
    ensure(services.len() == desired.len(), "services")?;
    for (service, destinations) in desired {
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

fn latency(ipvs: &mut Client, service: &Service, rounds: u32) -> Result<()> {
    for _ in 0..rounds {
        ipvs.add_service(service)?;
        ipvs.delete_service(service.id)?;
    }
    Ok(())
}

fn ensure(holds: bool, what: &str) -> Result<()> {
    if holds { Ok(()) } else { Err(what.into()) }
}

//! Random operations on a real kernel and on a model of it. Every outcome and everything that is
//! read must be the same.
//!
//! `FUZZ_SECONDS=600 cargo test --test live model` runs for ten minutes, from another seed;
//! see `tests/fuzz/harness.rs`.

use std::collections::BTreeMap;
use std::time::Duration;

use ipvs_netlink::{
    AddressFamily, Change, Destination, DestinationId, ErrorKind, Netmask, Outcome, Persistence,
    Scheduler, Service, ServiceFlags, ServiceId, Tunnel,
};

use super::client::Client;
use super::harness::{Budget, Random};
use super::namespace::fresh;

/// The expected table of the kernel.
#[derive(Debug, Default, PartialEq)]
struct Model(BTreeMap<ServiceId, (Service, BTreeMap<DestinationId, Destination>)>);

impl Model {
    /// What the kernel holds.
    fn read(ipvs: &mut Client) -> Self {
        let snapshot = ipvs.snapshot().unwrap();
        assert!(snapshot.is_complete());
        let services = snapshot.services().map(|service| {
            let destinations = service.destinations.iter();
            let destinations = destinations.map(|it| (it.destination.id, it.destination.clone()));
            (service.entry.service.id, (service.entry.service.clone(), destinations.collect()))
        });
        Self(services.collect())
    }

    fn destinations(
        &mut self,
        id: ServiceId,
    ) -> Result<&mut BTreeMap<DestinationId, Destination>, ErrorKind> {
        let service = self.0.get_mut(&id).ok_or(ErrorKind::NoSuchService)?;
        Ok(&mut service.1)
    }

    /// Applies a change as a kernel does, or returns the kind of its refusal.
    fn apply(&mut self, change: &Change) -> Result<(), ErrorKind> {
        use ErrorKind::{DestinationExists, NoSuchDestination, NoSuchService, ServiceExists};
        match change {
            Change::AddService(service) => {
                if self.0.contains_key(&service.id) {
                    return Err(ServiceExists);
                }
                self.0.insert(service.id, (service.clone(), BTreeMap::new()));
            }
            Change::UpdateService(service) => {
                self.0.get_mut(&service.id).ok_or(NoSuchService)?.0 = service.clone();
            }
            Change::DeleteService(id) => drop(self.0.remove(id).ok_or(NoSuchService)?),
            Change::ZeroService(id) => drop(self.destinations(*id)?),
            Change::AddDestination(id, destination) => {
                let destinations = self.destinations(*id)?;
                if destinations.contains_key(&destination.id) {
                    return Err(DestinationExists);
                }
                destinations.insert(destination.id, destination.clone());
            }
            Change::UpdateDestination(id, destination) => {
                let place =
                    self.destinations(*id)?.get_mut(&destination.id).ok_or(NoSuchDestination)?;
                *place = destination.clone();
            }
            Change::DeleteDestination(id, destination) => {
                self.destinations(*id)?.remove(destination).ok_or(NoSuchDestination)?;
            }
            Change::Flush => self.0.clear(),
            other => panic!("{other} is not modelled"),
        }
        Ok(())
    }
}

fn service_id(random: &mut Random) -> ServiceId {
    let port = *random.one_of(&[53, 80]);
    let service = match random.below(6) {
        0 => Service::tcp(([192, 0, 2, 10], port).into()),
        1 => Service::udp(([192, 0, 2, 10], port).into()),
        2 => Service::sctp(([192, 0, 2, 11], port).into()),
        3 => Service::tcp(([0x2001, 0xdb8, 0, 0, 0, 0, 0, 1], port).into()),
        4 => Service::fwmark(1, AddressFamily::Ipv4),
        _ => Service::fwmark(1, AddressFamily::Ipv6),
    };
    service.id
}

fn service(random: &mut Random) -> Service {
    let id = service_id(random);
    let schedulers = ["rr", "wrr", "lc", "wlc", "sed", "nq", "sh", "mh"];
    let mut service = Service::new(id);
    service.scheduler = random.one_of(&schedulers).parse::<Scheduler>().unwrap();
    if random.below(4) == 0 {
        service.flags = ServiceFlags::SCHED_2;
    }
    if random.below(3) == 0 {
        let timeout = Duration::from_secs(*random.one_of(&[1, 360, 2_147_483]));
        let mut persistence = Persistence::new(timeout);
        if random.below(2) == 0 {
            persistence.netmask = Some(match id.family() {
                AddressFamily::Ipv4 => Netmask::Ipv4([255, 255, 0, 0].into()),
                AddressFamily::Ipv6 => Netmask::Ipv6Prefix(64),
            });
        }
        service.persistence = Some(persistence);
    }
    service
}

/// Generates a destination, from a few addresses so that collisions are frequent.
fn destination(random: &mut Random, service: ServiceId) -> Destination {
    let last = u8::try_from(1 + random.below(4)).unwrap();
    let port = *random.one_of(&[80, 8080]);
    let v4 = ([10, 0, 0, last], port).into();
    let v6 = ([0x2001, 0xdb8, 0, 0, 0, 0, 1, u16::from(last)], port).into();
    let (same, other) = if service.family() == AddressFamily::Ipv4 { (v4, v6) } else { (v6, v4) };
    let destination = match random.below(6) {
        0 | 1 => Destination::masquerade(same),
        2 => Destination::direct_route(same),
        3 => Destination::tunnel(same, Tunnel::Gre { checksum: true }),
        _ => Destination::tunnel(other, Tunnel::Ipip),
    };
    let destination = destination.weight(*random.one_of(&[0, 1, 3, 65_535]));
    if random.below(4) == 0 { destination.thresholds(200, 100) } else { destination }
}

fn change(random: &mut Random) -> Change {
    let id = service_id(random);
    match random.below(40) {
        0..6 => Change::AddService(service(random)),
        6..10 => Change::UpdateService(service(random)),
        10..12 => Change::DeleteService(id),
        12 => Change::ZeroService(id),
        13 if random.below(10) == 0 => Change::Flush,
        13..26 => Change::AddDestination(id, destination(random, id)),
        26..34 => Change::UpdateDestination(id, destination(random, id)),
        _ => Change::DeleteDestination(id, destination(random, id).id),
    }
}

/// Runs an operation and compares its outcome with the model.
fn operate(random: &mut Random, ipvs: &mut Client, model: &mut Model) {
    match random.below(10) {
        0 => {
            let changes: Vec<_> = (0..random.below(40)).map(|_| change(random)).collect();
            let report = ipvs.submit(&changes);
            for (change, outcome) in changes.iter().zip(report.outcomes()) {
                let expected = model.apply(change);
                match (outcome, expected) {
                    (Outcome::Done, Ok(())) => {}
                    (Outcome::Refused(error), Err(kind)) => assert_eq!(error.kind(), kind),
                    (outcome, expected) => panic!("{change}: {outcome:?}, not {expected:?}"),
                }
            }
        }
        1 => {
            let id = service_id(random);
            let read = ipvs.service(id).map(|entry| entry.service);
            let expected = model.0.get(&id).map(|(service, _)| service.clone());
            assert_eq!(
                read.map_err(|error| error.kind()),
                expected.ok_or(ErrorKind::NoSuchService)
            );
        }
        2 => {
            let id = service_id(random);
            let read = ipvs.destinations(id).map(|entries| {
                entries.iter().map(|it| (it.destination.id, it.destination.clone())).collect()
            });
            let expected = model.0.get(&id).map(|(_, destinations)| destinations.clone());
            assert_eq!(
                read.map_err(|error| error.kind()),
                expected.ok_or(ErrorKind::NoSuchService)
            );
        }
        3 => {
            let id = service_id(random);
            let destination = destination(random, id);
            let (there, weight) = (destination.id, destination.weight);
            let done = ipvs.set_weight(id, there, weight).map_err(|error| error.kind());
            let entry = model.0.get_mut(&id).ok_or(ErrorKind::NoSuchService);
            let entry = entry.and_then(|(_, destinations)| {
                destinations.get_mut(&there).ok_or(ErrorKind::NoSuchDestination)
            });
            assert_eq!(done, entry.map(|destination| destination.weight = weight));
        }
        _ => {
            let change = change(random);
            let done = ipvs.submit(std::slice::from_ref(&change)).into_result();
            assert_eq!(done.map_err(|error| error.kind()), model.apply(&change), "{change}");
        }
    }
}

#[test]
fn whatever_is_done_the_kernel_and_the_model_agree() {
    let mut ipvs = fresh();
    let budget = Budget::new(10_000);
    let mut random = Random::new(budget.seed);
    let mut model = Model::default();
    for done in 0.. {
        if !budget.lasts(done) {
            break;
        }
        operate(&mut random, &mut ipvs, &mut model);
        if done % 50 == 0 {
            assert_eq!(Model::read(&mut ipvs), model, "seed {}, operation {done}", budget.seed);
        }
    }
    assert_eq!(Model::read(&mut ipvs), model, "seed {}", budget.seed);
}

//! Random services and destinations, as users and other programs write them.

use std::time::Duration;

use ipvs_netlink::table::controller::Wish;
use ipvs_netlink::table::{TableDestination, TableService};
use ipvs_netlink::{Destination, Forwarding, Scheduler, Service, ServiceFlags, ServiceId, Tunnel};

use crate::random::Random;
use crate::universe::{SERVERS, server};

/// A scheduler that no kernel has.
pub(crate) const MISSING: &str = "missing";

/// What may be wished in a run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Taste {
    /// Destinations of any weight are wished.
    pub(crate) any_weight: bool,
    /// Wishes that cannot be carried out occur.
    pub(crate) impossible: bool,
    /// The most destinations of a service.
    pub(crate) servers: u16,
}

/// Settings of a service.
pub(crate) fn service(random: &mut Random, id: ServiceId) -> Service {
    let mut service = Service::new(id);
    service.scheduler = scheduler(random);
    if random.chance(20) {
        service.flags = random.one([
            ServiceFlags::SCHED_1,
            ServiceFlags::SCHED_2,
            ServiceFlags::SCHED_1 | ServiceFlags::SCHED_2,
            ServiceFlags::ONE_PACKET,
        ]);
    }
    if random.chance(20) {
        service = service.persistent(Duration::from_secs(60 * u64::from(random.between(1, 3))));
    }
    service
}

fn scheduler(random: &mut Random) -> Scheduler {
    random.one([
        Scheduler::ROUND_ROBIN,
        Scheduler::WEIGHTED_ROUND_ROBIN,
        Scheduler::WEIGHTED_LEAST_CONNECTION,
        Scheduler::WEIGHTED_LEAST_CONNECTION,
        Scheduler::SOURCE_HASHING,
        Scheduler::MAGLEV_HASHING,
    ])
}

/// A destination of a service, more often of weight 1 than of any other.
pub(crate) fn destination(random: &mut Random, of: ServiceId) -> Destination {
    let host = u16::try_from(random.between(1, u32::from(SERVERS))).expect("a few hosts");
    destination_at(random, of, host)
}

fn destination_at(random: &mut Random, of: ServiceId, host: u16) -> Destination {
    let forwarding = random.one([
        Forwarding::Masquerade,
        Forwarding::Masquerade,
        Forwarding::DirectRoute,
        Forwarding::Tunnel(Tunnel::Ipip),
    ]);
    let weight = random.one([1, 1, 1, 1, 2, 3, 100, 0]);
    let destination = Destination::new(server(of, host), forwarding).weight(weight);
    match random.chance(15) {
        true => destination.thresholds(random.between(1, 3) * 100, random.below(2) * 50),
        false => destination,
    }
}

fn wished(random: &mut Random, taste: Taste, destination: Destination) -> TableDestination {
    match taste.any_weight && random.chance(40) {
        true => TableDestination::of_any_weight(destination),
        false => TableDestination::from(destination),
    }
}

/// A service with some destinations.
pub(crate) fn table_service(random: &mut Random, taste: Taste, id: ServiceId) -> TableService {
    let mut new = TableService::new(service(random, id));
    for _ in 0..random.below(u32::from(taste.servers) + 1) {
        let destination = destination(random, id);
        new.insert(wished(random, taste, destination));
    }
    if taste.impossible && random.chance(4) {
        new.update(|service| {
            service.scheduler = Scheduler::new(MISSING).expect("a possible name");
        });
    }
    if taste.impossible && random.chance(2) {
        // No kernel takes this weight.
        new.insert(destination(random, id).weight(u32::MAX));
    }
    new
}

/// The service with a single difference, as most users make one at a time.
pub(crate) fn edited(random: &mut Random, taste: Taste, old: &TableService) -> TableService {
    let mut new = old.clone();
    let id = old.id();
    let ids: Vec<_> = old.destinations().map(TableDestination::id).collect();
    match random.below(10) {
        0..=2 => {
            let destination = destination(random, id);
            new.insert(wished(random, taste, destination));
        }
        3..=5 => {
            if let Some(gone) = random.pick(&ids) {
                new.remove(*gone);
            }
        }
        6 | 7 => {
            let old = random.pick(&ids).and_then(|id| old.destination(*id));
            if let Some(old) = old {
                let weight = random.below(4);
                let changed = old.destination().clone().weight(weight);
                new.insert(wished(random, taste, changed));
            }
        }
        8 => new.update(|there| there.scheduler = scheduler(random)),
        _ => {
            let settings = service(random, id);
            new.update(|there| *there = settings);
        }
    }
    new
}

/// A wish that also says how some destinations leave.
pub(crate) fn wish(random: &mut Random, service: TableService) -> Wish {
    let id = service.id();
    let mut wish = Wish::new(service);
    if random.chance(15) {
        for _ in 0..random.between(1, 3) {
            wish = wish.at_once(destination(random, id).id);
        }
    }
    if random.chance(5) {
        wish = wish.all_at_once();
    }
    wish
}

/// Returns `true` if a kernel without faults takes this wish.
pub(crate) fn is_possible(service: &TableService) -> bool {
    service.validate().is_empty() && service.service().scheduler.to_string() != MISSING
}

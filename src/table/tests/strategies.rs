//! Generates random tables. They use so few addresses that two tables share many objects.

use std::net::SocketAddr;
use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;

use crate::model::{
    AddressFamily, Connections, Destination, DestinationEntry, Forwarding, Scheduler, Service,
    ServiceEntry, ServiceFlags, ServiceId, ServiceSnapshot, Snapshot, Stats, Tunnel,
};
use crate::table::{
    Actions, DrainPolicy, DrainedWeights, PlanOptions, Scope, Table, TableDestination, TableService,
};

fn address(network: &str, host: u8, port: u16) -> SocketAddr {
    format!("{network}.{host}:{port}").parse().unwrap()
}

fn service_id() -> impl Strategy<Value = ServiceId> {
    prop_oneof![
        (1..4_u8).prop_map(|host| ServiceId::tcp(address("192.0.2", host, 80))),
        (1..3_u8).prop_map(|host| ServiceId::udp(address("192.0.2", host, 53))),
        (1..3_u32).prop_map(|mark| ServiceId::fwmark(mark, AddressFamily::Ipv4)),
    ]
}

fn service() -> impl Strategy<Value = Service> {
    let scheduler = prop::sample::select(vec![
        Scheduler::ROUND_ROBIN,
        Scheduler::WEIGHTED_LEAST_CONNECTION,
        Scheduler::SOURCE_HASHING,
        Scheduler::DESTINATION_HASHING,
        Scheduler::MAGLEV_HASHING,
    ]);
    let flags = prop::sample::select(vec![
        ServiceFlags::empty(),
        ServiceFlags::SCHED_1,
        ServiceFlags::SCHED_2,
        ServiceFlags::ONE_PACKET,
    ]);
    let persistence = proptest::option::weighted(0.3, 1..3_u64);
    (service_id(), scheduler, flags, persistence).prop_map(|(id, scheduler, flags, timeout)| {
        let service = Service::new(id).scheduler(scheduler).flags(flags);
        match timeout {
            Some(timeout) => service.persistent(Duration::from_secs(timeout * 60)),
            None => service,
        }
    })
}

fn destination() -> impl Strategy<Value = Destination> {
    let forwarding = prop::sample::select(vec![
        Forwarding::Masquerade,
        Forwarding::DirectRoute,
        Forwarding::Tunnel(Tunnel::Ipip),
    ]);
    (1..6_u8, forwarding, 0..4_u32, 0..2_u32).prop_map(|(host, forwarding, weight, upper)| {
        Destination::new(address("10.0.0", host, 8080), forwarding)
            .weight(weight)
            .thresholds(upper * 100, 0)
    })
}

fn connections() -> impl Strategy<Value = Connections> {
    (0..3_u32, 0..3_u32, 0..2_u32).prop_map(|(active, inactive, persistent)| Connections {
        active,
        inactive,
        persistent,
    })
}

/// Generates current tables.
pub(super) fn current() -> impl Strategy<Value = Snapshot> {
    let entry = (destination(), connections()).prop_map(|(destination, connections)| {
        DestinationEntry::new(destination, connections, Stats::default())
    });
    let service = (service(), vec(entry, 0..5)).prop_map(|(service, entries)| {
        let mut entries = entries;
        entries.sort_by_key(|entry| entry.destination.id);
        entries.dedup_by_key(|entry| entry.destination.id);
        ServiceSnapshot::new(ServiceEntry::new(service, Stats::default()), entries)
    });
    vec(service, 0..6).prop_map(Snapshot::from_iter)
}

/// Generates desired tables.
pub(super) fn desired() -> impl Strategy<Value = Table> {
    let destination =
        (destination(), any::<bool>()).prop_map(|(destination, weighted)| match weighted {
            true => TableDestination::from(destination),
            false => TableDestination::of_any_weight(destination),
        });
    let service = (service(), vec(destination, 0..5)).prop_map(|(service, destinations)| {
        destinations.into_iter().fold(TableService::new(service), TableService::with)
    });
    vec(service, 0..6).prop_map(Table::from_iter)
}

/// Generates options that allow every plan.
pub(super) fn options() -> impl Strategy<Value = PlanOptions> {
    let scope = prop_oneof![
        Just(Scope::new()),
        Just(Scope::new().everything()),
        Just(Scope::new().network("192.0.2.2/32".parse().unwrap()).marks(1..=1)),
    ];
    let drained = vec((service_id(), 1..6_u8, 0..9_u32), 0..6);
    (scope, any::<bool>(), any::<bool>(), drained).prop_map(|(scope, keep, drain, drained)| {
        let mut weights = DrainedWeights::new();
        for (service, host, weight) in drained {
            weights.insert(service, address("10.0.0", host, 8080).into(), weight);
        }
        PlanOptions::new()
            .scope(scope)
            .keep_weights(keep)
            .drained_weights(weights)
            .allowed(Actions::all())
            .drain(drain.then(DrainPolicy::default))
    })
}

//! Pools decide by their policy, and never by accident.

mod leaving;
mod maintenance;
mod properties;
mod slow_start;
mod sorry;
mod starting;
mod status;

use std::time::{Duration, Instant};

use super::*;
use crate::model::{Destination, Scheduler, Service, Snapshot};
use crate::table::Table;

const SECOND: Duration = Duration::from_secs(1);

fn id(host: u8) -> DestinationId {
    DestinationId::from(std::net::SocketAddr::from(([10, 0, 0, host], 8080)))
}

fn web(hosts: &[(u8, u32)]) -> TableService {
    let service =
        Service::tcp(([192, 0, 2, 10], 80).into()).scheduler(Scheduler::WEIGHTED_ROUND_ROBIN);
    hosts.iter().fold(TableService::new(service), |service, (host, weight)| {
        service.with(Destination::masquerade(([10, 0, 0, *host], 8080).into()).weight(*weight))
    })
}

fn held(service: &TableService) -> ServiceSnapshot {
    let table: Table = [service.clone()].into_iter().collect();
    Snapshot::from(&table).into_iter().next().unwrap()
}

/// A pool of three servers that are up and in the table.
fn three(policy: PoolPolicy, now: Instant) -> Pool {
    let desired = web(&[(1, 1), (2, 1), (3, 2)]);
    let mut pool = Pool::new(desired.clone(), policy, Some(&held(&desired)));
    (1..=3).for_each(|host| pool.verdict(id(host), Verdict::Up, now));
    pool.wish(now);
    pool.events().count();
    pool
}

/// What the table is to hold: hosts and weights.
fn weights(pool: &mut Pool, now: Instant) -> Vec<(u8, u32)> {
    pool.decide(now);
    let wish = pool.combined(now);
    let host =
        |id: DestinationId| id.to_string().split(['.', ':']).nth(3).unwrap().parse().unwrap();
    let all = wish.service().destinations();
    all.map(|there| (host(there.id()), there.weight().unwrap())).collect()
}

fn events(pool: &mut Pool) -> Vec<String> {
    pool.events().map(|event| event.to_string()).collect()
}

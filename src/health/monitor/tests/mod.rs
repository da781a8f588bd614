//! Monitors check each target once, and lose nothing of what is known.

mod moves;
mod otherwise;
mod status;
mod times;
mod verdicts;

use std::iter;
use std::net::SocketAddr;
use std::time::Duration;

use super::*;
use crate::model::{Destination, Service, Snapshot};
use crate::table::{Table, TableService};

const SECOND: Duration = Duration::from_secs(1);

fn id(host: u8) -> DestinationId {
    DestinationId::from(SocketAddr::from(([10, 0, 0, host], 8080)))
}

fn service(port: u16, hosts: &[u8]) -> TableService {
    let service = TableService::new(Service::tcp(([192, 0, 2, 10], port).into()));
    hosts.iter().fold(service, |service, host| {
        service.with(Destination::masquerade(([10, 0, 0, *host], 8080).into()))
    })
}

/// Runs checks for a while. Returns the checks that were done; hosts in `dead` fail.
fn run(monitor: &mut Monitor<&str>, now: &mut Instant, time: Duration, dead: &[u8]) -> usize {
    let end = *now + time;
    let mut checks = 0;
    while let Some(next) = monitor.next(*now).filter(|next| *next <= end) {
        *now = next.max(*now);
        while let Some(check) = monitor.due(*now) {
            checks += 1;
            let is_dead = dead.iter().any(|host| id(*host) == check.destination);
            let outcome = if is_dead { Outcome::failed("refused") } else { Outcome::passed() };
            monitor.finished(&check, outcome, *now);
        }
        monitor.wishes(*now);
    }
    *now = end;
    checks
}

/// The weight that the last wish for a service gives to a destination.
fn weight(monitor: &mut Monitor<&str>, port: u16, host: u8) -> Option<u32> {
    let pool = monitor.pool(service(port, &[]).id()).unwrap();
    pool.last_wish()?.service().destination(id(host))?.weight()
}

#[test]
fn a_target_of_several_services_is_checked_once() {
    let mut now = Instant::now();
    let mut monitor = Monitor::new(1);
    for port in 1..=50 {
        monitor.watch(Watched::new(service(port, &[1, 2])).check("tcp", Pace::new()), None, now);
    }
    let checks = run(&mut monitor, &mut now, 50 * SECOND, &[]);
    assert!((20..=24).contains(&checks), "{checks}");
    assert!((1..=50).all(|port| weight(&mut monitor, port, 2) == Some(1)));
    run(&mut monitor, &mut now, 10 * SECOND, &[2]);
    assert!((1..=50).all(|port| weight(&mut monitor, port, 2) == Some(0)));
    let status: Vec<_> = monitor.status(id(2), now).collect();
    assert_eq!((status[0].1.verdict, &*status[0].1.reason), (Verdict::Down, "refused"));
}

//! Random histories, in which the growth is held against what the kernel knows and does not show.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::kernel::{Counter, Event, Kernel};
use crate::growth::{Counted, Grown, Growth, Reading};
use crate::model::DestinationId;

fn event() -> impl Strategy<Value = Event> {
    let (service, server) = (0..3_u8, 0..3_u8);
    let both = (service.clone(), server);
    prop_oneof![
        2 => service.clone().prop_map(Event::AddService),
        1 => service.clone().prop_map(Event::DeleteService),
        3 => both.clone().prop_map(|(service, n)| Event::AddDestination(service, n)),
        2 => both.clone().prop_map(|(service, n)| Event::DeleteDestination(service, n)),
        1 => both.clone().prop_map(|(service, n)| Event::Expire(service, n)),
        1 => service.prop_map(Event::Zero),
        1 => Just(Event::ZeroAll),
        6 => (both, 1..50_u64).prop_map(|((service, n), more)| Event::Count(service, n, more)),
        4 => Just(Event::Step),
    ]
}

/// What the counter has counted since the earlier reading or its last reset, and whether it was reset.
fn truth(counter: Counter, before: &BTreeMap<u64, Counter>) -> (u64, bool) {
    match before.get(&counter.object) {
        Some(then) => (counter.seen - then.seen.max(counter.zero), then.zero != counter.zero),
        None => (counter.seen - counter.zero, true),
    }
}

fn check(
    grown: Grown,
    was_there: bool,
    counter: Option<Counter>,
    before: &BTreeMap<u64, Counter>,
) -> Result<(), TestCaseError> {
    let Some(counter) = counter else {
        prop_assert_eq!(grown, Grown::Ended);
        return Ok(());
    };
    let (growth, reset) = truth(counter, before);
    let stats = |connections| Counted {
        connections,
        incoming_packets: 3 * connections,
        ..Counted::default()
    };
    match grown {
        Grown::Continued { growth: told } => {
            prop_assert!(was_there);
            prop_assert!(told.connections <= growth);
            prop_assert!(reset || told == stats(growth), "{grown:?}: {growth}");
        }
        Grown::Started { counted } => {
            prop_assert!(!was_there);
            prop_assert_eq!(counted, stats(growth));
        }
        Grown::Reset { counted } => {
            prop_assert!(was_there && reset);
            prop_assert_eq!(counted, stats(growth));
        }
        Grown::Uncertain { least, most } => {
            prop_assert!(least.connections <= growth && growth <= most.connections);
        }
        Grown::Ended | Grown::Unread => prop_assert!(false, "it is there"),
    }
    Ok(())
}

const fn number(id: DestinationId) -> u8 {
    match id.address.ip() {
        IpAddr::V4(ip) => ip.octets()[3],
        IpAddr::V6(_) => panic!("all are of IPv4"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]
    #[test]
    fn growth_is_what_was_counted_or_says_why_not(
        first in prop::collection::vec(event(), 0..40),
        then in prop::collection::vec(event(), 0..40),
    ) {
        let mut kernel = Kernel::default();
        first.into_iter().for_each(|event| kernel.happen(event));
        let (before, seen) = (kernel.read(), kernel.counters());
        then.into_iter().for_each(|event| kernel.happen(event));
        let after = kernel.read();

        let now = Instant::now();
        let later = now + Duration::from_secs(10);
        let growth = Growth::between(Reading::at(&before, now), Reading::at(&after, later));
        let mut told = 0;
        let mut most = 0;
        for service in growth.services() {
            let counter = kernel.service(service.id());
            prop_assert_eq!(service.after().is_some(), counter.is_some());
            check(service.grown(), service.before().is_some(), counter, &seen)?;
            told += service.grown().least().connections;
            most += counter.map_or(0, |it| truth(it, &seen).0);
            for destination in service.destinations() {
                let counter = kernel.destination(service.id(), number(destination.id()));
                check(destination.grown(), destination.before().is_some(), counter, &seen)?;
            }
        }
        prop_assert_eq!(growth.services().count(), {
            let mut ids: Vec<_> = before.services().chain(&after).map(|it| it.id()).collect();
            ids.sort();
            ids.dedup();
            ids.len()
        });
        let total = growth.services_total();
        prop_assert_eq!(total.growth.connections, told);
        prop_assert!(told <= most);
        prop_assert!(!total.is_exact() || told == most || total.reset == 0);
    }
}

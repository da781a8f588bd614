//! Destinations with thresholds: who is over them gets no client.

use std::collections::BTreeSet;

use ipvs_netlink::explain::{Answer, Attempt, Missing, TableSizes, View};
use ipvs_netlink::{AddressFamily, Scheduler, Service, ServiceFlags, ServiceId};

use crate::Score;
use crate::harness::{Budget, Random};
use crate::traffic::{Call, Clients, Town, some_servers};

const SCHEDULERS: [Scheduler; 5] = [
    Scheduler::SOURCE_HASHING,
    Scheduler::DESTINATION_HASHING,
    Scheduler::MAGLEV_HASHING,
    Scheduler::WEIGHTED_LEAST_CONNECTION,
    Scheduler::ROUND_ROBIN,
];

#[test]
fn a_destination_over_its_threshold_is_passed_over() {
    let mut random = Random::new(Budget::new(0).seed);
    let mut town = Town::new();
    let mut clients = Clients::new();
    let (mut shown, mut known) = (Score::default(), Score::default());
    // Marks of their own: a destination that comes back to its service keeps its connections, and
    // the kernel shows no more whether it is overloaded.
    for (round, mark) in (0..10).zip(100..) {
        let scheduler = SCHEDULERS[round % SCHEDULERS.len()];
        let family = *random.one_of(&[AddressFamily::Ipv4, AddressFamily::Ipv6]);
        let flags = *random.one_of(&[ServiceFlags::empty(), ServiceFlags::SCHED_1]);
        let service = Service::fwmark(mark, family).scheduler(scheduler).flags(flags);
        town.ipvs.add_service(&service).unwrap();
        for server in some_servers(&mut random, family).into_iter().take(4) {
            let upper = u32::try_from(random.below(7)).unwrap();
            let lower = u32::try_from(random.below(2)).unwrap().min(upper);
            let server = server.weight(1).thresholds(upper, lower);
            town.ipvs.add_destination(service.id, &server).unwrap();
        }
        let mut held = Vec::new();
        // The destinations that have reached their upper threshold.
        let mut reached = BTreeSet::new();
        for _ in 0..24 {
            let entries = town.ipvs.destinations(service.id).unwrap().into_vec();
            for entry in &entries {
                let total = entry.connections.active + entry.connections.inactive;
                let upper = entry.destination.thresholds.upper;
                if upper > 0 && total >= upper {
                    reached.insert(entry.id());
                }
            }
            let view = View::new(&service, entries.clone()).table_sizes(TableSizes::DEFAULT_BUILD);
            let view = view.address_is_local(Some(true)).connections(Vec::new());
            let (from, to) = (clients.next(&mut random, family), {
                let to = clients.next(&mut random, family);
                (to.ip(), 80).into()
            });
            let attempt = Attempt::new(from.ip(), service.id).client_port(from.port()).address(to);
            let lines = town.open(&[Call { from, to, mark: Some(mark) }]);
            let server = lines[0].server();
            held.extend(lines);

            let told = view.explain(&attempt);
            if let Answer::Undetermined { missing, .. } = &told.answer {
                let by_overload = |it: &Missing| matches!(it, Missing::Overload(_));
                assert!(missing.iter().all(by_overload), "{told}");
            }
            shown.count(&told, server);
            let view = entries.iter().fold(view, |view, entry| {
                view.overloaded(entry.id(), reached.contains(&entry.id()))
            });
            let told = view.explain(&attempt);
            assert!(!matches!(told.answer, Answer::Undetermined { .. }), "{told}");
            known.count(&told, server);
        }
        drop(held);
        town.ipvs.delete_service(ServiceId::fwmark(mark, family)).unwrap();
    }
    shown.pass("thresholds as shown");
    known.pass("thresholds with known overloads");
}

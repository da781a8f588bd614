//! The schedulers that compare weights and connections.

use ipvs_netlink::explain::{Answer, Attempt, View};
use ipvs_netlink::{AddressFamily, Destination, ErrorKind, Scheduler, Service};

use crate::Score;
use crate::harness::{Budget, Random};
use crate::traffic::{Call, Clients, Town, server};

/// Opens connections one by one, each predicted by the counts before.
fn check(scheduler: Scheduler, exact: bool) {
    let mut random = Random::new(Budget::new(0).seed);
    let mut town = Town::new();
    let service = Service::tcp("127.9.0.1:80".parse().unwrap()).scheduler(scheduler);
    if let Err(error) = town.ipvs.add_service(&service) {
        assert_eq!(
            (error.kind(), scheduler.as_str().unwrap()),
            (ErrorKind::UnknownScheduler, "twos")
        );
        return;
    }
    for (n, weight) in (0..).zip([2, 0, 5, 1, 5]) {
        let server = Destination::masquerade(server(AddressFamily::Ipv4, n)).weight(weight);
        town.ipvs.add_destination(service.id, &server).unwrap();
    }
    let mut clients = Clients::new();
    let mut score = Score::default();
    let mut held = Vec::new();
    for n in 0..40 {
        let entries = town.ipvs.destinations(service.id).unwrap().into_vec();
        let view = View::new(&service, entries).address_is_local(Some(true));
        let from = clients.next(&mut random, AddressFamily::Ipv4);
        let to = service.id.address().unwrap();
        let lines = town.open(&[Call { from, to, mark: None }]);
        let told = view.explain(&Attempt::new(from.ip(), service.id));
        assert_eq!(matches!(told.answer, Answer::OneOf { .. }), !exact, "{told}");
        score.count(&told, lines[0].server());
        // Every third connection is closed and becomes an inactive one.
        if n % 3 > 0 {
            held.extend(lines);
        }
    }
    score.pass(scheduler.as_str().unwrap());
}

#[test]
fn weights_and_connections_decide() {
    let schedulers = [
        Scheduler::LEAST_CONNECTION,
        Scheduler::WEIGHTED_LEAST_CONNECTION,
        Scheduler::SHORTEST_EXPECTED_DELAY,
        Scheduler::NEVER_QUEUE,
        Scheduler::WEIGHTED_FAILOVER,
        Scheduler::WEIGHTED_OVERFLOW,
    ];
    schedulers.into_iter().for_each(|scheduler| check(scheduler, true));
}

#[test]
fn the_others_choose_among_the_candidates() {
    let schedulers = [
        Scheduler::ROUND_ROBIN,
        Scheduler::WEIGHTED_ROUND_ROBIN,
        Scheduler::LOCALITY_BASED_LEAST_CONNECTION,
        Scheduler::LOCALITY_BASED_LEAST_CONNECTION_WITH_REPLICATION,
        Scheduler::WEIGHTED_RANDOM_TWOS_CHOICE,
    ];
    schedulers.into_iter().for_each(|scheduler| check(scheduler, false));
}

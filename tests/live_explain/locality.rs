//! `lblc` and its cache of destinations by the address that the client connects to.

use std::net::SocketAddr;

use ipvs_netlink::explain::{Attempt, View};
use ipvs_netlink::{AddressFamily, Destination, Scheduler, Service};

use crate::Score;
use crate::harness::{Budget, Random};
use crate::traffic::{Call, Clients, Town, server};

/// Destinations over their thresholds: `lblc` goes on with the one that it has cached, `lblcr` does
/// not.
#[test]
fn a_cached_destination_may_be_over_its_threshold() {
    let mut random = Random::new(Budget::new(0).seed);
    let mut town = Town::new();
    let mut clients = Clients::new();
    let to: SocketAddr = "127.9.0.1:80".parse().unwrap();
    let schedulers = [
        (Scheduler::LOCALITY_BASED_LEAST_CONNECTION, true),
        (Scheduler::LOCALITY_BASED_LEAST_CONNECTION_WITH_REPLICATION, false),
    ];
    for (scheduler, keeps) in schedulers {
        let service = Service::tcp(to).scheduler(scheduler);
        town.ipvs.add_service(&service).unwrap();
        for n in 0..2 {
            let server = Destination::masquerade(server(AddressFamily::Ipv4, n));
            let server = server.weight(100).thresholds(2, 0);
            town.ipvs.add_destination(service.id, &server).unwrap();
        }
        let (mut score, mut held) = (Score::default(), Vec::new());
        let mut servers = Vec::new();
        for _ in 0..6 {
            let entries = town.ipvs.destinations(service.id).unwrap().into_vec();
            let view = View::new(&service, entries).address_is_local(Some(true));
            let from = clients.next(&mut random, AddressFamily::Ipv4);
            let lines = town.open(&[Call { from, to, mark: None }]);
            let told = view.explain(&Attempt::new(from.ip(), service.id));
            servers.push(lines[0].server());
            score.count(&told, lines[0].server());
            held.extend(lines);
        }
        score.pass(&format!("{scheduler} over thresholds"));
        let all_to_one = servers.iter().all(|server| *server == servers[0]);
        assert_eq!(all_to_one, keeps, "{servers:?}");
        town.ipvs.delete_service(service.id).unwrap();
    }
}

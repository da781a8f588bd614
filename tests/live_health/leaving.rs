//! Services whose clients would go on to a dead server that has weight 0: it is deleted, and
//! everybody is served.

use std::collections::BTreeSet;
use std::thread::sleep;
use std::time::{Duration, Instant};

use ipvs_netlink::health::Watched;
use ipvs_netlink::table::TableService;
use ipvs_netlink::{DestinationId, Persistence, Scheduler, Service};

use crate::bound;
use crate::crowd::Visits;
use crate::lab::{Lab, at, failed_meanwhile, http, id, ms, pace, service, vip};
use crate::server::Manner;

const HOSTS: [u8; 3] = [0, 1, 2];

fn services() -> Vec<(&'static str, u16, TableService)> {
    let edited = |name, port, edit: fn(&mut Service)| {
        let mut service = service(port, &HOSTS);
        service.update(edit);
        (name, port, service)
    };
    let minute = |service: &mut Service| {
        service.persistence = Some(Persistence::new(Duration::from_secs(60)));
    };
    vec![
        edited("persistent", 8701, minute),
        edited("sh", 8702, |service| service.scheduler = Scheduler::SOURCE_HASHING),
        edited("mh", 8703, |service| service.scheduler = Scheduler::MAGLEV_HASHING),
        edited("dh", 8704, |service| service.scheduler = Scheduler::DESTINATION_HASHING),
    ]
}

/// The servers that answered connections which began between two times.
fn answered(visits: &Visits, port: u16, from: Instant, to: Instant) -> BTreeSet<String> {
    let all = visits.to(vip(port)).iter().filter(|visit| visit.begin > from && visit.end < to);
    all.filter_map(|visit| visit.answer.clone().ok()).collect()
}

#[test]
fn clients_that_keep_to_their_server_leave_a_dead_one() {
    let lab = Lab::with_hosts(3);
    let services = services();
    let watched: Vec<_> = services
        .iter()
        .map(|(_, _, service)| Watched::new(service.clone()).check(http(), pace()))
        .collect();
    let manners: Vec<_> = services.iter().map(|(_, port, _)| lab.serve(*port, &HOSTS)).collect();
    let ports: Vec<_> = services.iter().map(|(_, port, _)| *port).collect();
    let begin = Instant::now();
    let director = lab.director(watched.clone());
    watched.iter().for_each(|watched| lab.all_back(watched, begin));
    let crowd = lab.crowd(&ports, 25);
    sleep(ms(300));
    let settled = Instant::now();
    // All clients have one address, so all are at one server.
    let before = lab.crowd(&ports, 20);
    sleep(ms(300));
    let (before, seen) = (before.stop(), Instant::now());
    let victims: Vec<u8> = ports
        .iter()
        .map(|port| {
            let servers = answered(&before, *port, settled, seen);
            assert_eq!(servers.len(), 1, "{port}: {servers:?}");
            servers.first().unwrap().strip_prefix("server ").unwrap().parse().unwrap()
        })
        .collect();
    let fault = Instant::now();
    for (manners, host) in manners.iter().zip(&victims) {
        manners[usize::from(*host)].set(Manner::Error);
    }
    let there = |host, port| DestinationId::from(at(host, port));
    let outs: Vec<_> = (ports.iter().zip(&victims))
        .map(|(port, host)| lab.out(id(*port), there(*host, *port), fault))
        .collect();
    sleep(ms(500));
    let end = Instant::now();
    let visits = crowd.stop();
    director.stop();
    let bound = bound::to_down(pace(), Duration::ZERO);
    for (((name, port, _), host), out) in services.iter().zip(&victims).zip(outs) {
        let failed = failed_meanwhile(&visits, vip(*port), fault, out);
        println!(
            "{name:10} out after {:.2} s of {:.2}, failed {failed} until then and 0 after",
            (out - fault).as_secs_f64(),
            bound.as_secs_f64()
        );
        assert!(failed > 0, "{name}: the clients were not at the server that failed");
        let weights = lab.log.weights(id(*port), there(*host, *port), fault);
        assert_eq!(weights.last().unwrap().1, None, "{name}: deleted");
        let servers = answered(&visits, *port, out, end);
        assert!(!servers.is_empty() && !servers.contains(&format!("server {host}")), "{servers:?}");
        lab.assert_within(name, fault, out, bound);
    }
}

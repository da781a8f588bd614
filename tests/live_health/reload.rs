//! A new table fails no client: what it adds enters after a success, what it removes drains, and
//! what is dead stays out and comes back.

use std::thread::sleep;
use std::time::{Duration, Instant};

use ipvs_netlink::DestinationId;
use ipvs_netlink::health::probe::Probe;
use ipvs_netlink::health::{Verdict, Watched};

use crate::bound;
use crate::lab::{Lab, assert_none_failed, at, http, id, ms, pace, service};
use crate::server::Manner;

const WEB: u16 = 8301;

/// Hosts without a server.
const DEAD: [u8; 2] = [4, 5];

fn watched(hosts: &[u8]) -> Watched<Probe> {
    Watched::new(service(WEB, hosts)).check(http(), pace())
}

fn there(host: u8) -> DestinationId {
    at(host, WEB).into()
}

#[test]
fn a_new_table_fails_no_client() {
    let lab = Lab::with_hosts(6);
    let manners = lab.serve(WEB, &[0, 1, 2, 3]);
    // Server 2 is dead from the start.
    manners[2].set(Manner::Error);
    let begin = Instant::now();
    let director = lab.director(vec![watched(&[0, 1, 2])]);
    for host in [0, 1] {
        lab.back(id(WEB), there(host), begin);
    }
    lab.verdict(id(WEB), there(2), Some(Verdict::Down), begin);
    let crowd = lab.crowd(&[WEB], 50);
    sleep(ms(300));

    // Two dead ones are new, one of which says nothing at all.
    lab.ip(5, "route add blackhole 10.2.6.1");
    let reload = Instant::now();
    director.runner.watch(watched(&[0, 1, 2, 4, 5]), None).unwrap();
    for host in DEAD {
        lab.verdict(id(WEB), there(host), Some(Verdict::Down), reload);
    }
    sleep(ms(300));
    assert_eq!(lab.log.written(reload), [], "nothing has changed for clients");
    // A live one is new.
    director.runner.watch(watched(&[0, 1, 2, 3, 4, 5]), None).unwrap();
    lab.back(id(WEB), there(3), reload);
    // Two leave, and one of them comes again.
    let leaving = Instant::now();
    director.runner.watch(watched(&[0, 2, 3]), None).unwrap();
    lab.out(id(WEB), there(1), leaving);
    sleep(ms(300));
    let again = Instant::now();
    director.runner.watch(watched(&[0, 1, 2, 3]), None).unwrap();
    lab.back(id(WEB), there(1), again);
    sleep(ms(300));
    // What was dead all the time is still checked, and comes back.
    let dead = [2, 4, 5].map(|host| lab.log.weights(id(WEB), there(host), begin));
    assert!(dead.iter().all(Vec::is_empty), "{dead:?}");
    manners[2].set(Manner::Well);
    let recovery = Instant::now();
    let back = lab.back(id(WEB), there(2), recovery);
    sleep(ms(300));
    let visits = crowd.stop();
    director.stop();
    assert_none_failed("new tables, with dead servers", &visits, WEB);
    lab.assert_within("back after reloads", recovery, back, bound::to_up(pace(), Duration::ZERO));
}

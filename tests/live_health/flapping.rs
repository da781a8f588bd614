//! A server that fails again and again is kept out longer.

use std::thread::sleep;
use std::time::{Duration, Instant};

use ipvs_netlink::DestinationId;
use ipvs_netlink::health::{Damping, Pace, PoolEvent, Watched};

use crate::lab::{Lab, at, failed_meanwhile, http, id, ms, service, vip};
use crate::log::Said;
use crate::server::Manner;

/// Its flapping server is damped.
const DAMPED: u16 = 8501;
/// Its flapping server is not damped.
const FREE: u16 = 8502;

fn pace(damping: Option<Damping>) -> Pace {
    let pace = Pace::new().interval(ms(100)).changing(ms(50)).down(ms(100));
    pace.fall(2).rise(2).damping(damping)
}

#[test]
fn a_server_that_flaps_is_kept_out_longer() {
    let lab = Lab::with_hosts(3);
    let damping = Damping::new().window(Duration::from_secs(60)).free(1).most(8);
    let watched = [(DAMPED, Some(damping)), (FREE, None)].map(|(port, damping)| {
        Watched::new(service(port, &[0, 1, 2])).check(http(), pace(damping))
    });
    let flapping = [DAMPED, FREE].map(|port| lab.serve(port, &[0, 1, 2]).remove(2));
    let begin = Instant::now();
    let director = lab.director(watched.to_vec());
    watched.iter().for_each(|watched| lab.all_back(watched, begin));
    let crowd = lab.crowd(&[DAMPED, FREE], 50);
    sleep(ms(300));
    let fault = Instant::now();
    flapping.iter().for_each(|manners| manners.set(Manner::Flapping));
    let there = |port| DestinationId::from(at(2, port));
    let put_back = |port| {
        let said = lab.log.since(fault);
        let is = |said: &Said| {
            matches!(said, Said::Pool(of, PoolEvent::PutBack(at))
                if *of == id(port) && *at == there(port))
        };
        said.iter().filter(|(_, said)| is(said)).count()
    };
    while put_back(FREE) < 6 {
        assert!(fault.elapsed() < crate::log::PATIENCE, "flaps no more");
        sleep(ms(20));
    }
    // It needs two successes in a row, then four, and then eight, which do not come.
    let damped = put_back(DAMPED);
    assert!((1..=2).contains(&damped), "put back {damped} times");
    flapping.iter().for_each(|manners| manners.set(Manner::Well));
    let recovery = Instant::now();
    let last = |port| lab.log.weights(id(port), there(port), fault).last().copied().unwrap();
    let back = loop {
        match last(DAMPED) {
            (at, Some(weight)) if weight > 0 => break at,
            _ => assert!(recovery.elapsed() < crate::log::PATIENCE, "never back"),
        }
        sleep(ms(10));
    };
    sleep(ms(300));
    let visits = crowd.stop();
    director.stop();

    let ends = [DAMPED, FREE].map(|port| failed_meanwhile(&visits, vip(port), fault, back));
    println!(
        "6 flaps: put back {damped} times, failed {}; without damping 6 times, failed {}",
        ends[0], ends[1]
    );
    // Eight times the successes, one each 50 ms once there is one.
    let bound = ms(100) + 15 * ms(50);
    lab.assert_within("back after flapping", recovery, back, bound);
}

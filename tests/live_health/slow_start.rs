//! A server that comes back gets its part of the clients in steps.

use std::thread::sleep;
use std::time::Instant;

use ipvs_netlink::health::{PoolPolicy, SlowStart, Verdict, Watched};
use ipvs_netlink::table::Table;
use ipvs_netlink::{DestinationId, Scheduler};

use crate::lab::{Lab, at, http, id, ms, pace, service, vip};
use crate::server::Manner;

const WEB: u16 = 8401;

/// The time of each step.
const STEP: u64 = 700;

#[test]
fn the_share_of_connections_grows_in_steps() {
    let lab = Lab::with_hosts(3);
    let manners = lab.serve(WEB, &[0, 1, 2]);
    let mut table = service(WEB, &[0, 1, 2]);
    table.update(|service| service.scheduler = Scheduler::WEIGHTED_ROUND_ROBIN);
    let slow = SlowStart::new(4 * ms(STEP)).steps(4);
    let policy = PoolPolicy::new().slow_start(Some(slow));
    let watched = Watched::new(table).policy(policy).check(http(), pace());
    let begin = Instant::now();
    let director = lab.director(vec![watched.clone()]);
    lab.all_back(&watched, begin);
    let there = DestinationId::from(at(2, WEB));
    let crowd = lab.crowd(&[WEB], 100);
    manners[2].set(Manner::Error);
    let fault = Instant::now();
    lab.out(id(WEB), there, fault);
    manners[2].set(Manner::Well);
    let back = lab.back(id(WEB), there, fault);
    sleep(ms(4 * STEP + 500));
    let end = Instant::now();
    let visits = crowd.stop();

    // The program is stopped and started in the middle of another one. The weight stays until a
    // check has decided, and nobody starts slowly then.
    let other = DestinationId::from(at(1, WEB));
    manners[1].set(Manner::Error);
    lab.out(id(WEB), other, end);
    manners[1].set(Manner::Well);
    lab.back(id(WEB), other, end);
    director.stop();
    let (held, stopped) = (lab.table(), Instant::now());
    let of = |table: &Table| table.service(id(WEB)).unwrap().destination(other).unwrap().weight();
    assert!(of(&held) < Some(4), "{held}");
    let director = lab.director(vec![watched]);
    let decided = lab.verdict(id(WEB), other, Some(Verdict::Up), stopped);
    lab.back(id(WEB), other, decided);
    assert_eq!(lab.log.written(stopped).first().map(|(at, _)| *at > decided), Some(true));
    assert_eq!(of(&lab.table()), Some(4));
    director.stop();

    let mut steps = lab.log.weights(id(WEB), there, back);
    let weights: Vec<_> = steps.iter().map(|(_, weight)| weight.unwrap()).collect();
    assert_eq!(weights, [1, 2, 3, 4], "of 4");
    // The last step is the whole weight, which lasts.
    steps.push((end, None));
    let mut last = 0.0;
    for step in steps.windows(2) {
        let ((from, weight), (to, _)) = (step[0], step[1]);
        let weight = f64::from(weight.unwrap());
        let within = |it: &&crate::crowd::Visit| it.begin > from && it.begin < to;
        let all: Vec<_> = visits.to(vip(WEB)).iter().filter(within).collect();
        let its = all.iter().filter(|it| it.answer.as_deref() == Ok("server 2")).count();
        let (its, count) = (f64::from(u32::try_from(its).unwrap()), all.len());
        let share = its / f64::from(u32::try_from(count).unwrap());
        let expected = weight / (8.0 + weight);
        println!(
            "from {:.2} s on: weight {weight} of 4, {its} of {count} connections: {:.0} %, ramp {:.0} %",
            (from - back).as_secs_f64(),
            100.0 * share,
            100.0 * expected
        );
        // A turn of the scheduler may be cut at both ends.
        let cut = 3.0 / f64::from(u32::try_from(count).unwrap());
        assert!((share - expected).abs() <= cut + 0.02, "{share} is not {expected}");
        assert!(share >= last - cut, "{share} after {last}");
        last = share;
    }
    for (n, (at, _)) in (0_u64..).zip(&steps[..4]) {
        lab.assert_within("a step", back, *at, ms(n * STEP));
    }
}

//! A sign from elsewhere makes the next check come sooner, and decides nothing.

use std::thread::sleep;
use std::time::{Duration, Instant};

use ipvs_netlink::DestinationId;
use ipvs_netlink::health::{Pace, Verdict, Watched};

use crate::lab::{Lab, at, failed_meanwhile, http, id, ms, service, vip};
use crate::server::Manner;

const WEB: u16 = 8601;

#[test]
fn a_sign_makes_the_next_check_come_sooner_and_decides_nothing() {
    let lab = Lab::with_hosts(3);
    let hour = Duration::from_secs(3600);
    let pace = Pace::new().interval(hour).down(hour).changing(ms(100)).fall(3).rise(2);
    let watched = Watched::new(service(WEB, &[0, 1, 2])).check(http(), pace);
    let manners = lab.serve(WEB, &[0, 1, 2]);
    let begin = Instant::now();
    let director = lab.director(vec![watched.clone()]);
    lab.all_back(&watched, begin);
    let crowd = lab.crowd(&[WEB], 50);
    let there = |host| DestinationId::from(at(host, WEB));

    // Signs about servers that work bring checks, and no storm of them.
    let checks = || director.runner.stats().passed;
    let (signs, before) = (Instant::now(), checks());
    for _ in 0..50 {
        (0..3).for_each(|host| director.runner.hasten(there(host)));
        sleep(ms(10));
    }
    sleep(ms(300));
    let (came, most) = (checks() - before, 3 * (signs.elapsed().as_millis() / 95 + 2));
    assert!(came >= 3 && u128::from(came) <= most, "{came} checks, and at most {most} may come");
    assert!(lab.log.is_quiet_since(signs), "{:#?}", lab.log.since(signs));

    // A fault shows only by a check, which would be in an hour.
    manners[2].set(Manner::Error);
    let fault = Instant::now();
    sleep(ms(500));
    assert!(lab.log.is_quiet_since(fault), "{:#?}", lab.log.since(fault));
    let sign = Instant::now();
    director.runner.hasten(there(2));
    let out = lab.out(id(WEB), there(2), sign);
    let soonest = pace.changing * (pace.fall - 1) / 2;
    assert!(out - sign >= soonest, "out after {:?}: the sign has decided", out - sign);
    manners[2].set(Manner::Well);
    let sign_of_life = Instant::now();
    director.runner.hasten(there(2));
    let back = lab.back(id(WEB), there(2), sign_of_life);
    lab.verdict(id(WEB), there(2), Some(Verdict::Up), sign_of_life);
    sleep(ms(300));
    let visits = crowd.stop();
    director.stop();
    let failed = failed_meanwhile(&visits, vip(WEB), fault, out);
    println!(
        "sign to out {:.2} s, sign to back {:.2} s, failed {failed}",
        (out - sign).as_secs_f64(),
        (back - sign_of_life).as_secs_f64()
    );
}

//! Half of the servers fail, or all of them. The program is stopped and started meanwhile.

use std::thread::sleep;
use std::time::{Duration, Instant};

use ipvs_netlink::health::probe::Probe;
use ipvs_netlink::health::{PoolEvent, PoolPolicy, Verdict, Watched};
use ipvs_netlink::{Destination, DestinationId};

use crate::bound;
use crate::lab::{Lab, at, failed_meanwhile, http, id, ms, pace, service, vip};
use crate::log::{Log, Said};
use crate::sampler::Sampler;
use crate::server::Manner;

/// Half of four servers are killed.
const HALF: u16 = 8101;
/// All of three are killed, and there is a sorry server.
const SORRY: u16 = 8102;
/// All of three fail, and the last one is kept.
const LAST: u16 = 8103;
/// Three of four fail, and more than half are too many.
const PANIC: u16 = 8104;

/// The host of the sorry server.
const SORRY_HOST: u8 = 3;

fn watched() -> [Watched<Probe>; 4] {
    let sorry = Destination::masquerade(at(SORRY_HOST, SORRY));
    let watched = |port, hosts: &[u8], policy| {
        Watched::new(service(port, hosts)).policy(policy).check(http(), pace())
    };
    [
        watched(HALF, &[0, 1, 2, 3], PoolPolicy::new()),
        watched(SORRY, &[0, 1, 2], PoolPolicy::new().sorry(Some(sorry))),
        watched(LAST, &[0, 1, 2], PoolPolicy::new()),
        watched(PANIC, &[0, 1, 2, 3], PoolPolicy::new().panic(50)),
    ]
}

fn there(host: u8, port: u16) -> DestinationId {
    at(host, port).into()
}

/// Returns the hosts of a service that were kept although they are dead.
fn kept(log: &Log, port: u16, since: Instant) -> usize {
    let is_kept =
        |said: &Said| matches!(said, Said::Pool(of, PoolEvent::Kept(_)) if *of == id(port));
    log.since(since).iter().filter(|(_, said)| is_kept(said)).count()
}

/// How many destinations of a service have a weight.
fn usable(lab: &Lab, port: u16) -> usize {
    let table = lab.table();
    let there = table.service(id(port)).unwrap().destinations();
    there.filter(|there| there.weight().unwrap() > 0).count()
}

#[test]
fn half_of_the_servers_fail_or_all_of_them() {
    let lab = Lab::with_hosts(4);
    let watched = watched();
    lab.serve(HALF, &[0, 1]);
    lab.serve(SORRY, &[SORRY_HOST]);
    let mut manners = lab.serve(LAST, &[0, 1, 2]);
    manners.extend(lab.serve(PANIC, &[0, 1, 2]));
    lab.serve(PANIC, &[3]);
    let victims = [(2, HALF), (3, HALF), (0, SORRY), (1, SORRY), (2, SORRY)];
    let start = || {
        victims.map(|(host, port)| {
            let process = lab.process(port, host);
            lab.wait_for(host, port);
            (process, Instant::now())
        })
    };
    let processes = start();

    let begin = Instant::now();
    let director = lab.director(watched.to_vec());
    watched.iter().for_each(|watched| lab.all_back(watched, begin));
    let (full, full_at) = (lab.table(), Instant::now());
    let crowd = lab.crowd(&[HALF, SORRY, LAST, PANIC], 25);
    let sampler = Sampler::start(&lab.network.director, id(SORRY));
    sleep(ms(500));

    let fault = Instant::now();
    for (process, _) in processes {
        process.kill();
    }
    manners.iter().for_each(|manners| manners.set(Manner::Error));
    for host in 0..3 {
        for port in [LAST, PANIC] {
            lab.verdict(id(port), there(host, port), Some(Verdict::Down), fault);
        }
    }
    let half = [2, 3].map(|host| lab.out(id(HALF), there(host, HALF), fault));
    let all = [0, 1, 2].map(|host| lab.out(id(SORRY), there(host, SORRY), fault));
    let sorry_in = lab.back(id(SORRY), there(SORRY_HOST, SORRY), fault);
    sleep(ms(500));
    assert_eq!([HALF, SORRY, LAST, PANIC].map(|port| usable(&lab, port)), [2, 1, 1, 2]);
    assert_eq!([LAST, PANIC].map(|port| kept(&lab.log, port, fault)), [1, 1]);
    assert!(
        all.iter().any(|out| *out > sorry_in),
        "the last one left before the sorry server came"
    );

    // The program is stopped and started.
    let (held, stopped) = (lab.table(), Instant::now());
    director.stop();
    sleep(ms(200));
    let restarted = Instant::now();
    let director = lab.director(watched.to_vec());
    lab.wait_for_verdicts(&watched, restarted);
    sleep(ms(500));
    assert_eq!(lab.log.written(stopped), []);
    assert_eq!(lab.table(), held);

    let processes = start();
    manners.iter().for_each(|manners| manners.set(Manner::Well));
    watched.iter().for_each(|watched| {
        for host in watched.service.destinations() {
            lab.verdict(watched.id(), host.id(), Some(Verdict::Up), restarted);
        }
    });
    let back = [0, 1, 2].map(|host| lab.back(id(SORRY), there(host, SORRY), restarted));
    let sorry_out = lab.out(id(SORRY), there(SORRY_HOST, SORRY), restarted);
    sleep(ms(500));
    let samples = sampler.stop();
    let visits = crowd.stop();
    lab.wait_for_rotation(&full);
    director.stop();

    let down = bound::to_down(pace(), Duration::ZERO);
    let report = |what: &str, port, end: Instant| {
        let failed = failed_meanwhile(&visits, vip(port), fault, end);
        let took = end - fault;
        println!(
            "{what:30} {:.2} s of {:.2}, failed {failed} of {}",
            took.as_secs_f64(),
            down.as_secs_f64(),
            visits.to(vip(port)).len()
        );
        lab.assert_within(what, fault, end, down);
    };
    report("half killed, both out", HALF, *half.iter().max().unwrap());
    report("all killed, sorry server in", SORRY, *all.iter().max().unwrap());
    // The processes of this service are the last three.
    let recovery = processes[2].1;
    let (first, up) = (back.iter().min().unwrap(), bound::to_up(pace(), Duration::ZERO));
    println!(
        "{:30} {:.2} s of {:.2}, none failed from the sorry server on",
        "first back",
        first.saturating_duration_since(recovery).as_secs_f64(),
        up.as_secs_f64()
    );
    lab.assert_within("first back", recovery, *first, up);
    println!("the sorry server's service: {samples:?}");
    // The one that came back was there before the sorry server left.
    assert!(*first <= sorry_out);
    for port in [SORRY, LAST, PANIC, HALF] {
        let usable = lab.log.usable(id(port), &full, full_at);
        assert!(usable.iter().all(|(_, usable)| *usable > 0), "{usable:?}");
    }
    assert!(samples.taken > 100, "{samples:?}");
    assert_eq!(samples.without, 0);
    let served = |name: &str| {
        visits.to(vip(SORRY)).iter().filter(|it| it.answer.as_deref() == Ok(name)).count()
    };
    assert!(served("server 3") > 20, "the sorry server served {}", served("server 3"));
}

//! The longer version, which runs only by name and takes some minutes: nine deaths with each of
//! several paces, 50 connections a second, three servers, a check each second.
//!
//! ```text
//! cargo test --test live_health -- --ignored --nocapture longer
//! ```

use std::thread::sleep;
use std::time::{Duration, Instant};

use ipvs_netlink::health::probe::Probe;
use ipvs_netlink::health::{Pace, PoolPolicy, Verdict, Watched, WhenDead};
use ipvs_netlink::{Destination, DestinationId};

use crate::crowd::Visits;
use crate::lab::{Lab, at, http, id, ms, service, vip};
use crate::server::Process;

const SECOND: Duration = Duration::from_secs(1);

/// The host of the sorry server, and one that is dead from the start.
const SORRY_HOST: u8 = 3;
const DEAD_HOST: u8 = 4;

const DEATHS: usize = 9;
const CLIENTS_A_SECOND: u32 = 50;

struct Column {
    name: &'static str,
    port: u16,
    probe: Probe,
    pace: Pace,
    when_dead: WhenDead,
}

fn columns() -> Vec<Column> {
    let pace = Pace::new().interval(SECOND).changing(SECOND).down(SECOND).rise(1).damping(None);
    let (tcp, http) = (Probe::tcp().timeout(SECOND), http().timeout(SECOND));
    let delete = WhenDead::Delete;
    let column = |name, port, probe, pace, when_dead| Column { name, port, probe, pace, when_dead };
    vec![
        column("TCP, fall 1", 9001, tcp.clone(), pace.fall(1), delete),
        column("TCP, fall 2", 9002, tcp.clone(), pace.fall(2), delete),
        column("TCP, fall 2, weight 0", 9003, tcp.clone(), pace.fall(2), WhenDead::WeightZero),
        column("HTTP, fall 2", 9004, http, pace.fall(2), delete),
        column("TCP, fall 2, 0.2 s apart", 9005, tcp, pace.fall(2).changing(ms(200)), delete),
    ]
}

impl Column {
    fn watched(&self, hosts: &[u8]) -> Watched<Probe> {
        let sorry = Destination::masquerade(at(SORRY_HOST, self.port));
        let policy = PoolPolicy::new().when_dead(self.when_dead).sorry(Some(sorry));
        Watched::new(service(self.port, hosts)).policy(policy).check(self.probe.clone(), self.pace)
    }

    fn there(&self, host: u8) -> DestinationId {
        at(host, self.port).into()
    }
}

/// The least, the middle one and the most.
fn spread<T: Copy + PartialOrd>(all: &[T]) -> [T; 3] {
    let mut all = all.to_vec();
    all.sort_by(|a, b| a.partial_cmp(b).unwrap());
    [all[0], all[all.len() / 2], all[all.len() - 1]]
}

/// How many connections failed that went on at some time between two times.
fn failed(visits: &Visits, port: u16, (from, to): (Instant, Instant)) -> usize {
    let failed = visits.failed(vip(port));
    failed.iter().filter(|visit| visit.begin <= to && visit.end >= from).count()
}

#[test]
#[ignore = "takes minutes, and is for its numbers"]
fn nine_deaths() {
    for column in columns() {
        measure(&column);
    }
}

fn measure(column: &Column) {
    let lab = Lab::with_hosts(5);
    let port = column.port;
    lab.serve(port, &[SORRY_HOST]);
    let start = |host: u8| {
        let process = lab.process(port, host);
        lab.wait_for(host, port);
        process
    };
    let mut processes: Vec<Option<Process>> = (0..3).map(|host| Some(start(host))).collect();
    let watched = column.watched(&[0, 1, 2]);
    let begin = Instant::now();
    let director = lab.director(vec![watched.clone()]);
    lab.all_back(&watched, begin);
    let crowd = lab.crowd(&[port], CLIENTS_A_SECOND);
    sleep(SECOND);

    let mut deaths = Vec::new();
    for n in 0..DEATHS {
        let host = u8::try_from(n % 3).unwrap();
        // At another time between two checks each time.
        sleep(ms(300 + 370 * n as u64 % 1000));
        let fault = Instant::now();
        processes[usize::from(host)].take().unwrap().kill();
        let out = lab.out(id(port), column.there(host), fault);
        sleep(ms(300));
        let again = Instant::now();
        processes[usize::from(host)] = Some(start(host));
        let back = lab.back(id(port), column.there(host), again);
        deaths.push((fault, out, again, back));
    }

    let director_address = "10.2.3.1";
    let mut silent = Vec::new();
    for verb in ["add", "del"] {
        for network in ["10.1.0.0/24", director_address] {
            lab.ip(2, &format!("route {verb} blackhole {network}"));
        }
        let change = Instant::now();
        match verb {
            "add" => silent.push((change, lab.out(id(port), column.there(2), change))),
            _ => drop(lab.back(id(port), column.there(2), change)),
        }
    }

    // A new table with a server that is dead.
    sleep(5 * SECOND);
    let reload = Instant::now();
    director.runner.watch(column.watched(&[0, 1, 2, DEAD_HOST]), None).unwrap();
    lab.verdict(id(port), column.there(DEAD_HOST), Some(Verdict::Down), reload);
    sleep(2 * SECOND);
    let reloaded = (reload, Instant::now());

    let fault = Instant::now();
    for process in &mut processes {
        process.take().unwrap().kill();
    }
    let sorry = lab.back(id(port), column.there(SORRY_HOST), fault);
    sleep(SECOND);
    let again = Instant::now();
    let _processes: Vec<_> = (0..3).map(start).collect();
    lab.all_back(&watched, again);
    sleep(SECOND);
    let visits = crowd.stop();
    director.stop();

    let seconds = |pairs: Vec<(Instant, Instant)>| {
        let each: Vec<_> = pairs.iter().map(|(from, to)| (*to - *from).as_secs_f64()).collect();
        let [least, middle, most] = spread(&each);
        format!("{least:.2} / {middle:.2} / {most:.2}")
    };
    let each: Vec<_> =
        deaths.iter().map(|(fault, out, ..)| failed(&visits, port, (*fault, *out))).collect();
    let [least, middle, most] = spread(&each);
    println!("{}, of {} connections", column.name, visits.to(vip(port)).len());
    println!(
        "  kill to out, s             {}",
        seconds(deaths.iter().map(|it| (it.0, it.1)).collect())
    );
    println!("  failed connections a kill  {least} / {middle} / {most}");
    println!(
        "  start to back, s           {}",
        seconds(deaths.iter().map(|it| (it.2, it.3)).collect())
    );
    println!("  silent server to out, s    {}", seconds(silent));
    println!(
        "  all dead to sorry, s       {:.2}, {} failed",
        (sorry - fault).as_secs_f64(),
        failed(&visits, port, (fault, sorry))
    );
    println!("  failed at a reload that adds a dead server: {}", failed(&visits, port, reloaded));
    assert_eq!(failed(&visits, port, reloaded), 0);
}

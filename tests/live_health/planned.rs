//! What is planned fails no client: maintenance, and a sorry server that comes before the last one
//! leaves.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::thread::sleep;
use std::time::Instant;

use ipvs_netlink::health::probe::Probe;
use ipvs_netlink::health::{Maintenance, MaintenanceKind, PoolPolicy, Watched};
use ipvs_netlink::{Change, Destination, DestinationId};

use crate::director::Director;
use crate::lab::{Lab, assert_none_failed, at, http, id, ms, pace, service, vip};
use crate::sampler::Sampler;

/// One server after the other is in maintenance.
const ONE: u16 = 8201;
/// All servers are in maintenance, and there is a sorry server.
const ALL: u16 = 8202;

const SORRY_HOST: u8 = 2;

fn watched() -> [Watched<Probe>; 2] {
    let sorry = Destination::masquerade(at(SORRY_HOST, ALL));
    [
        Watched::new(service(ONE, &[0, 1, 2])).check(http(), pace()),
        Watched::new(service(ALL, &[0, 1]))
            .policy(PoolPolicy::new().sorry(Some(sorry)))
            .check(http(), pace()),
    ]
}

fn there(host: u8, port: u16) -> DestinationId {
    at(host, port).into()
}

/// Says again what is in maintenance, as a program does that has stored it.
fn maintain(director: &Director) {
    let drain = Maintenance::new(MaintenanceKind::Drain, "ann");
    let out = Maintenance::new(MaintenanceKind::Out, "ben");
    director.runner.maintain(id(ONE), there(1, ONE), drain.clone());
    director.runner.maintain(id(ALL), there(0, ALL), drain);
    director.runner.maintain(id(ALL), there(1, ALL), out);
}

#[test]
fn maintenance_fails_no_client() {
    let lab = Lab::with_hosts(3);
    let watched = watched();
    lab.serve(ONE, &[0, 1, 2]);
    lab.serve(ALL, &[0, 1, SORRY_HOST]);
    let begin = Instant::now();
    let director = lab.director(watched.to_vec());
    watched.iter().for_each(|watched| lab.all_back(watched, begin));
    let (full, full_at) = (lab.table(), Instant::now());
    let crowd = lab.crowd(&[ONE, ALL], 50);
    let sampler = Sampler::start(&lab.network.director, id(ALL));
    // Two clients of each server, who will ask later.
    let open = || (0..6).map(|_| TcpStream::connect(vip(ONE))).collect();
    let waiting: Vec<TcpStream> = lab.network.client.run(open).unwrap();
    sleep(ms(300));

    let change = Instant::now();
    maintain(&director);
    lab.out(id(ONE), there(1, ONE), change);
    for host in [0, 1] {
        lab.out(id(ALL), there(host, ALL), change);
    }
    sleep(ms(500));
    for mut client in waiting {
        let mut answer = String::new();
        client.set_read_timeout(Some(crate::log::PATIENCE)).unwrap();
        client.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
        client.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }

    // The program is stopped and started.
    let (held, stopped) = (lab.in_rotation(), Instant::now());
    director.stop();
    sleep(ms(200));
    let restarted = Instant::now();
    let director = lab.director(watched.to_vec());
    maintain(&director);
    lab.wait_for_verdicts(&watched, restarted);
    sleep(ms(300));
    // What is out may have drained meanwhile.
    let drained = Change::DeleteDestination(id(ALL), there(1, ALL));
    let written = lab.log.written(stopped);
    assert!(written.iter().all(|(_, change)| *change == drained), "{written:?}");
    assert_eq!(lab.in_rotation(), held);

    let end = Instant::now();
    for (host, port) in [(1, ONE), (0, ALL), (1, ALL)] {
        director.runner.end_maintenance(id(port), there(host, port));
        lab.back(id(port), there(host, port), end);
    }
    sleep(ms(500));
    let samples = sampler.stop();
    let visits = crowd.stop();
    lab.wait_for_rotation(&full);
    director.stop();
    assert_none_failed("one in maintenance", &visits, ONE);
    assert_none_failed("all in maintenance, with a sorry server", &visits, ALL);
    println!("the sorry server's service: {samples:?}");
    assert!(samples.taken > 100, "{samples:?}");
    assert_eq!(samples.without, 0);
    let usable = lab.log.usable(id(ALL), &full, full_at);
    assert!(usable.iter().all(|(_, usable)| *usable > 0), "{usable:?}");
    let during = |visit: &&crate::crowd::Visit| visit.begin > stopped && visit.end < end;
    assert!(
        visits.to(vip(ONE)).iter().filter(during).all(|it| it.answer.as_deref() != Ok("server 1"))
    );
    assert!(
        visits.to(vip(ALL)).iter().filter(during).all(|it| it.answer.as_deref() == Ok("server 2"))
    );
}

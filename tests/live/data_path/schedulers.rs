//! How the schedulers spread connections.

use std::io::{self, Write};

use ipvs_netlink::{ErrorKind, Scheduler, Service};

use super::{Lab, WEB, answered, held, is_refused, tally};

fn web(scheduler: Scheduler) -> Service {
    Service::tcp(WEB).scheduler(scheduler)
}

#[test]
fn rr_takes_the_servers_in_turn_whatever_their_weight() {
    let mut lab = Lab::with_servers(3);
    lab.add(&web(Scheduler::ROUND_ROBIN), &[1, 5, 9]);
    let answers = lab.visit(12, WEB);
    assert_eq!(tally(answers.iter().copied()), [4, 4, 4]);
    assert!(answers.windows(4).all(|turn| turn[0] == turn[3]), "{answers:?}");
}

#[test]
fn rr_skips_a_server_of_weight_0() {
    let mut lab = Lab::with_servers(3);
    lab.add(&web(Scheduler::ROUND_ROBIN), &[1, 0, 1]);
    assert_eq!(tally(lab.visit(6, WEB)), [3, 0, 3]);
}

#[test]
fn wrr_gives_every_server_its_share() {
    let mut lab = Lab::with_servers(3);
    let id = lab.add(&web(Scheduler::WEIGHTED_ROUND_ROBIN), &[1, 2, 3]);
    assert_eq!(tally(lab.visit(12, WEB)), [2, 4, 6]);
    lab.set_weight(id, 2, 0);
    assert_eq!(tally(lab.visit(6, WEB)), [2, 4, 0]);
}

#[test]
fn lc_evens_out_open_connections_whatever_the_weights() {
    let mut lab = Lab::with_servers(3);
    lab.add(&web(Scheduler::LEAST_CONNECTION), &[1, 5, 9]);
    let connections = lab.hold(9, WEB);
    assert_eq!(held(&connections), [3, 3, 3]);
    let (leaving, staying): (Vec<_>, Vec<_>) =
        connections.into_iter().partition(|connection| answered(connection) == 0);
    leaving.into_iter().for_each(|mut connection| connection.close().unwrap());
    assert_eq!(held(&lab.hold(3, WEB)), [3, 0, 0]);
    drop(staying);
}

#[test]
fn wlc_evens_out_open_connections_by_weight() {
    let mut lab = Lab::with_servers(3);
    lab.add(&web(Scheduler::WEIGHTED_LEAST_CONNECTION), &[1, 2, 3]);
    assert_eq!(held(&lab.hold(12, WEB)), [2, 4, 6]);
}

#[test]
fn sed_prefers_a_fast_server_to_an_idle_one() {
    let mut lab = Lab::with_servers(3);
    lab.add(&web(Scheduler::SHORTEST_EXPECTED_DELAY), &[1, 1, 10]);
    let mut connections = lab.hold(6, WEB);
    assert_eq!(held(&connections), [0, 0, 6]);
    connections.extend(lab.hold(6, WEB));
    assert_eq!(held(&connections), [1, 1, 10]);
}

#[test]
fn nq_prefers_an_idle_server_to_a_fast_one() {
    let mut lab = Lab::with_servers(3);
    lab.add(&web(Scheduler::NEVER_QUEUE), &[1, 1, 10]);
    assert_eq!(held(&lab.hold(6, WEB)), [1, 1, 4]);
}

#[test]
fn fo_uses_the_highest_weight_until_it_fails() {
    let mut lab = Lab::with_servers(3);
    let id = lab.add(&web(Scheduler::WEIGHTED_FAILOVER), &[1, 3, 2]);
    assert_eq!(tally(lab.visit(5, WEB)), [0, 5, 0]);
    lab.set_weight(id, 1, 0);
    assert_eq!(tally(lab.visit(5, WEB)), [0, 0, 5]);
}

#[test]
fn ovf_fills_the_highest_weight_before_the_next_and_then_refuses() {
    let mut lab = Lab::with_servers(2);
    lab.add(&web(Scheduler::WEIGHTED_OVERFLOW), &[1, 2]);
    // A weight is how many connections make a server full once exceeded.
    let first = lab.hold(3, WEB);
    assert_eq!(held(&first), [0, 3]);
    let next = lab.hold(2, WEB);
    assert_eq!(held(&next), [2, 0]);
    assert!(is_refused(&lab.open(WEB)));
    drop((first, next));
}

#[test]
fn twos_serves_everybody_and_skips_weight_0() {
    let mut lab = Lab::with_servers(3);
    let service = web(Scheduler::WEIGHTED_RANDOM_TWOS_CHOICE);
    if let Err(error) = lab.ipvs.add_service(&service) {
        assert_eq!(error.kind(), ErrorKind::UnknownScheduler);
        // Past the test harness, which shows nothing of a test that passes.
        writeln!(io::stderr(), "this kernel has no scheduler twos: not tested").unwrap();
        return;
    }
    lab.ipvs.delete_service(service.id).unwrap();
    lab.add(&service, &[1, 1, 0]);
    let [first, second, idle] = held(&lab.hold(40, WEB));
    assert_eq!((first + second, idle), (40, 0));
    assert!(first > 5 && second > 5, "{first} {second}");
}

#[test]
fn no_scheduler_refuses_everybody() {
    let mut lab = Lab::with_servers(1);
    let id = lab.add(&web(Scheduler::NONE), &[1]);
    assert!(is_refused(&lab.open(WEB)));
    lab.ipvs.set_scheduler(id, Scheduler::ROUND_ROBIN).unwrap();
    assert_eq!(lab.visit(1, WEB), [0]);
}

//! A runner says what is known.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use super::runner::{Blocks, table, wait_until};
use super::servers::{nobody, server};
use crate::health::probe::*;
use crate::health::{Pace, Verdict, Watched};
use crate::model::{Service, ServiceId};

const LONG: Duration = Duration::from_secs(60);

fn service(port: u16) -> ServiceId {
    Service::tcp(([192, 0, 2, 10], port).into()).id
}

#[test]
fn a_runner_says_why_a_destination_is_down() {
    let runner = Runner::start(RunnerOptions::new()).unwrap();
    let (live, dead) = (server(b"x"), nobody());
    let fast = Pace::new().changing(Duration::from_millis(5)).fall(3);
    let watched = |port, servers: &[SocketAddr]| {
        Watched::new(table(port, servers.iter().copied())).check(Probe::tcp(), fast)
    };
    runner.watch(watched(80, &[live, dead]), None).unwrap();
    runner.watch(watched(81, &[live]), None).unwrap();
    let ask = |of| runner.status(of).within(LONG).unwrap();
    wait_until(|| {
        let members = &ask(Some(service(80)))[0].pool.members;
        let verdicts = [live, dead].map(|server| members[&server.into()].verdict);
        verdicts == [Verdict::Up, Verdict::Down]
    });
    let all = ask(None);
    assert_eq!(all.iter().map(|it| it.pool.service).collect::<Vec<_>>(), [80, 81].map(service));
    let [(probe, target)] = all[0].checks(dead.into()) else { panic!("{all:?}") };
    assert_eq!(**probe, Probe::tcp());
    assert!(target.row >= 3 && target.reason.contains("refused"), "{target:?}");
    assert!(target.since <= target.ended);
    assert_eq!(ask(Some(service(82))), []);
    runner.forget(service(80));
    assert_eq!(ask(None).len(), 1, "an answer knows of all calls before it");
}

#[test]
fn many_destinations_are_described_while_checks_go_on() {
    let runner = Runner::start(RunnerOptions::new()).unwrap();
    let slow = Pace::new().changing(Duration::from_secs(600)).interval(Duration::from_secs(600));
    for port in 1..=400 {
        let hosts = (1..=25).map(|host| SocketAddr::from(([127, 0, 0, host], port)));
        runner.watch(Watched::new(table(port, hosts)).check(Probe::tcp(), slow), None).unwrap();
    }
    let answers = [runner.status(None), runner.status(Some(service(7))), runner.status(None)];
    drop(runner.status(None));
    let lengths = answers.map(|answer| answer.within(LONG).unwrap().len());
    assert_eq!(lengths, [400, 1, 400]);
    assert!(runner.stats().silent < Duration::from_secs(20));
}

#[test]
fn a_status_is_awaited_in_any_runtime() {
    let runner = Arc::new(Runner::start(RunnerOptions::new()).unwrap());
    runner.watch(Watched::new(table(80, [nobody()])), None).unwrap();
    let services = async_io::block_on(runner.status(None)).unwrap();
    assert_eq!(services.len(), 1);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    assert_eq!(runtime.block_on(runner.status(None)).unwrap(), services);
}

#[test]
fn a_thread_that_stands_still_or_has_ended_gives_no_answer() {
    let runner = Runner::start(RunnerOptions::new()).unwrap();
    let (go, blocked) = channel();
    let blocks = Probe::custom("blocks", Blocks(blocked.into()));
    let soon = Pace::new().changing(Duration::from_millis(1));
    runner.watch(Watched::new(table(80, [nobody()])).check(blocks, soon), None).unwrap();
    wait_until(|| runner.stats().silent > Duration::from_millis(1500));
    let late = runner.status(None);
    let timed_out = runner.status(None).within(Duration::from_millis(50));
    assert_eq!(timed_out, Err(StatusError::TimedOut));
    let end = thread::spawn(|| drop(runner));
    drop(go);
    end.join().unwrap();
    // The answer came before the end, or does not come any more.
    let _ = late.within(LONG).map_err(|error| assert_eq!(error, StatusError::Ended));
}

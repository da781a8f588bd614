//! What reloads, restarts, maintenance and several checks mean.

use std::sync::Arc;
use std::thread::sleep;
use std::time::Instant;

use director::control::protocol::Order;
use director::status::DestinationState;

use crate::stage::{Daemon, Manner, Stage, file, id, ms, service, there};
use crate::{PORT, servers, web};

#[test]
fn what_has_failed_comes_back_after_reloads() {
    let stage = Stage::with_hosts(3);
    let mut all: Vec<_> = (0..3).map(|host| stage.serve(host, PORT)).collect();
    let text = |count, more: &[&str]| file(&[service(web(), &servers(count), more)]);
    let daemon = Daemon::start(&stage, "lists", &text(3, &[]));
    let watcher = stage.watch(&[id(web())]);
    watcher.back(id(web()), there(1, PORT), Instant::now());
    all[1].kill();
    daemon.wait_for_state(id(web()), there(1, PORT), DestinationState::Down);
    // Another server leaves and comes, and the service changes.
    let hash: &[&str] = &["persistence: 60s"];
    for more in [&[][..], hash, &[]] {
        for count in [2, 3] {
            daemon.write(&text(count, more));
            daemon.reload().unwrap();
            let state = daemon.destination(id(web()), there(1, PORT)).unwrap().state;
            assert_eq!(state, DestinationState::Down);
        }
    }
    let alive = Instant::now();
    all[1].revive();
    watcher.back(id(web()), there(1, PORT), alive);
}

#[test]
fn an_agent_revives_no_server_whose_other_check_fails() {
    let stage = Stage::with_hosts(2);
    let all: Vec<_> = (0..2).map(|host| stage.serve(host, PORT)).collect();
    let agents: Vec<_> = (0..2).map(|host| stage.serve(host, PORT + 1)).collect();
    let say = |text: &str| Manner::AtOnce(Arc::from(text.as_bytes()));
    agents.iter().for_each(|agent| agent.set(say("100%\n")));
    let checks = format!(
        "checks: [{{http: {{path: /check}}, timeout: 1s}}, {{agent: {{}}, port: {}, timeout: 1s}}]",
        PORT + 1
    );
    let text = file(&[service(web(), &servers(2), &[&checks])]);
    let _daemon = Daemon::start(&stage, "agent", &text);
    let watcher = stage.watch(&[id(web())]);
    let begin = Instant::now();
    for host in 0..2 {
        watcher.back(id(web()), there(host, PORT), begin);
    }
    let fault = Instant::now();
    all[1].set(Manner::Error);
    let out = watcher.out(id(web()), there(1, PORT), fault);
    for said in ["up 100%\n", "ready\n", "up\n", "50%\n", "0%\n", "100%\n"] {
        agents[1].set(say(said));
        let before = agents[1].accepted();
        sleep(ms(300));
        assert!(agents[1].accepted() > before, "the agent is not asked any more");
        let changes = watcher.changes_since(id(web()), out + ms(1));
        let is_back = |weights: &crate::stage::Weights| {
            weights.as_ref().is_some_and(|all| all.get(&there(1, PORT)).is_some_and(|it| *it > 0))
        };
        assert!(!changes.iter().any(|(_, it)| is_back(it)), "after {said:?}: {changes:?}");
    }
    let alive = Instant::now();
    all[1].set(Manner::Well);
    watcher.back(id(web()), there(1, PORT), alive);
}

#[test]
fn failures_that_are_not_in_a_row_decide_nothing() {
    let stage = Stage::with_hosts(2);
    let all: Vec<_> = (0..2).map(|host| stage.serve(host, PORT)).collect();
    let daemon = Daemon::start(&stage, "row", &file(&[service(web(), &servers(2), &[])]));
    let watcher = stage.watch(&[id(web())]);
    for host in 0..2 {
        daemon.wait_for_state(id(web()), there(host, PORT), DestinationState::Up);
    }
    let begin = Instant::now();
    // Two failures are never three in a row, however many there are.
    all[1].set(Manner::TwoOfThree);
    while all[1].checks_since(begin).len() < 12 {
        sleep(ms(50));
        assert!(begin.elapsed() < crate::stage::PATIENCE);
    }
    assert_eq!(watcher.changes_since(id(web()), begin), []);
    all[1].set(Manner::Error);
    watcher.out(id(web()), there(1, PORT), begin);
}

#[test]
fn maintenance_and_health_stay_apart_over_restarts() {
    let stage = Stage::with_hosts(3);
    let mut all: Vec<_> = (0..3).map(|host| stage.serve(host, PORT)).collect();
    let mut daemon = Daemon::start(&stage, "apart", &file(&[service(web(), &servers(3), &[])]));
    let watcher = stage.watch(&[id(web())]);
    let (web, begin) = (id(web()), Instant::now());
    for host in 0..3 {
        watcher.back(web, there(host, PORT), begin);
    }
    daemon.drain(there(0, PORT));
    all[1].kill();
    for host in 0..2 {
        watcher.out(web, there(host, PORT), begin);
    }
    daemon.wait_for_state(web, there(1, PORT), DestinationState::Down);
    let settled = Instant::now();
    sleep(ms(50));
    daemon.kill();
    daemon.start_again();
    daemon.wait_for_state(web, there(1, PORT), DestinationState::Down);
    assert_eq!(daemon.destination(web, there(0, PORT)).unwrap().state, DestinationState::Drained);
    assert_eq!(watcher.changes_since(web, settled + ms(40)), [], "{}", daemon.log());
    // Health ends first, and maintenance does not wait for it.
    let alive = Instant::now();
    all[1].revive();
    watcher.back(web, there(1, PORT), alive);
    // One in maintenance dies, and maintenance ends.
    all[0].kill();
    sleep(ms(500));
    let off = Instant::now();
    daemon.order(&Order::EndMaintenance { service: None, destination: there(0, PORT) }).unwrap();
    daemon.kill();
    daemon.start_again();
    daemon.wait_for_state(web, there(0, PORT), DestinationState::Down);
    let weight = watcher.now(web).unwrap().get(&there(0, PORT)).copied().unwrap_or(0);
    assert_eq!(weight, 0, "{}", daemon.log());
    all[0].revive();
    watcher.back(web, there(0, PORT), off);
}

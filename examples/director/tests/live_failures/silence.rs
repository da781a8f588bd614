//! A server that falls silent while the daemon waits for its answer.

use std::thread::sleep;
use std::time::{Duration, Instant};

use director::status::DestinationState;

use crate::stage::{Daemon, Manner, Stage, file, id, ms, service, there, wait_for};
use crate::{PORT, servers, web};

#[test]
fn a_server_that_falls_silent_holds_nothing_up() {
    let stage = Stage::with_hosts(4);
    let all: Vec<_> = (0..4).map(|host| stage.serve(host, PORT)).collect();
    let daemon = Daemon::start(&stage, "silence", &file(&[service(web(), &servers(4), &[])]));
    for host in 0..4 {
        daemon.wait_for_state(id(web()), there(host, PORT), DestinationState::Up);
    }
    let before = daemon.usage();
    // Their sockets have what was sent, and what closes them is never acknowledged.
    let silent = [1_u8, 2, 3];
    silent.iter().for_each(|host| all[usize::from(*host)].set(Manner::Silent));
    // Each falls silent while the daemon waits for its answer.
    let begin = Instant::now();
    for host in silent {
        let (server, asked) = (&all[usize::from(host)], Instant::now());
        wait_for("a check", || (!server.checks_since(asked).is_empty()).then_some(()));
        stage.silence(host, true);
    }
    for host in silent {
        daemon.wait_for_state(id(web()), there(host, PORT), DestinationState::Down);
    }
    let mut checks = all[0].checks_since(begin);
    checks.push(Instant::now());
    let pauses = checks.windows(2).map(|pair| pair[1] - pair[0]);
    let longest = pauses.max().unwrap();
    println!("{} checks of the good server, the longest pause {longest:?}", checks.len());
    assert!(longest < Duration::from_secs(2), "{longest:?}");
    // What checks are under way, and no more: but for a moment in which the good one is checked, too.
    let readings = (0..10).map(|_| {
        sleep(ms(20));
        daemon.usage()
    });
    let after = readings.min_by_key(|usage| usage.descriptors).unwrap();
    assert!(after.descriptors <= before.descriptors + silent.len(), "{before:?}, then {after:?}");
}

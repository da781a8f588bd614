//! What servers answer.

use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::sleep;
use std::time::Instant;

use director::status::DestinationState;

use crate::stage::{Daemon, Manner, Server, Stage, at, file, id, ms, service, there, wait_for};
use crate::{PORT, web};

/// Answers that no check is content with.
fn answers() -> Vec<Vec<u8>> {
    let not_found = |length: usize| {
        let head = format!("HTTP/1.1 404 Not Found\r\ncontent-length: {length}\r\n\r\n");
        [head.into_bytes(), vec![b'x'; length]].concat()
    };
    let endless_head = [b"HTTP/1.1 200 OK\r\nx: ".to_vec(), vec![b'x'; 300_000]].concat();
    let lengths = [0, 1, 4096, 16_383, 16_384, 16_385, 17_000, 65_537, 3 << 20];
    let mut all: Vec<_> = lengths.map(not_found).into();
    all.extend([endless_head, vec![0; 70_000], b"ba".to_vec(), Vec::new()]);
    // The start of what the expression looks for, at the end of a buffer's length.
    all.push([b"HTTP/1.1 200 OK\r\n\r\n".to_vec(), vec![b'x'; 65_534], b"ba".to_vec()].concat());
    all
}

#[test]
fn answers_of_any_length_fail_the_check_and_nothing_else() {
    let stage = Stage::with_hosts(1);
    let answers = answers();
    let ports = (PORT..).take(answers.len());
    let bad: Vec<Server> = ports.clone().map(|port| stage.serve(0, port)).collect();
    let good = stage.serve(0, 8999);
    for (server, answer) in bad.iter().zip(&answers) {
        server.set(Manner::Checks(Arc::from(answer.as_slice())));
    }
    // Two checks: the status alone, and an expression.
    let checks = "checks: [{http: {path: /check}, timeout: 1s}, \
                  {http: {path: /check, matches: \"bar|12345X\"}, timeout: 1s}]";
    let servers: Vec<SocketAddr> = ports.clone().map(|port| at(0, port)).collect();
    let slow =
        "pace: {interval: 200ms, changing: 100ms, down: 1s, fall: 2, rise: 1, damping: false}";
    let text = file(&[
        service(web(), &servers, &[checks, slow]),
        service(crate::stage::vip(1, 80), &[at(0, 8999)], &[]),
    ]);
    let daemon = Daemon::start(&stage, "answers", &text);
    for port in ports {
        daemon.wait_for_state(id(web()), there(0, port), DestinationState::Down);
    }
    daemon.wait_for_state(id(crate::stage::vip(1, 80)), there(0, 8999), DestinationState::Up);
    // The process neither spins nor keeps what servers say, and goes on to check.
    let (begin, before) = (Instant::now(), daemon.usage());
    sleep(ms(2000));
    let after = daemon.usage();
    let checks = good.checks_since(begin).len();
    println!("{checks} checks of the good server in 2 s; {before:?}, then {after:?}");
    assert!(checks >= 5, "{checks}");
    assert!(after.resident < before.resident + 16_384, "{before:?}, then {after:?}");
    assert!(after.ticks - before.ticks < 160, "{before:?}, then {after:?}");
    for server in &bad {
        assert!(!server.checks_since(begin).is_empty(), "{server:?} is not checked any more");
    }
}

#[test]
fn an_answer_in_parts_takes_no_longer() {
    let stage = Stage::with_hosts(1);
    let server = stage.serve(0, PORT);
    server.set(Manner::InParts);
    let checks = "checks: [{http: {path: /check}, timeout: 1s}]";
    let text = file(&[service(web(), &[at(0, PORT)], &[checks])]);
    let daemon = Daemon::start(&stage, "parts", &text);
    daemon.wait_for_state(id(web()), there(0, PORT), DestinationState::Up);
    let took = || (server.took().len() > 4).then(|| server.took());
    let quickest = wait_for("checks", took).into_iter().min().unwrap();
    println!("the quickest check took {quickest:?}");
    assert!(quickest < ms(35), "{quickest:?}");
}

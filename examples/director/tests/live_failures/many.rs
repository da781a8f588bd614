//! Reloads of long files.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use crate::stage::{Daemon, Stage, ms, vip};

/// A file with so many servers, ten a service, all of which one host has. The last one is another one
/// for each `variant`.
fn text(count: u32, variant: u32) -> String {
    let pace = "{interval: 60s, changing: 1s, down: 60s, fall: 3, rise: 1, damping: false}";
    let mut text = format!("defaults:\n  pace: {pace}\n  checks: [tcp]\nservices:\n");
    let mut servers = (0..count.saturating_sub(1)).chain([100_000 + variant]).peekable();
    let mut port = 10_000;
    while servers.peek().is_some() {
        writeln!(text, "- tcp: {}\n  forward: masquerade\n  destinations:", vip(0, port)).unwrap();
        for server in servers.by_ref().take(10) {
            let [_, a, b, c] = server.to_be_bytes();
            writeln!(text, "  - {{address: 127.{}.{b}.{c}:9, weight: 1}}", a + 1).unwrap();
        }
        port += 1;
    }
    text
}

/// How long a reload of so many servers takes that exchanges one of them, and the processor time.
fn reload(count: u32) -> (Duration, u64) {
    let stage = Stage::with_hosts(1);
    let daemon = Daemon::start(&stage, "many", &text(count, 0));
    daemon.status();
    let mut quickest = (Duration::MAX, u64::MAX);
    for variant in 1..4 {
        daemon.write(&text(count, variant));
        let (begin, before) = (Instant::now(), daemon.usage());
        daemon.reload().unwrap();
        let took = (begin.elapsed(), daemon.usage().ticks - before.ticks);
        quickest = quickest.min(took);
    }
    quickest
}

#[test]
fn a_reload_costs_what_its_length_costs() {
    let (short, long) = (reload(200), reload(2000));
    println!("200 servers: {short:?}, 2000 servers: {long:?}");
    // Ten times the length. With a search for each server it were a hundred times.
    assert!(long.0 < 30 * short.0.max(ms(50)), "{long:?} after {short:?}");
}

#[test]
#[ignore = "takes minutes"]
fn thirty_seven_thousand() {
    println!("37205 servers: {:?}", reload(37_205));
}

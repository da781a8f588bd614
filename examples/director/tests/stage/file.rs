//! The daemon's file, for tests.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::time::Duration;

use ipvs_netlink::health::Pace;

/// A pace for tests: a fault shows within half a second.
pub(crate) const PACE: &str =
    "{interval: 200ms, changing: 100ms, down: 200ms, fall: 3, rise: 2, damping: false}";

/// A service with these servers. `more` are its other settings, one line each.
pub(crate) fn service(vip: SocketAddr, servers: &[SocketAddr], more: &[&str]) -> String {
    let mut text = format!("- tcp: {vip}\n  scheduler: rr\n  forward: masquerade\n");
    for line in more {
        writeln!(text, "  {line}").unwrap();
    }
    let list = if servers.is_empty() { " []" } else { "" };
    writeln!(text, "  destinations:{list}").unwrap();
    for server in servers {
        writeln!(text, "  - {{address: \"{server}\", weight: 1}}").unwrap();
    }
    text
}

/// A file with these services, whose checks ask for `/check` at the pace of tests, and whose
/// destinations drain when they leave the file.
pub(crate) fn file(services: &[String]) -> String {
    let checks = "checks: [{http: {path: /check, status: [200]}, timeout: 1s}]";
    let drain = "drain: {until: no-active, quiet: 1s, deadline: 5s}";
    format!("{drain}\ndefaults:\n  pace: {PACE}\n  {checks}\nservices:\n{}", services.concat())
}

/// The longest time from a fault to the verdict. `answer` is how long a check of the faulty server
/// takes.
pub(crate) fn to_down(pace: Pace, answer: Duration) -> Duration {
    pace.interval + pace.changing.max(answer) * (pace.fall - 1) + answer
}

/// The longest time from the recovery to the verdict, without damping. `last` is how long the last
/// check of the faulty server takes.
pub(crate) fn to_up(pace: Pace, last: Duration) -> Duration {
    pace.down.max(last) + pace.changing * (pace.rise - 1)
}

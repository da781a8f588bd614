//! keepalived's table, and that which the daemon makes of the converted configuration, are equal.
//!
//! The real keepalived is needed:
//!
//! ```text
//! KEEPALIVED=$(examples/director/tests/live_beside/fetch) \
//!     cargo test -p director --test live_convert -- --ignored --nocapture
//! ```
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test that fails panics"
)]

#[path = "../live_beside/keepalived.rs"]
#[allow(dead_code, reason = "what other tests need")]
mod keepalived;
mod samples;
#[path = "../stage/mod.rs"]
#[allow(dead_code, unused_imports, reason = "what other tests need")]
mod stage;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;
use std::time::{Duration, Instant};
use std::{fs, thread};

use ipvs_netlink::{Client, Destination, DestinationId, Service, ServiceId};

use crate::keepalived::Keepalived;
use crate::samples::{SAMPLES, Sample};
use crate::stage::{Daemon, PATIENCE, Stage, ms, program};

/// How long a table has to stay as it is. The longest time until a dead server leaves is shorter.
const STEADY: Duration = Duration::from_secs(5);

type Table = BTreeMap<ServiceId, (Service, BTreeMap<DestinationId, Destination>)>;

fn table(client: &mut Client) -> Table {
    let snapshot = client.snapshot().unwrap();
    let services = snapshot.services().map(|service| {
        let destinations = service.destinations.iter().map(|it| it.destination.clone());
        let destinations = destinations.map(|it| (it.id, it)).collect();
        (service.id(), (service.entry.service.clone(), destinations))
    });
    services.collect()
}

/// Waits until the table stays as it is.
fn steady(client: &mut Client) -> Table {
    let (begin, mut since, mut last) = (Instant::now(), Instant::now(), table(client));
    while since.elapsed() < STEADY {
        thread::sleep(ms(50));
        let now = table(client);
        if now != last {
            (since, last) = (Instant::now(), now);
        }
        assert!(begin.elapsed() < PATIENCE, "the table changes for ever: {last:#?}");
    }
    last
}

fn director(arguments: &[&Path]) -> Output {
    Command::new(program()).args(arguments).output().unwrap()
}

/// Converts a file, checks what comes out, and returns that.
fn converted(stage: &Stage, sample: &Sample) -> String {
    let file = stage.folder().join(format!("{}.conf", sample.name));
    let yaml = stage.folder().join(format!("{}.yaml", sample.name));
    fs::write(&file, sample.text).unwrap();
    let output = director(&[Path::new("convert"), &file, Path::new("-o"), &yaml]);
    let told = String::from_utf8(output.stderr).unwrap();
    let left_out = told.lines().filter(|line| !line.contains(": not needed: "));
    let left_out: Vec<&str> = left_out.filter_map(|line| line.split(": ").nth(1)).collect();
    assert_eq!(left_out, sample.left_out, "{told}");
    let expected = if left_out.is_empty() { 0 } else { 9 };
    assert_eq!(output.status.code(), Some(expected), "{told}");
    let checked = director(&[Path::new("check"), &yaml]);
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
    fs::read_to_string(yaml).unwrap()
}

#[test]
#[ignore = "needs keepalived, and takes some minutes"]
fn tables_are_equal() {
    assert!(Keepalived::is_there(), "KEEPALIVED is not set: see the head of this file");
    let mut wrong = Vec::new();
    for sample in SAMPLES {
        let stage = Arc::new(Stage::with_hosts(4));
        let mut servers = [0, 1, 2].map(|host| stage.serve(host, samples::PORT));
        let mut client = Client::in_namespace_fd(&stage.network.director).unwrap();
        let mut keepalived = Keepalived::start(&stage, sample.text);
        let before = steady(&mut client);
        sample.die.iter().for_each(|host| servers[*host].kill());
        let after = if sample.die.is_empty() { before.clone() } else { steady(&mut client) };
        keepalived.end(false);
        println!("{}:\n{}", sample.name, shown(&before));
        assert_eq!(table(&mut client), Table::new(), "keepalived's services stay");
        let count: usize = before.values().map(|(_, destinations)| destinations.len()).sum();
        assert_eq!(count, sample.destinations, "{}\n{}", sample.name, keepalived.log());
        sample.die.iter().for_each(|host| servers[*host].revive());
        let daemon = Daemon::start(&stage, sample.name, &converted(&stage, sample));
        let mut compare = |expected: &Table, client: &mut Client| {
            let found = steady(client);
            if found != *expected {
                let (found, expected) = (shown(&found), shown(expected));
                let name = sample.name;
                wrong.push(format!("{name}: the daemon's\n{found}\nkeepalived's\n{expected}"));
                println!("{}", daemon.log());
            }
        };
        compare(&before, &mut client);
        if !sample.die.is_empty() {
            sample.die.iter().for_each(|host| servers[*host].kill());
            compare(&after, &mut client);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn shown(table: &Table) -> String {
    let lines = table.values().flat_map(|(service, destinations)| {
        let first = format!("  {service:?}");
        let rest = destinations.values().map(|it| format!("    {it:?}"));
        std::iter::once(first).chain(rest)
    });
    lines.collect::<Vec<_>>().join("\n")
}

//! Runs commands that change something, with the original in one network namespace and with the
//! example in another. Both must end alike and leave the same state.

use std::collections::HashSet;

use ipvs_netlink::{Destination, Service, SyncDaemon, Timeouts};

use crate::client::Client;
use crate::commands::{DESTINATIONS, SERVICES, SETTINGS};
use crate::namespace::{fresh, ip};
use crate::places::{LONG, with_names};
use crate::programs::{End, Program, UNANSWERED};
use crate::tables::{EVERYTHING, FAR_APART};

/// The state of a namespace after a command.
#[derive(Debug, PartialEq, Eq)]
struct State {
    table: Vec<(Service, Vec<Destination>)>,
    timeouts: Timeouts,
    daemons: Vec<SyncDaemon>,
}

impl State {
    fn of(ipvs: &mut Client) -> Self {
        let snapshot = ipvs.snapshot().unwrap();
        let table = snapshot.services().map(|service| {
            let destinations = service.destinations.iter();
            let destinations = destinations.map(|entry| entry.destination.clone());
            (service.entry.service.clone(), destinations.collect())
        });
        Self {
            table: table.collect(),
            timeouts: ipvs.timeouts().unwrap(),
            daemons: ipvs.daemons().unwrap().into(),
        }
    }
}

/// Runs commands in a new namespace. Each command comes with its standard input.
fn run<'w>(
    program: Program,
    commands: impl Iterator<Item = (&'w str, &'w str)>,
) -> Vec<(String, End, State)> {
    let mut ipvs = fresh();
    ip("link add d0 type dummy");
    ip("address add 10.9.0.1/24 dev d0");
    ip("link set d0 up");
    commands
        .map(|(words, input)| {
            let end = program.fed(words, input);
            (format!("{words} {input}"), end, State::of(&mut ipvs))
        })
        .collect()
}

/// Runs commands with both programs and compares. Each command comes with its standard input.
fn compare<'w>(commands: impl Iterator<Item = (&'w str, &'w str)> + Clone) {
    let original = run(Program::Original, commands.clone());
    let ours = run(Program::Ours, commands);
    assert!(!ours.is_empty());
    for ((words, ours, left), (_, original, expected)) in ours.into_iter().zip(original) {
        if original.code != UNANSWERED {
            assert_eq!(ours, original, "ipvsadm {words}");
        }
        assert_eq!(left, expected, "ipvsadm {words}");
    }
}

fn lines(text: &str) -> impl Iterator<Item = (&str, &str)> + Clone {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).map(|line| (line, ""))
}

#[test]
fn services_are_edited_alike() {
    with_names(LONG);
    compare(lines(SERVICES));
}

#[test]
fn destinations_are_edited_alike() {
    with_names(LONG);
    compare(lines(DESTINATIONS));
}

#[test]
fn settings_of_the_namespace_are_edited_alike() {
    with_names(LONG);
    compare(lines(SETTINGS));
}

#[test]
fn tables_are_saved_and_restored_alike() {
    with_names(LONG);
    for table in [EVERYTHING, FAR_APART] {
        let text = table.join("\n");
        compare([("-R", text.as_str()), ("-R -n", ""), ("-C", ""), ("-R", &text)].into_iter());
        // Each program restores what the other has saved. The order of some lines depends on the
        // order in which the entries were added, so the lines are compared as sets.
        let saved = Program::Ours.run("-S -n").output;
        compare([("-R", saved.as_str())].into_iter());
        assert_eq!(set(&Program::Original.run("-S -n").output), set(&saved));
        // Some names are too long for the original, which cuts them.
        let mut ipvs = Client::connect().unwrap();
        let (before, saved) = (State::of(&mut ipvs), Program::Ours.run("-S").output);
        let after = run(Program::Ours, [("-C", ""), ("-R", saved.as_str())].into_iter());
        assert_eq!(after.last().unwrap().2.table, before.table);
    }
}

fn set(text: &str) -> HashSet<&str> {
    text.lines().collect()
}

#[test]
fn odd_input_is_restored_alike() {
    with_names(LONG);
    compare(
        [
            "",
            "\n\n  \n",
            "-A -t 10.0.0.1:1",
            "\n \t -A\t-t  10.0.0.1:2 \t\n\n",
            "-A -t 10.0.0.1:3\r\n-A -t 10.0.0.1:4\r\n",
            "ipvsadm -A -t 10.0.0.1:5\n",
            "-A -t 10.0.0.1:6 \\\n",
            "-A -t 10.0.0.1:6 -w 3\n-A -t 10.0.0.1:7\n",
            "-A -t 10.0.0.1:8\n-A -t 10.0.0.1:8\n",
            "-a -t 10.0.0.1:8 -r server:http -m\n-d -t 10.0.0.1:1 -r server",
            "-E -t 10.0.0.1:8 -s rr\n-D -t 10.0.0.1:1\n--set 5 6 7\n",
            "-A -t localhost:http\n-Z\n",
            "-A\n",
            "-C\n",
        ]
        .into_iter()
        .map(|text| ("-R", text)),
    );
    compare(lines("-R -n\n-R foo\n-R -t 10.0.0.1:80\n-R -Q\n-R -R\n--restore=1\nfoo -R"));
}

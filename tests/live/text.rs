//! Compares how this crate and `ipvsadm` read and write commands and saved tables.

mod spellings;

use std::io::Write;
use std::process::{Command as Program, Stdio};
use std::time::Duration;

use ipvs_netlink::table::{Table, TableDestination, TableService};
use ipvs_netlink::{Command, NumericNames, SyncDaemon, SystemNames, Timeouts};

use crate::client::Client;
use crate::namespace::{fresh, ip, ipvsadm};
use crate::places::{LOCAL, with_names};
use crate::text::spellings::{ACCEPTED, BEFORE, REFUSED};

/// A table with everything that `ipvsadm` has options for.
const EVERYTHING: &str = "\
-A -t 10.0.0.1:80 -s wlc
-a -t 10.0.0.1:80 -r 10.0.1.1:8080 -m -w 3 -x 1000 -y 800
-a -t 10.0.0.1:80 -r 10.0.1.2:80 -g -w 0
-a -t 10.0.0.1:80 -r 10.0.1.3:80 -i -w 1
-a -t 10.0.0.1:80 -r 10.0.1.4:80 -i --tun-type gue --tun-port 6080 --tun-nocsum -w 2147483647
-a -t 10.0.0.1:80 -r 10.0.1.5:80 -i --tun-type gue --tun-port 1 --tun-csum -w 1
-a -t 10.0.0.1:80 -r 10.0.1.6:80 -i --tun-type gue --tun-port 65535 --tun-remcsum -w 1
-a -t 10.0.0.1:80 -r 10.0.1.7:80 -i --tun-type gre --tun-nocsum -w 1
-a -t 10.0.0.1:80 -r 10.0.1.8:80 -i --tun-type gre --tun-csum -w 1 -x 2147483647
-a -t 10.0.0.1:80 -r [2001:db8::9]:80 -i -w 1
-A -t 10.0.0.2:0 -s rr -p 300 -M 255.0.255.0
-A -t 10.0.0.2:443 -s rr -p 2678400 -M 0.0.0.0
-A -t 10.0.0.2:444 -s sh -b sh-fallback,sh-port
-A -t 10.0.0.2:445 -s rr -b flag-1,flag-2,flag-3
-A -t 10.0.0.2:446 -s none
-A -u 10.0.0.3:53 -s rr -o
-A -u 10.0.0.3:5060 -s rr -p 60 --pe sip
-A --sctp-service 10.0.0.4:3868 -s wrr
-A -t [2001:db8::1]:80 -s mh -b mh-port
-a -t [2001:db8::1]:80 -r 10.0.1.9:80 -i -w 1
-a -t [2001:db8::1]:80 -r [2001:db8::2]:8080 -m -w 65536
-A -t [2001:db8::1]:443 -s mh -p 60 -M 64 -b mh-fallback
-A -f 5 -s lc
-a -f 5 -r 10.0.1.1:0 -g -w 1
-a -f 5 -r 10.0.1.1:80 -m -w 1
-A -f 5 -6 -s nq -p 60 -M 1
-a -f 5 -6 -r [2001:db8::2]:0 -g -w 1
-A -f 6 -s rr -o
-A -f 4294967295 -s rr
";

fn everything() -> Table {
    let table: Table = EVERYTHING.parse().unwrap();
    assert_eq!(table.to_string(), EVERYTHING);
    table
}

/// Reads the table of the kernel.
fn table(ipvs: &mut Client) -> Table {
    Table::from(&ipvs.snapshot().unwrap())
}

fn write(ipvs: &mut Client, table: &Table) {
    for entry in table {
        ipvs.add_service(entry.service()).unwrap();
        for destination in entry.destinations() {
            ipvs.add_destination(entry.id(), destination.destination()).unwrap();
        }
    }
}

/// The table without thresholds, which `ipvsadm -S` does not save.
fn saved(table: &Table) -> Table {
    let services = table.services().map(|entry| {
        entry.destinations().fold(TableService::new(entry.service().clone()), |service, it| {
            service.with(it.destination().clone().thresholds(0, 0))
        })
    });
    services.collect()
}

/// Runs `ipvsadm` and returns whether it succeeds.
fn ipvsadm_accepts(words: &[&str], input: &str) -> bool {
    let mut program = Program::new("ipvsadm")
        .args(words)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    program.stdin.take().unwrap().write_all(input.as_bytes()).ok();
    program.wait().unwrap().success()
}

#[test]
fn a_table_is_read_from_what_ipvsadm_saves() {
    with_names(LOCAL);
    let mut ipvs = fresh();
    write(&mut ipvs, &everything());
    let local: Table = "-A -t 127.0.0.1:80\n-a -t 127.0.0.1:80 -r 127.0.0.1:443 -m -w 1\n\
                        -A -u 127.0.0.1:80\n-A -t [::1]:443"
        .parse()
        .unwrap();
    write(&mut ipvs, &local);
    let there = saved(&table(&mut ipvs));
    assert_eq!(there.len(), everything().len() + local.len());
    assert_eq!(ipvsadm("-S -n").parse(), Ok(there.clone()));
    let named = ipvsadm("-S");
    assert!(named.contains("-a -t localhost:http -r localhost:https -m"), "{named}");
    assert_eq!(Table::from_ipvsadm(&named, &SystemNames::new()), Ok(there));
    let error = named.parse::<Table>().unwrap_err().to_string();
    assert!(error.ends_with("(names are not looked up)"), "{error}");
}

#[test]
fn ipvsadm_restores_the_table_from_our_text() {
    let mut ipvs = fresh();
    assert!(ipvsadm_accepts(&["-R"], EVERYTHING));
    assert_eq!(table(&mut ipvs), everything());

    // Destinations without a weight of their own get weight 1 from `ipvsadm`.
    let unweighted = everything().into_iter().map(|entry| {
        entry.destinations().fold(TableService::new(entry.service().clone()), |service, it| {
            service.with(TableDestination::of_any_weight(it.destination().clone().weight(1)))
        })
    });
    let unweighted: Table = unweighted.collect();
    ipvs.flush().unwrap();
    assert!(ipvsadm_accepts(&["-R"], &unweighted.to_string()));
    let weights = table(&mut ipvs);
    let mut weights = weights.services().flat_map(TableService::destinations);
    assert!(weights.all(|destination| destination.weight() == Some(1)));
}

#[test]
fn ipvsadm_stops_at_a_comment_of_an_object_without_a_command() {
    let _ipvs = fresh();
    assert!(!ipvsadm_accepts(&["-R"], "# ipvsadm cannot say flags 0x40: -A -f 5 -s rr\n"));
}

/// The state that a command may change.
#[derive(Debug, PartialEq)]
struct State {
    table: Table,
    timeouts: Timeouts,
    daemons: Vec<SyncDaemon>,
}

/// Resets the namespace, runs `change`, and returns the state after it.
fn after(ipvs: &mut Client, change: impl FnOnce(&mut Client)) -> State {
    ipvs.flush().unwrap();
    for daemon in ipvs.daemons().unwrap() {
        ipvs.stop_daemon(daemon.role).unwrap();
    }
    let second = Duration::from_secs(1);
    ipvs.set_timeouts(Timeouts::default().tcp(second).tcp_fin(second).udp(second)).unwrap();
    write(ipvs, &BEFORE.parse().unwrap());
    change(ipvs);
    State {
        table: table(ipvs),
        timeouts: ipvs.timeouts().unwrap(),
        daemons: ipvs.daemons().unwrap().into(),
    }
}

#[test]
fn every_spelling_does_the_same_as_with_ipvsadm() {
    with_names(LOCAL);
    let mut ipvs = fresh();
    ip("link add d0 type dummy");
    ip("address add 10.9.0.1/24 dev d0");
    ip("link set d0 up");
    let names = SystemNames::new();
    for text in ACCEPTED {
        let theirs = after(&mut ipvs, |_| assert!(ipvsadm_accepts(&["-R"], text), "{text}"));
        let ours = after(&mut ipvs, |ipvs| {
            for line in text.lines() {
                let words: Vec<&str> = line.split(' ').collect();
                let change = Command::parse(&words, &names).unwrap().change;
                ipvs.submit(&[change]).into_result().unwrap();
            }
        });
        assert_eq!(ours.table.to_string(), theirs.table.to_string());
        assert_eq!(ours, theirs, "{text}");
    }
    assert_eq!(ACCEPTED.iter().map(|text| text.lines().count()).sum::<usize>(), 97);
}

#[test]
fn spellings_that_ipvsadm_refuses_are_refused() {
    with_names(LOCAL);
    let mut ipvs = fresh();
    ip("link add d0 type dummy");
    ip("link set d0 up");
    write(&mut ipvs, &BEFORE.parse().unwrap());
    let names = SystemNames::new();
    for spelling in REFUSED {
        let words: Vec<&str> = spelling.split(' ').collect();
        assert!(!ipvsadm_accepts(&words, ""), "{spelling}");
        assert!(Command::parse(&words, &names).is_err(), "{spelling}");
    }
    assert_eq!(table(&mut ipvs), BEFORE.parse().unwrap());
}

/// Tests the differences that the documentation of `Command` lists.
#[test]
fn the_documented_differences_are_the_differences() {
    with_names(LOCAL);
    let mut ipvs = fresh();
    let cases = [
        ("-A -t 10.0.0.9:80 -p 0", false),
        ("-A -t 10.0.0.9:80 -n", false),
        ("-A -t 10.0.0.9:80 -o", false),
        ("-A -t 10.0.0.9", false),
        ("-A -t [2001:db8::9] -p", false),
        ("-A -6 -f 9", false),
        ("-A -f -1", false),
        ("-a -t [2001:db8::1]:80 -r [2001:db8::2] -m", false),
        ("-A -t 10.0.0.8:+80", true),
        ("-A -t 10.8:81", true),
        ("-A -t 010.0.0.8:82", true),
        ("-A -t 10.0.0.8:83 -p 60 -M 24", true),
        ("-A -t [2001:db8::8]:84 -p 60 -M 64x", true),
    ];
    for (spelling, accepted) in cases {
        let words: Vec<&str> = spelling.split(' ').collect();
        assert_eq!(ipvsadm_accepts(&words, ""), accepted, "{spelling}");
        assert_eq!(Command::parse(&words, &NumericNames).is_err(), accepted, "{spelling}");
    }
    // `ipvsadm` loses the port of a destination that comes before its service.
    let text = "-A -t 10.0.0.7:80\n-a -r 10.0.1.1 -t 10.0.0.7:80 -m";
    ipvs.flush().unwrap();
    assert!(ipvsadm_accepts(&["-R"], text));
    let ports = |table: &Table| -> Vec<u16> {
        let destinations = table.services().flat_map(TableService::destinations);
        destinations.map(|destination| destination.id().address.port()).collect()
    };
    assert_eq!(ports(&table(&mut ipvs)), [0]);
    assert_eq!(ports(&text.parse().unwrap()), [80]);
    let cut = ["-A", "-f", "77", "-s", "no-such-scheduler-at-all"];
    assert!(Command::parse(&cut, &NumericNames).is_err());
}

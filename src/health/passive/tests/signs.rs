use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::{rows, server, service, table};
use crate::health::passive::{ConnectionCounts, PassiveSigns, Sign};
use crate::model::{Destination, Service, Snapshot, Tunnel};
use crate::procfs::ConnectionState;

const INTERVAL: Duration = Duration::from_secs(10);

/// Takes in readings of a table, one each ten seconds.
struct Watch {
    signs: PassiveSigns,
    now: Instant,
}

impl Watch {
    fn new() -> Self {
        Self { signs: PassiveSigns::new(), now: Instant::now() }
    }

    /// Returns the signs after a reading, each with its destination's last octet.
    fn read(&mut self, table: Snapshot, rows: &ConnectionCounts) -> Vec<String> {
        self.now += INTERVAL;
        let before: Vec<_> = self.names();
        let changes = self.signs.observe(table, self.now, Some(rows));
        let after = self.names();
        let begun = changes.iter().filter(|it| it.begins).count();
        let over = changes.len() - begun;
        assert_eq!(after.len() + over, before.len() + begun, "{changes:?}");
        after
    }

    fn names(&self) -> Vec<String> {
        let name = |(_, destination, sign): (_, crate::model::DestinationId, Sign)| {
            format!(
                "{} {}",
                destination.address.ip().to_string().rsplit('.').next().unwrap(),
                sign.name()
            )
        };
        self.signs.iter().map(name).collect()
    }
}

/// Takes in growths of a lone destination's counters, without connections. Returns the signs after each.
fn lone(service: &Service, destination: &Destination, growths: &[[u64; 3]]) -> Vec<String> {
    let none = ConnectionCounts::new();
    let mut watch = Watch::new();
    let mut counters = [0; 3];
    let read = |watch: &mut Watch, counters| {
        watch.read(table(service, vec![(destination.clone(), counters)]), &none).join(",")
    };
    assert_eq!(read(&mut watch, counters), "");
    let after = |growth: &[u64; 3]| {
        counters.iter_mut().zip(growth).for_each(|(counter, growth)| *counter += growth);
        read(&mut watch, counters)
    };
    growths.iter().map(after).collect()
}

fn tunnel(address: std::net::SocketAddr) -> Destination {
    Destination::tunnel(address, Tunnel::Ipip)
}

fn web() -> Service {
    service("TCP 192.0.2.10:80")
}

#[test]
fn packets_without_answers_in_two_intervals_are_a_sign() {
    let told = lone(
        &web(),
        &Destination::masquerade(server(2)),
        &[
            [5, 9, 9],
            [1, 4, 0],
            [1, 1, 0],
            [0, 1, 0],
            [0, 1, 1],
            [9, 9, 0],
            [0, 0, 0],
            [1, 2, 0],
            [0, 1, 0],
        ],
    );
    let silent = "2 no_answers";
    assert_eq!(told, ["", "", silent, silent, "", "", "", "", silent]);
    // Two packets are too few.
    let told =
        lone(&web(), &Destination::masquerade(server(2)), &[[1, 1, 0], [0, 1, 0], [0, 1, 0]]);
    assert_eq!(told, ["", "", silent]);
}

#[test]
fn a_sign_counts_the_packets_since_the_last_answer() {
    let mut signs = PassiveSigns::new();
    let now = Instant::now();
    let mut changes = Vec::new();
    for (at, packets) in [(0, 0), (1, 7), (2, 12), (3, 40)] {
        let destination = (Destination::masquerade(server(2)), [0, packets, 0]);
        changes.extend(signs.observe(table(&web(), vec![destination]), now + at * INTERVAL, None));
    }
    changes.extend(signs.observe(Snapshot::default(), now + 4 * INTERVAL, None));
    let told: Vec<_> = changes.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "TCP 192.0.2.10:80 -> 10.0.0.2:8080: 12 packets without an answer",
            "TCP 192.0.2.10:80 -> 10.0.0.2:8080: no longer: 40 packets without an answer",
        ]
    );
}

#[test]
fn answers_that_do_not_pass_are_not_missed() {
    let silent = &[[1, 50, 0]; 5];
    for destination in [Destination::direct_route(server(2)), tunnel(server(2))] {
        assert_eq!(lone(&web(), &destination, silent), [""; 5]);
    }
    let dns = service("UDP 192.0.2.10:53");
    // It answers, and IPVS does not see that.
    let masquerade = Destination::masquerade(server(2));
    let mut growths = vec![[1, 50, 1]];
    growths.extend(silent);
    assert_eq!(lone(&dns.clone().one_packet(), &masquerade, &growths), [""; 6]);
    let told = lone(&dns, &masquerade, &growths);
    assert_eq!(told.iter().filter(|told| *told == "2 no_answers").count(), 4, "{told:?}");
}

#[test]
fn protocols_without_answers_have_no_sign() {
    let masquerade = |octet| Destination::masquerade(server(octet));
    for id in ["UDP 192.0.2.10:514", "FWM 5", "IP_50 192.0.2.10:0"] {
        assert_eq!(lone(&service(id), &masquerade(2), &[[1, 50, 0]; 5]), [""; 5], "{id}");
        // Another destination answers, so this protocol has answers.
        let mut watch = Watch::new();
        let mut told = Vec::new();
        for n in 0..4 {
            let destinations = vec![(masquerade(2), [n, 50 * n, 0]), (masquerade(3), [n, n, n])];
            told = watch.read(table(&service(id), destinations), &ConnectionCounts::new());
        }
        assert_eq!(told, ["2 no_answers"], "{id}");
    }
    assert_eq!(
        lone(&service("SCTP 192.0.2.10:80"), &masquerade(2), &[[1, 5, 0]; 2])[1],
        "2 no_answers"
    );
}

#[test]
fn counters_that_are_reset_or_stand_still_say_nothing() {
    let destination = || Destination::masquerade(server(2));
    assert_eq!(lone(&web(), &destination(), &[[0, 0, 0]; 5]), [""; 5]);
    let mut watch = Watch::new();
    let mut told = Vec::new();
    for packets in [1000, 2000, 10, 2000, 10] {
        let table = table(&web(), vec![(destination(), [1, packets, 0])]);
        told.extend(watch.read(table, &ConnectionCounts::new()));
    }
    assert_eq!(told, Vec::<String>::new());
}

/// Half-open connections and others at a reading.
fn states(half_open: u16, established: u16) -> ConnectionCounts {
    let to = "192.0.2.10:80";
    let half_open = rows(half_open, to, server(2), ConnectionState::SYN_RECV);
    half_open
        .into_iter()
        .chain(rows(established, to, server(2), ConnectionState::ESTABLISHED))
        .collect()
}

/// Takes in counters and connections of a lone destination.
fn opened(destination: &Destination, readings: &[([u64; 3], u16, u16)]) -> Vec<String> {
    let mut watch = Watch::new();
    let read = |(counters, half_open, established): &([u64; 3], u16, u16)| {
        let table = table(&web(), vec![(destination.clone(), *counters)]);
        watch.read(table, &states(*half_open, *established)).join(",")
    };
    readings.iter().map(read).collect()
}

#[test]
fn connections_that_are_never_established_are_a_sign() {
    let half_open = "2 half_open";
    for destination in [Destination::direct_route(server(2)), tunnel(server(2))] {
        let told = opened(
            &destination,
            &[
                ([0, 0, 0], 0, 0),
                ([4, 8, 0], 4, 0),
                ([8, 16, 0], 8, 0),
                // As many end as come.
                ([12, 24, 0], 8, 0),
                // None comes any more.
                ([12, 24, 0], 6, 0),
                ([16, 40, 0], 9, 0),
                ([17, 44, 0], 9, 1),
                ([20, 60, 0], 12, 0),
                ([24, 80, 0], 12, 0),
            ],
        );
        assert_eq!(told, ["", "", half_open, half_open, "", half_open, "", "", half_open]);
    }
}

#[test]
fn a_burst_of_a_healthy_destination_is_no_sign() {
    let direct = Destination::direct_route(server(2));
    let told = opened(&direct, &[([0, 0, 0], 0, 0), ([50, 50, 0], 50, 0), ([50, 99, 0], 0, 50)]);
    assert_eq!(told, ["", "", ""]);
    assert_eq!(
        opened(&direct, &[([0; 3], 2, 0), ([2, 4, 0], 2, 0), ([3, 6, 0], 2, 0)]),
        ["", "", ""]
    );
}

#[test]
fn a_flood_that_is_answered_is_no_sign() {
    let masquerade = Destination::masquerade(server(2));
    let told =
        opened(&masquerade, &[([0; 3], 9, 0), ([90, 90, 99], 90, 0), ([180, 180, 200], 99, 0)]);
    assert_eq!(told, ["", "", ""]);
    let told = opened(&masquerade, &[([0; 3], 9, 0), ([90, 90, 0], 90, 0), ([180, 180, 0], 99, 0)]);
    assert_eq!(told, ["", "2 half_open", "2 half_open,2 no_answers"]);
}

#[test]
fn connections_that_were_not_read_are_no_sign() {
    let mut signs = PassiveSigns::new();
    let now = Instant::now();
    let mut observe = |at: u64, half_open: Option<u16>| {
        let table = table(&web(), vec![(Destination::direct_route(server(2)), [at, at, 0])]);
        let rows = half_open.map(|half_open| states(half_open, 0));
        let at = now + Duration::from_secs(at);
        let changes = signs.observe(table, at, rows.as_ref());
        changes.iter().map(|it| if it.begins { '+' } else { '-' }).collect::<String>()
    };
    assert_eq!(observe(0, Some(5)), "");
    assert_eq!(observe(10, Some(9)), "+");
    // Too soon for the counters: ignored.
    assert_eq!(observe(13, None), "");
    assert_eq!(observe(20, None), "-");
    assert_eq!(observe(30, Some(20)), "");
    assert_eq!(observe(40, Some(30)), "+");
}

#[test]
fn a_snapshot_with_gaps_is_ignored() {
    let mut signs = PassiveSigns::new();
    let now = Instant::now();
    let mut told = Vec::new();
    for at in 0..4 {
        let built =
            table(&web(), vec![(Destination::masquerade(server(2)), [0, 9 * u64::from(at), 0])]);
        let time = now + at * INTERVAL;
        let torn = Snapshot::new(Vec::new(), false, Some(time));
        told.push(signs.observe(built, time, None).len());
        told.push(signs.observe(torn, time + INTERVAL / 2, None).len());
    }
    assert_eq!(told, [0, 0, 0, 0, 1, 0, 0, 0]);
}

proptest! {
    /// A destination that answers whatever comes has never a sign, whatever the kernel shows beside.
    #[test]
    fn a_destination_that_answers_has_no_sign(
        intervals in proptest::collection::vec((0_u64..50, 0_u64..50, 0_u16..20, 0_u16..3), 1..12),
        method in 0..3_usize,
        protocol in 0..3_usize,
    ) {
        let id = ["TCP 192.0.2.10:80", "UDP 192.0.2.10:80", "FWM 5"][protocol];
        let passes = method == 0;
        let methods: [fn(std::net::SocketAddr) -> Destination; 3] = [Destination::masquerade, Destination::direct_route, tunnel];
        let destination = methods[method];
        let mut watch = Watch::new();
        let mut counters = [0; 3];
        for (connections, packets, half_open, established) in intervals {
            counters[0] += connections;
            counters[1] += connections + packets;
            counters[2] += if passes { connections + packets } else { 0 };
            // What does not pass shows by the clients' next packets that it was answered.
            let established = if passes { established } else { established + 1 };
            let table = table(&service(id), vec![(destination(server(2)), counters)]);
            let told = watch.read(table, &states(half_open, established));
            prop_assert!(told.is_empty(), "{:?}", told);
        }
    }
}

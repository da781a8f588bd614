//! Signs in the traffic.

use ipvs_netlink::health::passive::PassiveSigns;
use ipvs_netlink::{
    Connections, Destination, DestinationEntry, Service, ServiceEntry, ServiceSnapshot, Snapshot,
    Stats,
};

use crate::configuration::{self, OnSign};
use crate::desk::tests::{SECOND, begin, begun, configuration, later, server, service};
use crate::desk::{Desk, Effect};
use crate::moment::Moment;
use crate::state::Saved;

/// A table whose destinations got so many packets and answered none.
fn table(packets: u64) -> Snapshot {
    let of = |port| {
        let mut stats = Stats::default();
        stats.incoming_packets = packets;
        let destination = Destination::masquerade(server(1).address);
        let entry = DestinationEntry::new(destination, Connections::default(), stats);
        let service = ServiceEntry::new(Service::new(service(port)), stats);
        ServiceSnapshot::new(service, vec![entry])
    };
    [80, 81].map(of).into_iter().collect()
}

/// Takes in readings with so many packets. Returns the effects in words.
fn signs(desk: &mut Desk, begin: Moment, packets: &[u64]) -> Vec<String> {
    let mut signs = PassiveSigns::new();
    let mut words = Vec::new();
    for (at, packets) in (0..).zip(packets) {
        let now = later(begin, at * 10 * SECOND);
        let changes = signs.observe(table(*packets), now.instant, None);
        desk.signs(&changes, signs.iter(), now);
        words.extend(desk.effects().into_iter().map(|effect| match effect {
            Effect::Tell(event) => {
                assert_eq!(
                    (event.service, event.destination),
                    (Some(service(80)), Some(server(1)))
                );
                format!("{:?} {} {}", event.severity, event.kind, event.text)
            }
            Effect::Hasten(destination) => format!("hasten {destination}"),
            other => panic!("{other:?}"),
        }));
    }
    words
}

fn told(desk: &Desk, now: Moment) -> Vec<String> {
    let status = desk.status(Some(&[]), None, |_| String::new(), now);
    status.services[0].destinations[0].signs.clone()
}

#[test]
fn a_sign_is_told_and_does_nothing() {
    let now = begin();
    // The other service of the table is not the daemon's.
    let (mut desk, _) = begun(&[(80, &[(1, 1)])], Saved::default(), now);
    let words = signs(&mut desk, now, &[0, 5, 9, 20]);
    assert_eq!(
        words,
        ["Warning passive-sign 10.0.0.1:8080 may not work: 9 packets without an answer"]
    );
    assert_eq!(told(&desk, now), ["20 packets without an answer"]);
    let (mut desk, _) = begun(&[(80, &[(1, 1)])], Saved::default(), now);
    let words = signs(&mut desk, now, &[0, 5, 9, 9]);
    assert_eq!(words[1..], ["Note passive-sign-over no longer: 9 packets without an answer"]);
    assert_eq!(told(&desk, now), [""; 0]);
}

#[test]
fn a_sign_makes_the_checks_due_if_the_file_asks_for_it() {
    let now = begin();
    let (mut desk, _) = begun(&[(80, &[(1, 1)])], Saved::default(), now);
    let mut file = configuration(&[(80, &[(1, 1)])]);
    file.passive_signs =
        configuration::PassiveSigns { on_sign: OnSign::Check, ..Default::default() };
    desk.reload(file, now);
    desk.effects();
    let words = signs(&mut desk, now, &[0, 5, 9, 20, 20]);
    let kinds: Vec<_> = words.iter().map(|it| it.split(' ').nth(1).unwrap()).collect();
    assert_eq!(kinds, ["passive-sign", "10.0.0.1:8080", "10.0.0.1:8080", "passive-sign-over"]);
}

use super::{rows, server};
use crate::health::passive::ConnectionCounts;
use crate::health::passive::connections::States;
use crate::model::{
    Destination, DestinationId, Protocol, Service, ServiceEntry, ServiceId, ServiceSnapshot,
    Snapshot, Stats,
};
use crate::procfs::ConnectionState;

fn with(service: &str, destinations: &[&str]) -> ServiceSnapshot {
    let entry = |it: &&str| {
        let destination = Destination::masquerade(it.parse().unwrap());
        crate::model::DestinationEntry::new(destination, Default::default(), Stats::default())
    };
    let service = Service::new(service.parse().unwrap());
    let destinations = destinations.iter().map(entry).collect();
    ServiceSnapshot::new(ServiceEntry::new(service, Stats::default()), destinations)
}

fn counted(table: &Snapshot, to: &str) -> Vec<(ServiceId, DestinationId, [u64; 2])> {
    let rows = rows(3, to, server(2), ConnectionState::SYN_RECV);
    let counts: ConnectionCounts = rows.into_iter().collect();
    let all = counts.by_destination(table).into_iter();
    all.map(|((service, destination), States { half_open, answered })| {
        (service, destination, [half_open, answered])
    })
    .collect()
}

#[test]
fn rows_belong_to_the_service_that_the_kernel_looks_up() {
    let table = Snapshot::from_iter([
        with("TCP 192.0.2.10:80", &["10.0.0.2:8080"]),
        with("TCP 192.0.2.10:81", &["10.0.0.3:8080"]),
        with("TCP 192.0.2.10:0", &["10.0.0.2:0"]),
        with("UDP 192.0.2.10:82", &["10.0.0.2:8080"]),
        with("FWM 5", &["10.0.0.2:8080"]),
        with("FWM 5 IPv6", &["10.0.0.2:8080"]),
    ]);
    let of = |to| match counted(&table, to).as_slice() {
        [(service, destination, [3, 0])] => format!("{service} -> {destination}"),
        other => format!("{other:?}"),
    };
    assert_eq!(of("192.0.2.10:80"), "TCP 192.0.2.10:80 -> 10.0.0.2:8080");
    // That service has not this destination: another one has made the connections.
    assert_eq!(of("192.0.2.10:81"), "TCP 192.0.2.10:0 -> 10.0.0.2:0");
    assert_eq!(of("192.0.2.10:82"), "TCP 192.0.2.10:0 -> 10.0.0.2:0");
    assert_eq!(of("192.0.2.11:80"), "FWM 5 -> 10.0.0.2:8080");
    assert_eq!(counted(&Snapshot::default(), "192.0.2.10:80"), []);
}

#[test]
fn states_say_whether_the_destination_has_answered() {
    let table = Snapshot::from_iter([with("TCP 192.0.2.10:80", &["10.0.0.2:8080"])]);
    let all =
        "NONE ESTABLISHED SYN_SENT SYN_RECV FIN_WAIT TIME_WAIT CLOSE CLOSE_WAIT LAST_ACK SYNACK";
    let mut counts = ConnectionCounts::new();
    for state in all.split(' ') {
        let state = state.parse().unwrap();
        counts.extend(&rows(1, "192.0.2.10:80", server(2), state));
    }
    let mut others = rows(1, "192.0.2.10:80", server(2), ConnectionState::UDP);
    others[0].protocol = Protocol::UDP;
    let mut template = rows(1, "192.0.2.10:80", server(2), ConnectionState::ASSURED);
    template[0].client.set_port(0);
    counts.extend(others.into_iter().chain(template));
    let states: Vec<_> = counts.by_destination(&table).into_values().collect();
    assert_eq!(states, [States { half_open: 1, answered: 7 }]);
}

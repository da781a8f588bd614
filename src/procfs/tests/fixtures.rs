//! The files that real kernels wrote: see `tests/fixtures/README.md`.

use std::time::Duration;

use crate::model::{AddressFamily, Protocol, Rates, ServiceId, Stats};
use crate::procfs::applications::read_applications;
use crate::procfs::status::read_status;
use crate::procfs::totals::{read_per_processor, read_totals};
use crate::procfs::{Connection, ConnectionReader, ConnectionState, Ending, HashTable, Origin};

macro_rules! fixture {
    ($name:literal) => {
        include_bytes!(concat!("../../../tests/fixtures/procfs/", $name, ".txt"))
    };
}

const BOTH: [&[u8]; 2] = [fixture!("k61-ip_vs_conn"), fixture!("k612-ip_vs_conn")];

/// All files of connections, for damage.
pub(super) const CONNECTIONS: [&[u8]; 4] =
    [BOTH[0], BOTH[1], fixture!("k61-ip_vs_conn_sync"), fixture!("k612-ip_vs_conn_sync")];

/// All other files, for damage.
pub(super) const OTHERS: [&[u8]; 7] = [
    fixture!("k61-ip_vs_stats"),
    fixture!("k612-ip_vs_stats"),
    fixture!("k61-ip_vs_stats_percpu"),
    fixture!("k612-ip_vs_stats_percpu"),
    fixture!("k61-ip_vs_app"),
    fixture!("k612-ip_vs_app"),
    fixture!("k73-ip_vs_status"),
];

fn all(text: &[u8]) -> Vec<Connection> {
    let mut reader = ConnectionReader::new(text);
    let connections = reader.by_ref().collect::<Result<_, _>>().unwrap();
    assert_eq!(reader.ending(), Some(Ending::Complete));
    connections
}

fn one(text: &[u8], is_wanted: impl Fn(&Connection) -> bool) -> Connection {
    let mut wanted = all(text).into_iter().filter(is_wanted);
    let one = wanted.next().expect("a row");
    assert!(wanted.next().is_none(), "one row");
    one
}

#[test]
fn a_connection_has_all_that_its_row_says() {
    for text in BOTH {
        let found = one(text, |it| {
            it.client.ip().to_string() == "10.1.1.3" && it.virtual_address.port() == 8021
        });
        assert_eq!(found.protocol, Protocol::TCP);
        assert_eq!(found.virtual_address, "192.0.2.10:8021".parse().unwrap());
        assert_eq!(found.destination, "127.0.0.1:8021".parse().unwrap());
        assert_eq!(found.state, ConnectionState::ESTABLISHED);
        assert!((880..=900).contains(&found.expires.as_secs()), "{found:?}");
        assert_eq!((found.engine_data.as_ref(), found.origin), (None, None));
        assert!(!found.is_template());
        assert_eq!(found.service(), "TCP 192.0.2.10:8021".parse().unwrap());
    }
}

#[test]
fn both_families_all_protocols_and_their_states_are_read() {
    for text in BOTH {
        let connections = all(text);
        assert_eq!(connections.len(), text.split(|byte| *byte == b'\n').count() - 2);
        for state in ["ESTABLISHED", "CLOSE_WAIT", "UDP", "NONE", "ASSURED", "INIT"] {
            let is_of = |it: &&Connection| it.state.as_str() == Some(state);
            assert!(connections.iter().any(|it| is_of(&it)), "{state}");
        }
        let of = |protocol| connections.iter().filter(|it| it.protocol == protocol).count();
        assert!([Protocol::TCP, Protocol::UDP, Protocol::SCTP].iter().all(|it| of(*it) > 0));
        assert!(connections.iter().any(|it| it.client.is_ipv6()));
    }
}

#[test]
fn a_tunnel_may_lead_to_the_other_family() {
    let tunnel = one(BOTH[0], |it| it.virtual_address.port() == 90);
    assert_eq!(tunnel.client.ip().to_string(), "2001:db8::1");
    assert_eq!(tunnel.destination, "10.1.1.3:90".parse().unwrap());
}

#[test]
fn templates_are_told_from_connections() {
    for text in BOTH {
        let templates: Vec<_> = all(text).into_iter().filter(Connection::is_template).collect();
        let mut services: Vec<_> = templates.iter().map(Connection::service).collect();
        services.sort();
        let names: Vec<_> = services.iter().map(ServiceId::to_string).collect();
        assert_eq!(
            names,
            [
                // Of the service at port 0, and of the one at port 21.
                "TCP 192.0.2.10:0",
                // Of two networks.
                "TCP 192.0.2.10:443",
                "TCP 192.0.2.10:443",
                "UDP 192.0.2.10:5060",
                "TCP [2001:db8::80]:80",
                "FWM 5",
                "FWM 6 IPv6",
            ]
        );
        let marked = one(text, |it| it.fwmark() == Some(6));
        assert_eq!(marked.client.ip().to_string(), "2001:db8::");
        assert_eq!(marked.service(), ServiceId::fwmark(6, AddressFamily::Ipv6));
    }
}

#[test]
fn the_data_of_an_engine_is_kept() {
    for text in BOTH {
        let sip = one(text, |it| it.engine_data.is_some());
        let data = sip.engine_data.as_ref().unwrap();
        assert_eq!(data.engine.as_str(), Some("sip"));
        assert_eq!(&*data.data, b"12345-abcde@host.example");
        assert!(sip.is_template());
    }
}

#[test]
fn the_other_file_says_who_made_each_connection() {
    for text in [fixture!("k61-ip_vs_conn_sync").as_slice(), fixture!("k612-ip_vs_conn_sync")] {
        let connections = all(text);
        assert!(connections.len() > 15);
        assert!(connections.iter().all(|it| it.origin == Some(Origin::Local)));
    }
    let text = "Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Origin Expires\n\
                TCP 0A010002 BD98 0A640001 0050 0A030002 1F90 TIME_WAIT   SYNC        98\n";
    let [connection] = all(text.as_bytes()).try_into().unwrap();
    assert_eq!(connection.origin, Some(Origin::Sync));
    assert_eq!(connection.expires, Duration::from_secs(98));
}

#[test]
fn totals_have_counters_and_rates() {
    let totals = read_totals("stats", fixture!("k61-ip_vs_stats").as_slice()).unwrap();
    let expected = Stats {
        connections: 16,
        incoming_packets: 28,
        outgoing_packets: 13,
        incoming_bytes: 0x69b,
        outgoing_bytes: 0x304,
        rates: Rates {
            connections: 1,
            incoming_packets: 2,
            outgoing_packets: 1,
            incoming_bytes: 0x78,
            outgoing_bytes: 0x36,
        },
    };
    assert_eq!(totals, expected);
    let per = fixture!("k61-ip_vs_stats_percpu").as_slice();
    let per = read_per_processor("stats", per).unwrap();
    assert_eq!(per.totals, expected);
    let [only] = per.processors.try_into().unwrap();
    assert_eq!((only.processor, only.stats.connections), (0, 16));
}

#[test]
fn every_processor_has_a_row() {
    let totals = read_totals("stats", fixture!("k612-ip_vs_stats").as_slice()).unwrap();
    let per = fixture!("k612-ip_vs_stats_percpu").as_slice();
    let per = read_per_processor("stats", per).unwrap();
    // The rates were read later.
    let rates = Rates::default();
    assert_eq!(Stats { rates, ..per.totals }, Stats { rates, ..totals });
    let processors: Vec<_> = per.processors.iter().map(|it| it.processor).collect();
    assert_eq!(processors, [0, 1]);
    let sum: Stats = per.processors.iter().map(|it| it.stats).sum();
    assert_eq!(sum, Stats { rates, ..totals });
}

#[test]
fn applications_have_their_ports() {
    for text in [fixture!("k61-ip_vs_app").as_slice(), fixture!("k612-ip_vs_app")] {
        let [ftp] = read_applications("app", text).unwrap().try_into().unwrap();
        assert_eq!((ftp.protocol, ftp.port, ftp.connections), (Protocol::TCP, 21, 0));
        assert_eq!(ftp.name, "ftp");
    }
    let heading = b"prot port    usecnt name\n".as_slice();
    assert_eq!(read_applications("app", heading).unwrap(), []);
}

#[test]
fn the_status_has_the_sizes_of_tables() {
    let status = read_status("status", fixture!("k73-ip_vs_status").as_slice()).unwrap();
    assert_eq!((status.connections, status.services), (Some(78), Some(1)));
    let connections = HashTable {
        buckets: 512,
        load_factor: Some(-2),
        empty_buckets: Some(382),
        buckets_by_length: [110, 20, 0, 0, 0, 0, 0],
    };
    assert_eq!(status.connection_table, Some(connections));
    let services = HashTable {
        buckets: 16,
        load_factor: Some(-2),
        empty_buckets: Some(15),
        buckets_by_length: [1, 0, 0, 0, 0, 0, 0],
    };
    assert_eq!(status.service_table, Some(services));
    assert_eq!((status.estimator_threads, status.most_estimator_threads), (Some(1), Some(4)));
    assert_eq!((status.longest_estimator_chain, status.estimators), (Some(151), Some(362_400)));
}

#[test]
fn the_status_of_empty_tables_and_of_newer_kernels_is_read() {
    let text = "Conns:\t0\nConn buckets:\t4 (2 bits, lfactor 3)\nServices:\t0\nNews:\t1 (of 2)\n";
    let status = read_status("status", text.as_bytes()).unwrap();
    let buckets = HashTable { buckets: 4, load_factor: Some(3), ..HashTable::default() };
    assert_eq!((status.connections, status.connection_table), (Some(0), Some(buckets)));
    assert_eq!((status.services, status.service_table), (Some(0), None));
}

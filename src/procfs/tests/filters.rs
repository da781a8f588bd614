//! Readers with filters return what matches, and nothing else.

use proptest::prelude::*;

use super::rows::{connections, file};
use crate::model::{AddressFamily, Network, ServiceId};
use crate::procfs::{Connection, ConnectionFilter, ConnectionReader, ConnectionState};

/// A filter with parts of a connection, and some parts left out.
fn filter_of(connection: &Connection, parts: u8, prefix: u8) -> ConnectionFilter {
    let mut filter = ConnectionFilter::new();
    if parts & 1 != 0 {
        filter = filter.service(connection.service());
    }
    if parts & 2 != 0 {
        filter = filter.destination(connection.destination.into());
    }
    if parts & 4 != 0 {
        let ip = connection.client.ip();
        let network = Network::new(ip, prefix.min(if ip.is_ipv4() { 32 } else { 128 }));
        filter = filter.client(network.unwrap_or_else(|_| ip.into()));
    }
    if parts & 8 != 0 {
        filter = filter.state(connection.state).state(ConnectionState::ESTABLISHED);
    }
    filter
}

fn read(text: &[u8], filter: ConnectionFilter) -> Vec<Connection> {
    ConnectionReader::new(text).matching(filter).collect::<Result<_, _>>().unwrap()
}

proptest! {
    #[test]
    fn a_filter_while_reading_equals_one_afterwards(
        connections in connections(),
        chosen in any::<prop::sample::Index>(),
        parts in 0..16_u8,
        prefix in 0..=128_u8,
    ) {
        prop_assume!(!connections.is_empty());
        let chosen = chosen.get(&connections);
        let filter = filter_of(chosen, parts, prefix);
        prop_assert!(filter.matches(chosen), "{filter:?}");
        let matching: Vec<_> =
            connections.iter().filter(|it| filter.matches(it)).cloned().collect();
        prop_assert_eq!(read(&file(&connections), filter), matching);
    }
}

const K61: &[u8] = include_bytes!("../../../tests/fixtures/procfs/k61-ip_vs_conn.txt");

fn count(filter: ConnectionFilter) -> usize {
    read(K61, filter).len()
}

#[test]
fn services_are_told_apart() {
    let of = |text: &str| count(ConnectionFilter::new().service(text.parse().unwrap()));
    assert_eq!(of("TCP 192.0.2.10:80"), 4);
    assert_eq!(of("UDP 192.0.2.10:80"), 0);
    assert_eq!(of("TCP 192.0.2.10:443"), 5);
    assert_eq!(of("TCP 192.0.2.1:80"), 0);
    assert_eq!(of("SCTP 192.0.2.10:99"), 1);
    assert_eq!(of("TCP [2001:db8::80]:80"), 3);
    // The connection and the template, which has port 0.
    assert_eq!(of("TCP 192.0.2.10:21"), 2);
    // Every port.
    assert_eq!(of("TCP 192.0.2.10:0"), 12);
    assert_eq!(of("FWM 5"), 1);
    assert_eq!(of("FWM 5 IPv6"), 0);
    let mark = ServiceId::fwmark(6, AddressFamily::Ipv6);
    assert_eq!(count(ConnectionFilter::new().service(mark)), 1);
}

#[test]
fn clients_destinations_and_states_are_told_apart() {
    let from = |text: &str| count(ConnectionFilter::new().client(text.parse().unwrap()));
    assert_eq!(from("10.1.0.2/32"), 3);
    assert_eq!(from("10.1.1.0/24"), 5);
    assert_eq!(from("0.0.0.0/0"), 16);
    assert_eq!(from("::/0"), 5);
    let to = |text: &str| count(ConnectionFilter::new().destination(text.parse().unwrap()));
    assert_eq!((to("127.0.0.1:8021"), to("127.0.0.1:8022"), to("10.1.1.3:90")), (2, 0, 1));
    let none = ConnectionFilter::new().state(ConnectionState::NONE);
    assert_eq!(count(none.clone()), 3);
    assert_eq!(count(none.state(ConnectionState::ASSURED)), 7);
}

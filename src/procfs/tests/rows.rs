//! Rows that a renderer of this test writes as the kernel does.

use std::fmt::Write;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use proptest::prelude::*;

use crate::model::{PersistenceEngine, Protocol};
use crate::procfs::{
    Connection, ConnectionReader, ConnectionState, EngineData, Origin, ProcfsError,
};

pub(super) const HEADING: &str =
    "Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Expires PEName PEData\n";
const WITH_ORIGIN: &str =
    "Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Origin Expires\n";

fn protocol_name(protocol: Protocol) -> String {
    match protocol.number() {
        0 => "IP".into(),
        1 => "ICMP".into(),
        58 => "ICMPv6".into(),
        _ => protocol.to_string(),
    }
}

fn socket_text(address: SocketAddr) -> String {
    let ip = match address.ip() {
        IpAddr::V4(v4) => format!("{:08X}", v4.to_bits()),
        IpAddr::V6(v6) => v6.segments().map(|it| format!("{it:04x}")).join(":"),
    };
    format!("{ip} {:04X}", address.port())
}

/// Writes a row as `ip_vs_conn.c` does.
pub(super) fn row(connection: &Connection) -> Vec<u8> {
    let state = std::str::from_utf8(connection.state.as_bytes()).unwrap();
    let mut text = format!(
        "{:<3} {} {} {} {state:<11} ",
        protocol_name(connection.protocol),
        socket_text(connection.client),
        socket_text(connection.virtual_address),
        socket_text(connection.destination),
    );
    if let Some(origin) = connection.origin {
        write!(text, "{origin:<6} ").unwrap();
    }
    write!(text, "{:>7}", connection.expires.as_secs()).unwrap();
    let mut text = text.into_bytes();
    if let Some(data) = &connection.engine_data {
        text.push(b' ');
        text.extend(data.engine.as_bytes());
        text.push(b' ');
        text.extend(&data.data);
    }
    text.push(b'\n');
    text
}

/// Writes a file of connections.
pub(super) fn file(connections: &[Connection]) -> Vec<u8> {
    let with_origin = connections.iter().any(|it| it.origin.is_some());
    let mut text = if with_origin { WITH_ORIGIN } else { HEADING }.as_bytes().to_vec();
    connections.iter().for_each(|it| text.extend(row(it)));
    text
}

fn socket(is_ipv4: bool) -> impl Strategy<Value = SocketAddr> {
    // Few addresses, so that filters find some.
    let bits = prop_oneof![Just(0_u128), 1..4_u128, any::<u128>()];
    let port = prop_oneof![Just(0_u16), Just(21), Just(80), any::<u16>()];
    (bits, port).prop_map(move |(bits, port)| {
        let ip = match is_ipv4 {
            true => IpAddr::V4(u32::try_from(bits % (1 << 32)).unwrap().into()),
            false => IpAddr::V6(bits.into()),
        };
        SocketAddr::new(ip, port)
    })
}

fn state() -> impl Strategy<Value = ConnectionState> {
    let known = [
        ConnectionState::NONE,
        ConnectionState::ASSURED,
        ConnectionState::ESTABLISHED,
        ConnectionState::SYN_RECV,
    ];
    prop_oneof![
        prop::sample::select(known.to_vec()),
        "[!-~]{1,16}".prop_map(|text| text.parse().unwrap()),
    ]
}

fn data() -> impl Strategy<Value = Box<EngineData>> {
    let byte = any::<u8>().prop_filter("the kernel ends there", |it| !b"\0\n".contains(it));
    ("[a-z_]{1,16}", prop::collection::vec(byte, 1..=255)).prop_map(|(engine, data)| {
        let engine = PersistenceEngine::reported(engine.as_bytes()).unwrap();
        Box::new(EngineData { engine, data: data.into() })
    })
}

/// Connections of one file, with or without the column of the origin.
pub(super) fn connections() -> impl Strategy<Value = Vec<Connection>> {
    any::<bool>().prop_flat_map(|with_origin| prop::collection::vec(connection(with_origin), 0..12))
}

fn connection(with_origin: bool) -> impl Strategy<Value = Connection> {
    let number = prop_oneof![Just(6_u16), Just(17), Just(132), Just(0), 0..256_u16];
    let ends = (any::<bool>(), any::<bool>()).prop_flat_map(|(is_ipv4, destination_is_ipv4)| {
        (socket(is_ipv4), socket(is_ipv4), socket(destination_is_ipv4))
    });
    let origin = match with_origin {
        true => prop_oneof![Just(Some(Origin::Local)), Just(Some(Origin::Sync))].boxed(),
        false => Just(None).boxed(),
    };
    let data = match with_origin {
        true => Just(None).boxed(),
        false => prop::option::of(data()).boxed(),
    };
    (number, ends, state(), any::<u32>(), origin, data).prop_map(
        |(number, (client, virtual_address, destination), state, seconds, origin, engine_data)| {
            Connection {
                protocol: Protocol::from_number(number),
                client,
                virtual_address,
                destination,
                state,
                expires: Duration::from_secs(seconds.into()),
                engine_data,
                origin,
            }
        },
    )
}

proptest! {
    #[test]
    fn what_a_kernel_writes_is_read_back(connections in connections()) {
        let text = file(&connections);
        let read: Result<Vec<_>, _> = ConnectionReader::new(text.as_slice()).collect();
        prop_assert_eq!(read.unwrap(), connections);
    }

    #[test]
    fn a_row_is_read_by_itself(connections in connections()) {
        for connection in connections {
            let Ok(text) = String::from_utf8(row(&connection)) else { continue };
            prop_assert_eq!(text.parse::<Connection>().unwrap(), connection);
        }
    }

    #[test]
    fn text_that_is_no_row_is_an_error(text in "[ -~\n]{0,80}") {
        let is_malformed = matches!(text.parse::<Connection>(), Err(ProcfsError::Malformed { .. }));
        prop_assert!(is_malformed || text.len() > 40, "{}", text);
    }
}

#[test]
fn several_rows_are_not_one() {
    let row = "TCP C6336407 0FA0 C000020A 0050 0A000003 0050 ESTABLISHED     899\n";
    assert!(row.parse::<Connection>().is_ok());
    for wrong in ["", "\n", HEADING, &row.repeat(2), &format!("{row}\n"), &row[..40]] {
        assert!(wrong.parse::<Connection>().is_err(), "{wrong:?}");
    }
}

use std::io::{Read as _, Write as _};
use std::net::{IpAddr, SocketAddr, TcpListener, UdpSocket};
use std::thread;
use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::message::{Query, Unread};
use super::*;
use crate::health::Outcome;
use crate::health::probe::Probe;

fn check() -> DnsCheck {
    DnsCheck::new("www.Example.com", DnsType::A).unwrap()
}

fn once(check: DnsCheck, target: SocketAddr) -> Result<(), String> {
    once_within(check, target, 5000)
}

fn once_within(check: DnsCheck, target: SocketAddr, millis: u64) -> Result<(), String> {
    let probe = Probe::dns(check).timeout(Duration::from_millis(millis));
    match probe.once(target).unwrap() {
        Outcome::Passed(_) => Ok(()),
        Outcome::Failed(reason) => Err(reason),
        other => panic!("{other:?}"),
    }
}

/// Makes an answer of a query: flags, the number of records, and these.
fn answer(query: &[u8], flags: [u8; 2], count: u8, records: &[u8]) -> Vec<u8> {
    let mut answer = query.to_vec();
    answer[2..4].copy_from_slice(&flags);
    answer[7] = count;
    answer.extend(records);
    answer
}

/// An alias with a compressed name, and the address 192.0.2.7 of a name that points at itself.
const RECORDS: &[u8] = b"\xc0\x0c\0\x05\0\x01\0\0\0\x3c\0\x02\xc0\x0c\
                         \xc0\x2f\0\x01\0\x01\0\0\0\x3c\0\x04\xc0\0\x02\x07";

/// A server of UDP and TCP at one port. The functions make the answers.
fn server(
    udp: impl Fn(&[u8]) -> Vec<Vec<u8>> + Send + 'static,
    tcp: impl Fn(&[u8]) -> Vec<u8> + Send + 'static,
) -> SocketAddr {
    let (socket, listener) = loop {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        if let Ok(socket) = UdpSocket::bind(listener.local_addr().unwrap()) {
            break (socket, listener);
        }
    };
    let address = socket.local_addr().unwrap();
    thread::spawn(move || {
        let mut query = [0; 512];
        while let Ok((length, from)) = socket.recv_from(&mut query) {
            for answer in udp(&query[..length]) {
                let _ = socket.send_to(&answer, from);
            }
        }
    });
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut query = [0; 512];
            let length = stream.read(&mut query).unwrap_or(0);
            let _ = stream.write_all(&tcp(query.get(2..length).unwrap_or_default()));
        }
    });
    address
}

fn with_length(message: &[u8]) -> Vec<u8> {
    [&u16::try_from(message.len()).unwrap().to_be_bytes(), message].concat()
}

fn nothing(_: &[u8]) -> Vec<u8> {
    Vec::new()
}

#[test]
fn the_code_and_the_addresses_are_judged() {
    let good = server(|query| vec![answer(query, [0x81, 0x80], 2, RECORDS)], nothing);
    let seven: IpAddr = [192, 0, 2, 7].into();
    assert_eq!(once(check(), good), Ok(()));
    assert_eq!(once(check().address(seven).unwrap(), good), Ok(()));
    let other = check().address([192, 0, 2, 8].into()).unwrap();
    assert_eq!(
        once(other, good).unwrap_err(),
        "DNS: 192.0.2.8 is not among the 1 addresses of www.Example.com"
    );
    let refuses = server(|query| vec![answer(query, [0x81, 5], 0, b"")], nothing);
    assert_eq!(
        once(check(), refuses).unwrap_err(),
        "DNS: A of www.Example.com: REFUSED, expected NOERROR"
    );
    assert_eq!(once(check().code(DnsCode::REFUSED), refuses), Ok(()));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let refused = once(check(), listener.local_addr().unwrap()).unwrap_err();
    assert!(refused.starts_with("DNS: port unreachable: "), "{refused}");
}

#[test]
fn a_truncated_answer_is_asked_for_over_tcp() {
    let whole = |query: &[u8]| with_length(&answer(query, [0x81, 0x80], 2, RECORDS));
    let truncates = server(|query| vec![answer(query, [0x83, 0x80], 9, b"")], whole);
    let expected = check().address([192, 0, 2, 7].into()).unwrap();
    assert_eq!(once(expected.clone(), truncates), Ok(()));
    let silent = server(|_| Vec::new(), whole);
    assert_eq!(once(expected.tcp(), silent), Ok(()));
    let twice = server(
        |query| vec![answer(query, [0x83, 0x80], 9, b"")],
        |query| with_length(&answer(query, [0x83, 0x80], 9, b"")),
    );
    assert_eq!(once(check(), twice).unwrap_err(), "DNS: the answer over TCP is truncated");
}

#[test]
fn answers_to_other_queries_do_not_count() {
    let others = |query: &[u8]| {
        let good = answer(query, [0x81, 0x80], 2, RECORDS);
        let changed = |at: usize| {
            let mut other = good.clone();
            other[at] ^= 1;
            other
        };
        // The identifier, the bit of an answer, the operation, the name and the type.
        let mut others = vec![query.to_vec(), changed(0), changed(1), changed(14), changed(30)];
        others.push(answer(query, [0x89, 0x80], 0, b""));
        others
    };
    let other = server(others, nothing);
    assert_eq!(once_within(check(), other, 300).unwrap_err(), "timeout after 300 ms");
    let late = server(
        move |query| {
            let mut all = others(query);
            all.push(answer(query, [0x81, 0x80], 2, RECORDS));
            all
        },
        nothing,
    );
    assert_eq!(once(check(), late), Ok(()));
    // Whoever echoes the name in other case has understood it.
    let shouts = server(
        |query| {
            let mut loud = query.to_vec();
            loud[12..].make_ascii_uppercase();
            vec![answer(&loud, [0x81, 0x80], 0, b"")]
        },
        nothing,
    );
    assert_eq!(once(check(), shouts), Ok(()));
    let flood = server(|query| vec![query.to_vec(); 300], nothing);
    assert_eq!(once(check(), flood).unwrap_err(), "DNS: 256 datagrams and no answer among them");
}

#[test]
fn hostile_servers_are_bounded() {
    let begin = Instant::now();
    for (records, count) in [
        (&b"\xc0"[..], 1),
        (b"\x40abc", 1),
        (b"\x3fabc", 1),
        (b"\0\0\x01\0\x01\0\0\0\0\xff\xff", 1),
        (b"\0\0\x01\0\x01\0\0\0\0\0\x03abc", 1),
        (RECORDS, 255),
    ] {
        let odd = server(move |query| vec![answer(query, [0x81, 0x80], count, records)], nothing);
        let reason = once(check(), odd).unwrap_err();
        assert!(reason.starts_with("DNS: a malformed answer: "), "{reason}");
        assert!(!reason.chars().any(char::is_control), "{reason}");
    }
    let tcp = |answer: fn(&[u8]) -> Vec<u8>| {
        once_within(check().tcp(), server(|_| Vec::new(), answer), 400).unwrap_err()
    };
    // It closes in the middle, sends garbage, and answers another query.
    assert!(tcp(|_| vec![0xff, 0xff, 1, 2, 3]).starts_with("DNS: "));
    assert!(tcp(|_| vec![0, 2, 1, 2]).starts_with("DNS: a malformed answer"));
    assert!(tcp(|_| Vec::new()).starts_with("DNS: "));
    assert!(
        tcp(|query| with_length(&answer(&[&[0, 0], &query[2..]].concat(), [0x81, 0], 0, b"")))
            .starts_with("DNS: the answer to another query")
    );
    // A byte now and then.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let slow = listener.local_addr().unwrap();
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        while stream.write_all(b"\x0f").is_ok() {
            thread::sleep(Duration::from_millis(20));
        }
    });
    assert_eq!(once_within(check().tcp(), slow, 400).unwrap_err(), "timeout after 400 ms");
    assert!(begin.elapsed() < Duration::from_secs(20));
}

#[test]
fn names_and_numbers_out_of_range_are_refused() {
    for name in ["", "..", "a..b", ".a", "a b", "a\\b", "ä", &"a".repeat(64), &"a.".repeat(128)] {
        let error = DnsCheck::new(name, DnsType::A).unwrap_err().to_string();
        assert!(error.contains("must be labels of 1 to 63"), "{error}");
    }
    for name in [".", "a", "a.", "_x._tcp.a-b.", &format!("{}a", "a.".repeat(126))] {
        assert!(DnsCheck::new(name, DnsType::SRV).is_ok(), "{name}");
    }
    assert!(DnsCode::new(16).is_err() && DnsCode::new(9).unwrap().to_string() == "9");
    assert!(check().address("2001:db8::1".parse().unwrap()).is_err());
    assert_eq!(DnsType(65).to_string(), "TYPE65");
}

proptest! {
    /// No message panics or is read as an answer to a query by chance.
    #[test]
    fn no_message_panics(message in prop::collection::vec(any::<u8>(), 0..600)) {
        let query = Query::new(&check(), [1, 2]);
        prop_assert!(query.answer(&message).is_err());
    }

    #[test]
    fn no_answer_with_changes_panics(
        changes in prop::collection::vec((0..80_usize, any::<u8>()), 0..6), length in 0..80_usize,
    ) {
        let query = Query::new(&check(), [1, 2]);
        let mut message = answer(query.bytes(), [0x81, 0x80], 2, RECORDS);
        for (at, byte) in changes {
            if let Some(place) = message.get_mut(at) {
                *place = byte;
            }
        }
        message.truncate(length);
        if let Ok(answer) = query.answer(&message) {
            prop_assert!(answer.addresses.len() <= 3);
        }
    }

    /// A message that ends early is never taken for a whole one.
    #[test]
    fn a_part_of_an_answer_is_malformed(length in 12..64_usize) {
        let query = Query::new(&check(), [1, 2]);
        let whole = answer(query.bytes(), [0x81, 0x80], 2, RECORDS);
        prop_assert!(query.answer(&whole).is_ok());
        if length < whole.len() {
            let error = query.answer(&whole[..length]).unwrap_err();
            prop_assert!(matches!(error, Unread::Malformed | Unread::Other));
        }
    }
}

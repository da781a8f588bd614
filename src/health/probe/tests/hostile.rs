//! Servers that do harm to checks by bytes.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, UdpSocket};
use std::thread;
use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::servers::{check, raw, reason};
use crate::health::Outcome;
use crate::health::probe::{AgentCheck, Exchange, Probe};

#[test]
fn servers_made_to_do_harm_are_bounded() {
    let begin = Instant::now();
    let exchange = || Probe::tcp_exchange(Exchange::new("PING", "+PONG"));
    // A byte now and then.
    let slow = raw(|mut stream| {
        while stream.write_all(b"+").is_ok() {
            thread::sleep(Duration::from_millis(10));
        }
    });
    for probe in [exchange(), Probe::agent(AgentCheck::new())] {
        let probe = probe.timeout(Duration::from_millis(200));
        assert_eq!(reason(check(&probe, slow)), "timeout after 200 ms");
    }
    // One side of the connection is closed.
    let half = raw(|stream| {
        stream.shutdown(Shutdown::Write).unwrap();
        thread::sleep(Duration::from_millis(300));
    });
    assert_eq!(reason(check(&exchange(), half)), "the server closed after \"\"");
    // 64 KiB byte by byte: what is known is not searched again.
    let crumbs = raw(|mut stream| {
        stream.set_nodelay(true).unwrap();
        while stream.write_all(b"x").is_ok() {}
    });
    let crumbled = reason(check(&exchange().timeout(Duration::from_secs(60)), crumbs));
    assert!(crumbled.starts_with("64 KiB without what is expected"), "{crumbled}");
    assert!(begin.elapsed() < Duration::from_secs(40));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Whatever a server says, the reason is short and fit for a terminal.
    #[test]
    fn answers_of_any_bytes_are_judged(
        answer in prop::collection::vec(any::<u8>(), 0..2000),
    ) {
        let said = answer.clone();
        let tcp = raw(move |mut stream| {
            let _ = stream.read(&mut [0; 64]);
            let _ = stream.write_all(&said);
        });
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let udp = socket.local_addr().unwrap();
        thread::spawn(move || {
            let (_, from) = socket.recv_from(&mut [0; 64]).unwrap();
            socket.send_to(&answer, from).unwrap();
        });
        let expected = || Exchange::new("?", "what nobody says");
        for (probe, target) in [
            (Probe::tcp_exchange(expected()), tcp),
            (Probe::agent(AgentCheck::new().send("?")), tcp),
            (Probe::udp(expected()), udp),
        ] {
            if let Outcome::Failed(reason) = check(&probe, target) {
                assert!(reason.len() < 4096 && !reason.chars().any(char::is_control), "{reason}");
            }
        }
    }
}

//! Servers that answer a handshake with garbage.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::time::Instant;

use proptest::prelude::*;
use tokio::io::AsyncWriteExt as _;

use super::*;
use crate::health::probe::meter::{Meter, Metered};

/// Starts a server without TLS that answers the first bytes.
fn plain(serve: impl Fn(&mut TcpStream) + Send + 'static) -> SocketAddr {
    raw(move |mut stream| {
        let _ = stream.read(&mut [0; 4096]);
        serve(&mut stream);
    })
}

fn careless() -> TlsOptions {
    TlsOptions::new().without_verification()
}

/// Does a check that has to fail in time and with little memory. Returns the reason.
fn survives(probe: &Probe, address: SocketAddr) -> String {
    let begin = Instant::now();
    let mut outcome = None;
    let used = allocation_counter::measure(|| outcome = Some(check(probe, address)));
    assert!(begin.elapsed() < probe.timeout + Duration::from_secs(30));
    assert!(used.bytes_max < 512 * 1024, "{used:?}");
    let reason = reason(outcome.unwrap());
    assert!(reason.len() <= 1024 && !reason.chars().any(char::is_control), "{reason}");
    reason
}

/// A record of TLS 1.2.
fn record(kind: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).unwrap().to_be_bytes();
    [&[kind, 3, 3], &length[..], content].concat()
}

const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;

#[test]
fn garbage_fails_by_name() {
    let say = |bytes: Vec<u8>| {
        let address = plain(move |stream| drop(stream.write_all(&bytes)));
        survives(&ping(careless()), address)
    };
    let ssh = say(b"SSH-2.0-OpenSSH_9.2p1\r\n".to_vec());
    assert_eq!(ssh, "TLS: the server does not speak TLS: \"SSH-2.0-OpenSSH_9.2p1\\r\\n\"");
    assert!(say(b"\x1b[2J\x07".repeat(9)).starts_with("TLS: the server does not speak TLS: "));
    assert_eq!(say(record(ALERT, &[2, 40])), "TLS: the server sent the alert HandshakeFailure");
    for bytes in [
        Vec::new(),
        vec![HANDSHAKE],
        record(HANDSHAKE, &[]),
        record(HANDSHAKE, &[0xff; 16_000]),
        record(HANDSHAKE, &[2, 0, 0, 2, 3, 3]),
        record(ALERT, &[1; 2000]),
        record(23, &[0; 100]),
        [&[HANDSHAKE, 3, 3, 0xff, 0xff][..], &[0; 70_000]].concat(),
        // An answer in SSL 2.
        vec![0x80, 0x2e, 1, 0, 2, 0],
    ] {
        assert!(say(bytes.clone()).starts_with("TLS: "), "{bytes:?}");
    }
}

#[test]
fn floods_end() {
    // A server's hello of 16 MiB, in records of 1 to 16,000 bytes; and warnings.
    let long = [&[2, 0xff, 0xff, 0xff][..], &[3; 12_000]].concat();
    for (first, again) in [
        (record(HANDSHAKE, &long), record(HANDSHAKE, &[3; 16_000])),
        (record(HANDSHAKE, &long), record(HANDSHAKE, &[3])),
        (Vec::new(), record(ALERT, &[1, 0])),
        (Vec::new(), record(ALERT, &[1, 90])),
        (Vec::new(), record(20, &[1])),
    ] {
        let address = plain(move |stream| {
            let mut sent = stream.write_all(&first);
            while sent.is_ok() {
                sent = stream.write_all(&again.repeat(1 + 4096 / again.len()));
            }
        });
        let reason = survives(&ping(careless()), address);
        assert!(reason.starts_with("TLS: "), "{reason}");
    }
}

#[test]
fn silent_and_half_closed_servers_end() {
    let silent = plain(|stream| while stream.read(&mut [0; 64]).is_ok_and(|read| read > 0) {});
    let hasty = ping(careless()).timeout(Duration::from_millis(200));
    assert_eq!(survives(&hasty, silent), "timeout after 200 ms");
    let closed = plain(|stream| {
        stream.shutdown(Shutdown::Write).unwrap();
        while stream.read(&mut [0; 64]).is_ok_and(|read| read > 0) {}
    });
    assert_eq!(survives(&ping(careless()), closed), "TLS: the server closed the connection");
    let dripping = plain(|stream| {
        for byte in record(HANDSHAKE, &[2; 9000]) {
            thread::sleep(Duration::from_millis(10));
            if stream.write_all(&[byte]).is_err() {
                return;
            }
        }
    });
    assert_eq!(survives(&hasty, dripping), "timeout after 200 ms");
}

#[test]
fn a_chain_without_end_and_a_certificate_of_many_names_fail() {
    let authority = Authority::new();
    let names: Vec<_> = (0..1200).map(|at| format!("{at}.{}.example", "x".repeat(40))).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let many = authority.sign(&names, 30);
    let (address, _) = redis(&many.server(None, &[]));
    let reason = survives(&ping(trusting(&authority)), address);
    assert!(reason.starts_with("TLS: "), "{reason}");
    let mut chain = authority.sign(&["127.0.0.1"], 30);
    chain.certificate = chain.certificate.repeat(300);
    let (address, _) = redis(&chain.server(None, &[]));
    let reason = survives(&ping(trusting(&authority)), address);
    assert!(reason.starts_with("TLS: "), "{reason}");
    let some = authority.sign(&names[..20], 30);
    let (address, _) = redis(&some.server(None, &[]));
    let reason = survives(&ping(trusting(&authority)), address);
    assert!(
        reason.contains("not for 127.0.0.1, but for: ") && reason.ends_with(", ..."),
        "{reason}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn no_bytes_pass_or_panic(
        kind in prop::sample::select(vec![None, Some(ALERT), Some(HANDSHAKE), Some(20), Some(23)]),
        bytes in prop::collection::vec(any::<u8>(), 0..600),
    ) {
        let answer = kind.map_or(bytes.clone(), |kind| record(kind, &bytes));
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let (ours, mut theirs) = tokio::io::duplex(1 << 16);
            theirs.write_all(&answer).await.unwrap();
            theirs.shutdown().await.unwrap();
            let meter = Meter::new(1 << 16);
            let target = ([192, 0, 2, 1], 443).into();
            let stream = Metered::new(ours, &meter);
            let made = handshake(stream, &meter, target, None, &careless(), Application::Any).await;
            prop_assert!(made.is_err());
            Ok(())
        })?;
    }
}

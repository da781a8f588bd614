//! Servers that send what costs a client most. Each check ends in time, with little memory, and says
//! why.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use super::servers::{constant, head, raw};
use super::*;

/// The most memory that a check of a hostile server may hold at a time, in bytes: the longest head
/// twice, the body, and what the libraries need.
const MEMORY: u64 = 512 * 1024;

/// Does a check that has to fail in time and within the memory. Returns the reason.
pub(super) fn survives(check: HttpCheck, timeout: Duration, target: SocketAddr) -> String {
    let probe = Probe::http(check).timeout(timeout);
    let begin = Instant::now();
    let mut outcome = None;
    let used = allocation_counter::measure(|| {
        outcome = Some(crate::health::probe::tests::servers::check(&probe, target));
    });
    // Half a minute is the patience with a busy machine.
    assert!(begin.elapsed() < timeout + Duration::from_secs(30), "{:?}", begin.elapsed());
    assert!(used.bytes_max < MEMORY, "{used:?}");
    let reason = reason(outcome.unwrap());
    assert!(reason.len() < 1500 && !reason.chars().any(char::is_control), "{reason}");
    reason
}

const LONG: Duration = Duration::from_secs(30);
const SHORT: Duration = Duration::from_millis(200);

/// Starts a server that reads a request, sends `begin`, and then `again` for ever.
fn endless(begin: &'static str, again: &'static str) -> SocketAddr {
    let block = again.repeat(1 + 4096 / again.len());
    raw(move |mut stream| {
        let _ = head(&mut stream);
        let mut sent = stream.write_all(begin.as_bytes());
        while sent.is_ok() {
            sent = stream.write_all(block.as_bytes());
        }
    })
}

fn wants_body() -> HttpCheck {
    get("/").body_contains("ready")
}

#[test]
fn endless_heads_end() {
    let too_large = "HTTP/1.1: over 32 KiB or 256 headers, or an absurd length";
    for (begin, again) in [
        ("HTTP/1.1 200 OK\r\n", "x: y\r\n"),
        ("HTTP/1.1 200 OK\r\nx: ", "yyyyyyyy"),
        ("HTTP/1.1 200 ", "O"),
    ] {
        let reason = survives(wants_body(), LONG, endless(begin, again));
        assert_eq!(reason, too_large, "{begin:?}");
    }
    // Neither a name nor a colon comes.
    let nameless = survives(wants_body(), LONG, endless("HTTP/1.1 200 OK\r\n", "x"));
    assert_eq!(nameless, too_large);
}

#[test]
fn floods_of_interim_answers_end() {
    let target = endless("", "HTTP/1.1 100 Continue\r\n\r\n");
    let sent = "the server sent 320 KiB, more than a check reads";
    assert_eq!(survives(wants_body(), LONG, target), sent);
    assert_eq!(survives(get("/"), LONG, endless("", "HTTP/1.1 103 Early\r\nx: y\r\n\r\n")), sent);
}

#[test]
fn endless_bodies_end() {
    let searched = "the first 65536 bytes of the body do not contain";
    for (begin, again) in [
        ("HTTP/1.1 200 OK\r\ncontent-length: 9223372036854775807\r\n\r\n", "a"),
        ("HTTP/1.1 200 OK\r\n\r\n", "a"),
        ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", "400\r\n"),
        ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nfffffffffffffff\r\n", "a"),
        ("HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\n\r\n\x1f\u{b}\x08\0\0\0\0\0\0\x03", "\0"),
    ] {
        let begin: &'static str = begin;
        let again: &'static str = if again == "400\r\n" { chunk(1024) } else { again };
        let reason = survives(wants_body(), LONG, endless(begin, again));
        assert!(reason.starts_with(searched), "{begin:?}: {reason}");
        // The body is none of a check that asks nothing of it.
        assert_eq!(
            check(&Probe::http(get("/")).timeout(LONG), endless(begin, again)),
            Outcome::passed()
        );
    }
    let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    let tiny = survives(wants_body(), LONG, endless(chunked, "1\r\na\r\n"));
    assert_eq!(tiny, "the server sent 320 KiB, more than a check reads");
    for (begin, again) in [
        ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1;", "a"),
        ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n", "x: y\r\n"),
        ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", "0"),
    ] {
        let reason = survives(wants_body(), LONG, endless(begin, again));
        let known = ["HTTP/1.1: ", "the server sent 320 KiB"];
        assert!(known.iter().any(|known| reason.starts_with(known)), "{begin:?}: {reason}");
    }
}

fn chunk(length: usize) -> &'static str {
    format!("{length:x}\r\n{}\r\n", "a".repeat(length)).leak()
}

#[test]
fn slow_servers_run_into_the_timeout() {
    let dripping = raw(|mut stream| {
        let _ = head(&mut stream);
        let answer = "HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n".bytes();
        for byte in answer.chain(std::iter::repeat(b'a')) {
            std::thread::sleep(Duration::from_millis(10));
            if stream.write_all(&[byte]).is_err() {
                return;
            }
        }
    });
    for timeout in [SHORT, SHORT * 6] {
        let reason = survives(wants_body(), timeout, dripping);
        assert_eq!(reason, format!("timeout after {} ms", timeout.as_millis()));
    }
    let silent = raw(|mut stream| while stream.read(&mut [0; 64]).is_ok_and(|read| read > 0) {});
    for version in [HttpVersion::Http1, HttpVersion::Http2] {
        assert_eq!(survives(get("/").version(version), SHORT, silent), "timeout after 200 ms");
    }
}

#[test]
fn half_closed_connections_end() {
    let ended = |serve: fn(&mut TcpStream)| {
        raw(move |mut stream| {
            serve(&mut stream);
            stream.shutdown(Shutdown::Write).unwrap();
            // Stays until the client is gone.
            while stream.read(&mut [0; 64]).is_ok_and(|read| read > 0) {}
        })
    };
    let mute = ended(|_| {});
    let closed = survives(get("/"), LONG, mute);
    assert_eq!(closed, "HTTP/1.1: connection closed before message completed");
    let closed = survives(get("/").version(HttpVersion::Http2), LONG, mute);
    assert!(closed.starts_with("HTTP/2: "), "{closed}");
    let cut = ended(|stream| {
        let _ = head(stream);
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-le").unwrap();
    });
    let closed = survives(get("/"), LONG, cut);
    assert_eq!(closed, "HTTP/1.1: connection closed before message completed");
    let cut = ended(|stream| {
        let _ = head(stream);
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nread").unwrap();
    });
    let closed = survives(wants_body(), LONG, cut);
    assert!(closed.starts_with("HTTP/1.1: ") && closed.contains("end of file"), "{closed}");
}

#[test]
fn other_protocols_are_named_by_what_they_say() {
    for (banner, shown) in [
        ("SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n", "\"SSH-2.0-OpenSSH_9.2p1 Debian-2\\r\\n\""),
        ("220 mail.example.com ESMTP\r\n", "\"220 mail.example.com ESMTP\\r\\n\""),
        ("\x1b[2J\x1b]0;title\x07 is no answer\r\n\r\n", "\\u{1b}[2J"),
        ("HTTP/3.0 200 OK\r\n\r\n", "\"HTTP/3.0 200 OK"),
        ("HTTP/1.1 20 OK\r\n\r\n", "\"HTTP/1.1 20 OK"),
        ("\0\0\0\x04\0\0\0\0\0", "\"\\0\\0\\0\\u{4}"),
        ("\x15\x03\x01\0\x02\x02\x46", "\"\\u{15}\\u{3}"),
    ] {
        let target = constant(banner);
        let reason = survives(get("/"), LONG, target);
        let known = reason.starts_with("the answer is not HTTP/1.1") && reason.contains(shown);
        assert!(known, "{banner:?}: {reason}");
    }
    // These servers speak first.
    for _ in 0..5 {
        let greeting = raw(|mut stream| {
            stream.write_all(b"SSH-2.0-OpenSSH_9.2p1\r\n").unwrap();
            while stream.read(&mut [0; 64]).is_ok_and(|read| read > 0) {}
        });
        let reason = survives(get("/"), LONG, greeting);
        assert!(reason.starts_with("the answer is not HTTP/1.1: "), "{reason}");
        assert!(reason.ends_with("\"SSH-2.0-OpenSSH_9.2p1\\r\\n\""), "{reason}");
    }
    let old = raw(|mut stream| {
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap();
        while stream.read(&mut [0; 64]).is_ok_and(|read| read > 0) {}
    });
    let reason = survives(get("/").version(HttpVersion::Http2), LONG, old);
    assert!(reason.starts_with("the answer is not HTTP/2: \"HTTP/1.1 400"), "{reason}");
}

#[test]
fn contradicting_lengths_fail() {
    for head in [
        "content-length: 5\r\ncontent-length: 6",
        "content-length: -1",
        "content-length: 99999999999999999999999",
        "content-length: 18446744073709551614",
        "content-length: 5, 6",
    ] {
        let target = constant(format!("HTTP/1.1 200 OK\r\n{head}\r\n\r\nready"));
        let reason = survives(wants_body(), LONG, target);
        assert!(reason.contains("HTTP/1.1"), "{head}: {reason}");
    }
}

#[test]
fn what_a_server_says_is_shown_harmless_and_short() {
    let nasty = "\x1b[31m\u{202e}".repeat(1000);
    let location = "\t\u{9b}".repeat(7000);
    for answer in [
        format!("HTTP/1.1 200 OK\r\ncontent-encoding: {}\r\n\r\n{nasty}", "g".repeat(9000)),
        format!("HTTP/1.1 302 Found\r\nlocation: {location}\r\n\r\n"),
        format!("HTTP/1.1 302 Found\r\nlocation: http://{}/\r\n\r\n", "evil.".repeat(4000)),
    ] {
        survives(wants_body().redirects(3), LONG, constant(answer));
    }
}

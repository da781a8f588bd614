//! Servers that flood a client with frames of HTTP/2.

use std::io::Write as _;
use std::net::SocketAddr;
use std::time::Duration;

use super::hostile::survives;
use super::servers::raw;
use super::*;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const PRIORITY: u8 = 2;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PUSH_PROMISE: u8 = 5;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;
const CONTINUATION: u8 = 9;

const END_HEADERS: u8 = 4;

fn frame(kind: u8, flags: u8, stream: u8, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags, 0, 0, 0, stream], payload].concat()
}

/// Starts a server that sends its settings, `begin`, and then `again` for ever.
fn endless(begin: Vec<u8>, again: Vec<u8>) -> SocketAddr {
    let block = again.repeat(1 + 4096 / again.len().max(1));
    raw(move |mut stream| {
        let reads = stream.try_clone().unwrap();
        // Reads, so that the client can write.
        std::thread::spawn(move || std::io::copy(&mut &reads, &mut std::io::sink()));
        let _ = stream.write_all(&frame(SETTINGS, 0, 0, &[]));
        let mut sent = stream.write_all(&begin);
        while sent.is_ok() && !block.is_empty() {
            sent = stream.write_all(&block);
        }
        std::thread::sleep(Duration::from_millis(50));
    })
}

fn flooded(begin: Vec<u8>, again: Vec<u8>) -> String {
    let check = get("/").version(HttpVersion::Http2).body_contains("ready");
    survives(check, Duration::from_secs(30), endless(begin, again))
}

#[test]
fn floods_of_frames_end() {
    for (name, again) in [
        ("settings", frame(SETTINGS, 0, 0, &[])),
        ("large settings", frame(SETTINGS, 0, 0, &[0, 3, 0, 0, 0, 9].repeat(2000))),
        ("pings", frame(PING, 0, 0, &[7; 8])),
        ("priorities", frame(PRIORITY, 0, 3, &[0, 0, 0, 0, 9])),
        ("unknown frames", frame(77, 0, 0, &[1; 100])),
        ("empty data", frame(DATA, 0, 1, &[])),
        ("window updates", frame(WINDOW_UPDATE, 0, 0, &[0, 0, 0, 1])),
        ("resets", frame(RST_STREAM, 0, 3, &[0, 0, 0, 8])),
        ("pushes", frame(PUSH_PROMISE, END_HEADERS, 1, &[0, 0, 0, 2, 0x82])),
        ("interim answers", frame(HEADERS, END_HEADERS, 1, &[0x08, 3, b'1', b'0', b'0'])),
        ("empty", frame(HEADERS, 0, 1, &[])),
    ] {
        let reason = flooded(Vec::new(), again);
        let known = reason.starts_with("HTTP/2: ") || reason.starts_with("the server sent 320 KiB");
        assert!(known, "{name}: {reason}");
    }
}

#[test]
fn endless_and_swelling_headers_end() {
    let begin = frame(HEADERS, 0, 1, &[0x88]);
    for (name, again) in [
        ("empty continuations", frame(CONTINUATION, 0, 1, &[])),
        ("long continuations", frame(CONTINUATION, 0, 1, &[0x88; 16_000])),
        // A literal that is indexed, and then used again and again.
        (
            "bomb",
            frame(
                CONTINUATION,
                0,
                1,
                &[&[0x40, 1, b'x', 0x7f, 0xa1, 0x1e][..], &[b'y'; 4000], &[0xbe; 10_000]].concat(),
            ),
        ),
    ] {
        let reason = flooded(begin.clone(), again);
        let known = reason.starts_with("HTTP/2: ") || reason.starts_with("the server sent 320 KiB");
        assert!(known, "{name}: {reason}");
    }
}

#[test]
fn endless_bodies_end() {
    let begin = frame(HEADERS, END_HEADERS, 1, &[0x88]);
    let reason = flooded(begin.clone(), frame(DATA, 0, 1, &[b'a'; 1000]));
    // A server that ignores the window is noticed, too.
    let known = ["the first 65536 bytes of the body do not contain", "HTTP/2: "];
    assert!(known.iter().any(|known| reason.starts_with(known)), "{reason}");
    let reason = flooded(begin, frame(DATA, 0, 1, b"a"));
    let known = ["the server sent 320 KiB", "HTTP/2: "];
    assert!(known.iter().any(|known| reason.starts_with(known)), "{reason}");
}

#[test]
fn a_farewell_is_shown_harmless() {
    let farewell = [&[0, 0, 0, 0, 0, 0, 0, 11][..], &b"\x1b[2J\n".repeat(2000)].concat();
    let reason = flooded(frame(GOAWAY, 0, 0, &farewell), Vec::new());
    assert!(reason.starts_with("HTTP/2: ") && reason.contains("excessive load"), "{reason}");
    let too_large = [&[0xff, 0xff, 0xff, DATA, 0, 0, 0, 0, 1][..], &[0; 64]].concat();
    assert!(flooded(Vec::new(), too_large).starts_with("HTTP/2: "));
}

//! What hostile clients cannot do.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use exporter::server::{MOST_CONNECTIONS, MOST_SCRAPES, REQUEST_TIME};
use nix::sys::socket::{setsockopt, sockopt};

use crate::client::{PATIENCE, ask, connect, get};
use crate::server::{Exporter, reading};

/// Reads until the exporter closes the connection, and returns how many bytes came.
fn until_closed(stream: &mut TcpStream) -> usize {
    let mut bytes = Vec::new();
    match stream.read_to_end(&mut bytes) {
        Ok(_) => {}
        Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset),
    }
    bytes.len()
}

#[test]
fn a_slow_request_is_cut() {
    let exporter = Exporter::start(PATIENCE, || reading(1, 1, 1));
    let begun = Instant::now();
    let mut silent = connect(exporter.address);
    let mut slow = connect(exporter.address);
    let address = exporter.address;
    let writer = thread::spawn(move || {
        slow.write_all(b"GET /metrics HTTP/1.1\r\n").unwrap();
        // A byte now and then does not buy time.
        while begun.elapsed() < PATIENCE && slow.write_all(b"a").is_ok() {
            thread::sleep(Duration::from_millis(200));
        }
        begun.elapsed()
    });
    until_closed(&mut silent);
    assert!(begun.elapsed() >= REQUEST_TIME - Duration::from_millis(100));
    assert!(begun.elapsed() < PATIENCE / 2 && writer.join().unwrap() < PATIENCE / 2);
    assert_eq!(get(address, "/metrics", "").status, 200);
}

#[test]
fn a_huge_request_is_refused() {
    let exporter = Exporter::start(PATIENCE, || reading(1, 1, 1));
    let long = "x".repeat(1 << 20);
    let many: String = (0..5000).map(|n| format!("h{n}: x\r\n")).collect();
    for request in [
        format!("GET /{long} HTTP/1.1\r\nHost: x\r\n\r\n"),
        format!("GET /metrics HTTP/1.1\r\nHost: x\r\nA: {long}\r\n\r\n"),
        format!("GET /metrics HTTP/1.1\r\n{many}\r\n"),
        format!("{long}{long}"),
    ] {
        match ask(exporter.address, &request) {
            Ok(answer) => assert!((400..500).contains(&answer.status), "{}", answer.head),
            // The exporter has closed while the request was being written.
            Err(error) => assert!(!error.to_string().contains("200 OK"), "{error}"),
        }
    }
    assert_eq!(get(exporter.address, "/metrics", "").status, 200);
}

#[test]
fn what_is_not_http_is_closed() {
    let exporter = Exporter::start(PATIENCE, || reading(1, 1, 1));
    for bytes in
        [&b"\x16\x03\x01\x02\x00\x01"[..], b"\0\0\0\0\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"]
    {
        let mut stream = connect(exporter.address);
        stream.write_all(bytes).unwrap();
        until_closed(&mut stream);
    }
    assert_eq!(get(exporter.address, "/healthz", "").status, 200);
}

#[test]
fn idle_connections_make_others_wait_and_no_longer_than_a_request_may_take() {
    let exporter = Exporter::start(PATIENCE, || reading(1, 1, 1));
    let idle: Vec<_> = (0..MOST_CONNECTIONS + 40).map(|_| connect(exporter.address)).collect();
    let begun = Instant::now();
    assert_eq!(get(exporter.address, "/metrics", "").status, 200);
    assert!(begun.elapsed() < REQUEST_TIME * 5, "{:?}", begun.elapsed());
    drop(idle);
}

#[test]
fn clients_that_do_not_read_are_cut_and_their_places_free() {
    let large = Arc::new(AtomicBool::new(true));
    let is_large = Arc::clone(&large);
    let exporter = Exporter::start(Duration::from_secs(2), move || {
        // More than what the kernel's buffers for the sockets take.
        reading(if is_large.load(Ordering::Relaxed) { 50 } else { 1 }, 100, 1)
    });
    let begun = Instant::now();
    let lazy: Vec<_> = (0..MOST_SCRAPES)
        .map(|_| {
            let mut stream = connect(exporter.address);
            setsockopt(&stream, sockopt::RcvBuf, &4096).unwrap();
            stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
            stream
        })
        .collect();
    thread::sleep(Duration::from_millis(500));
    let answer = get(exporter.address, "/metrics", "");
    assert_eq!((answer.status, &*answer.text), (503, "too many scrapes at once\n"));
    large.store(false, Ordering::Relaxed);
    loop {
        assert!(begun.elapsed() < PATIENCE);
        thread::sleep(Duration::from_millis(500));
        match ask(exporter.address, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n") {
            Ok(answer) if answer.status == 200 => break,
            _ => {}
        }
    }
    drop(lazy);
}

#[test]
fn clients_that_do_not_read_and_come_back_starve_nobody() {
    let exporter = Exporter::start(Duration::from_secs(4), || reading(50, 100, 1));
    let (address, over) = (exporter.address, AtomicBool::new(false));
    thread::scope(|scope| {
        let over = &over;
        for number in 0..6 {
            scope.spawn(move || {
                thread::sleep(Duration::from_millis(number * 500));
                let mut held = Vec::new();
                while !over.load(Ordering::Relaxed) {
                    let mut stream = connect(address);
                    setsockopt(&stream, sockopt::RcvBuf, &4096).unwrap();
                    stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
                    held.push(stream);
                    thread::sleep(Duration::from_secs(3));
                }
            });
        }
        // All readings that fit in memory are taken.
        thread::sleep(Duration::from_secs(3));
        let statuses: Vec<_> = (0..3).map(|_| get(address, "/metrics", "").status).collect();
        over.store(true, Ordering::Relaxed);
        assert_eq!(statuses, [200; 3]);
    });
}

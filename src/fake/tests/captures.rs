//! Every captured request gets the answer that the real kernel gave, byte for byte.

use std::fs;
use std::path::Path;

use crate::fake::{Errno, Kernel, Namespace, Socket, Version};
use crate::model::{Change, Scheduler, Service};

/// One file of `tests/fixtures`.
pub(super) struct Capture {
    pub(super) name: String,
    pub(super) sent: Vec<Vec<u8>>,
    pub(super) received: Vec<Vec<u8>>,
}

fn unhex(text: &str) -> Vec<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).unwrap();
    let pair = |pair: &[u8]| u8::try_from(digit(pair[0]) * 16 + digit(pair[1])).unwrap();
    text.trim().as_bytes().chunks(2).map(pair).collect()
}

/// The files of a kernel in their order.
pub(super) fn captures(kernel: &str) -> Vec<Capture> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let prefix = format!("{kernel}-");
    let mut paths: Vec<_> = names
        .filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with(&prefix))
        .collect();
    paths.sort();
    let read = |path: &std::path::PathBuf| {
        let text = fs::read_to_string(path).unwrap();
        let lines = |mark: &'static str| {
            text.lines().filter_map(move |it| it.strip_prefix(mark)).map(unhex)
        };
        let name = path.file_stem().unwrap().to_str().unwrap();
        Capture {
            name: name.trim_start_matches(&prefix).to_owned(),
            sent: lines("> ").collect(),
            received: lines("< ").collect(),
        }
    };
    paths.iter().map(read).collect()
}

/// Replaces the family in the messages of a datagram, or the port, or both.
pub(super) fn with(datagram: &[u8], family: Option<(u16, u16)>, port: Option<u32>) -> Vec<u8> {
    let mut bytes = datagram.to_vec();
    let mut at = 0;
    while at + 16 <= bytes.len() {
        let length = u32::from_ne_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
        let kind = u16::from_ne_bytes(bytes[at + 4..at + 6].try_into().unwrap());
        let mut headers = vec![at];
        if kind == 2 && length >= 36 {
            headers.push(at + 20);
        }
        for header in headers {
            let kind = u16::from_ne_bytes(bytes[header + 4..header + 6].try_into().unwrap());
            if let Some((_, new)) = family.filter(|(old, _)| *old == kind) {
                bytes[header + 4..header + 6].copy_from_slice(&new.to_ne_bytes());
            }
        }
        if let Some(port) = port {
            bytes[at + 12..at + 16].copy_from_slice(&port.to_ne_bytes());
        }
        at += length.next_multiple_of(4).max(16);
    }
    bytes
}

pub(super) fn receive(socket: &Socket) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    let mut buffer = vec![0; 65_536];
    loop {
        match socket.receive(&mut buffer) {
            Ok(length) => all.push(buffer[..length].to_vec()),
            Err(errno) => {
                assert_eq!(errno, Errno::AGAIN);
                return all;
            }
        }
    }
}

pub(super) fn socket(host: &Namespace, extended: bool, capped: bool) -> Socket {
    let socket = host.socket().unwrap();
    socket.set_extended_acknowledgements(extended);
    socket.set_capped_acknowledgements(capped);
    socket
}

/// What a capture needs beside the sequence of requests before it.
fn prepare(host: &Namespace, name: &str) {
    let add = |address: String| {
        let service = Service::tcp(address.parse().unwrap());
        let service = service.scheduler(Scheduler::ROUND_ROBIN);
        host.write(&Change::AddService(service)).unwrap();
    };
    match name.get(..3).unwrap() {
        "080" => host.set_interface("d0".parse().unwrap(), 1500, true),
        "090" => (0..40).for_each(|it| add(format!("198.51.100.{it}:{}", 8000 + it))),
        "091" => add("10.0.0.1:80".to_owned()),
        _ => {}
    }
}

/// Runs the numbered captures, and returns the name of the first one with another answer.
fn replay(version: Version, family: u16, seed: u8, captures: &[Capture]) -> Option<String> {
    let kernel = Kernel::with_version(version);
    let host = kernel.initial();
    host.set_hash_seed(seed);
    let usual = socket(&host, true, true);
    for capture in captures {
        prepare(&host, &capture.name);
        let fresh = match capture.name.as_str() {
            "065-err-extack-nocap" => Some(socket(&host, true, false)),
            "066-err-noextack-nocap" => Some(socket(&host, false, false)),
            name if name.starts_with("090") || name.starts_with("071") => {
                Some(socket(&host, true, true))
            }
            _ => None,
        };
        kernel.set_privileged(!capture.name.starts_with("072"));
        if let Some(socket) = fresh.as_ref().filter(|_| !capture.name.starts_with("090")) {
            // The program had looked the family up over this socket.
            socket.send(&captures.first().unwrap().sent[0]).unwrap();
            receive(socket);
        }
        let socket = fresh.as_ref().unwrap_or(&usual);
        for datagram in &capture.sent {
            socket.send(&with(datagram, Some((family, 28)), None)).unwrap();
        }
        kernel.advance(std::time::Duration::from_millis(5));
        let port = Some(socket.port());
        let ours = receive(socket).iter().map(|it| with(it, None, port)).collect::<Vec<_>>();
        let theirs = capture.received.iter();
        let mut theirs = theirs.map(|it| with(it, Some((family, 28)), port)).collect::<Vec<_>>();
        if capture.name.starts_with("001") {
            // The id of the family is in the 36th byte.
            assert_eq!(theirs[0][36..38], family.to_ne_bytes());
            theirs[0][36..38].copy_from_slice(&28_u16.to_ne_bytes());
        }
        if ours != theirs {
            let hex = |all: &[Vec<u8>]| {
                let line = |it: &Vec<u8>| it.iter().map(|byte| format!("{byte:02x}")).collect();
                all.iter().map(line).collect::<Vec<String>>().join("\n< ")
            };
            let name = &capture.name;
            return Some(format!("{name}\nfake\n< {}\nreal\n< {}", hex(&ours), hex(&theirs)));
        }
    }
    None
}

fn replays(version: Version, kernel: &str, family: u16) {
    let mut captures = captures(kernel);
    captures.retain(|capture| capture.name.starts_with(|it: char| it.is_ascii_digit()));
    assert_eq!(captures.len(), 92);
    let mut furthest = String::new();
    for seed in 0..=255 {
        match replay(version, family, seed, &captures) {
            None => return,
            Some(name) => furthest = furthest.max(name),
        }
    }
    panic!("no seed of the hash gives all answers: {furthest}");
}

#[test]
fn of_user_mode_linux_6_1() {
    replays(Version::V6_1, "k61", 28);
}

#[test]
fn of_linux_6_12() {
    replays(Version::V6_12, "k612", 34);
}

/// The batches, which stand alone.
fn batches(version: Version, kernel: &str, family: u16) {
    let mut seen = 0;
    for capture in captures(kernel).iter().filter(|capture| capture.name.starts_with("tr-batch")) {
        let kernel = Kernel::with_version(version);
        let answer = replay_one(&kernel, family, capture);
        assert_eq!(answer.0, answer.1, "{}", capture.name);
        seen += 1;
    }
    assert_eq!(seen, 1);
}

/// What the fake kernel and the real one answer.
fn replay_one(kernel: &Kernel, family: u16, capture: &Capture) -> (Vec<Vec<u8>>, Vec<Vec<u8>>) {
    let socket = socket(&kernel.initial(), true, true);
    for datagram in &capture.sent {
        socket.send(&with(datagram, Some((family, 28)), None)).unwrap();
    }
    let port = Some(socket.port());
    let theirs = capture.received.iter().map(|it| with(it, Some((family, 28)), port));
    (receive(&socket), theirs.collect())
}

#[test]
fn of_batches() {
    batches(Version::V6_1, "k61", 28);
    batches(Version::V6_12, "k612", 34);
}

/// The backup that is stopped at once gives no answer on Linux 6.1.
#[test]
fn of_a_daemon_that_is_stopped_at_once() {
    let captures = captures("k61");
    let capture = captures.iter().find(|it| it.name == "tr-del-daemon-lost-ack").unwrap();
    let kernel = Kernel::with_version(Version::V6_1);
    kernel.initial().set_interface("d0".parse().unwrap(), 1500, true);
    let (ours, theirs) = replay_one(&kernel, 28, capture);
    assert_eq!(ours, theirs);
    assert!(kernel.initial().daemons().is_empty());
}

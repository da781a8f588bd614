//! The end: what is under way is answered, and nobody holds it up.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use exporter::server::{END_TIME, REQUEST_TIME};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::client::{PATIENCE, connect};
use crate::server::{Exporter, reading};

#[test]
fn the_end_waits_for_answers_under_way() {
    let mut exporter = Exporter::start(PATIENCE, || {
        thread::sleep(Duration::from_secs(1));
        reading(100, 10, 1)
    });
    let address = exporter.address;
    let mut under_way = connect(address);
    under_way
        .write_all(b"GET /metrics HTTP/1.0\r\nAccept: application/openmetrics-text\r\n\r\n")
        .unwrap();
    thread::sleep(Duration::from_millis(300));
    exporter.end();
    let mut answer = String::new();
    under_way.read_to_string(&mut answer).unwrap();
    assert!(answer.contains(" 200 OK") && answer.ends_with("# EOF\n"), "{answer:.300}");
    let begun = Instant::now();
    while !exporter.has_ended() {
        assert!(begun.elapsed() < PATIENCE);
        thread::sleep(Duration::from_millis(10));
    }
    TcpStream::connect(address).unwrap_err();
}

#[test]
fn the_end_does_not_wait_for_slow_clients_and_readings() {
    let mut exporter = Exporter::start(10 * PATIENCE, || {
        thread::sleep(END_TIME * 4);
        reading(1, 1, 1)
    });
    let mut under_way = connect(exporter.address);
    under_way.write_all(b"GET /metrics HTTP/1.0\r\n\r\n").unwrap();
    thread::sleep(Duration::from_millis(200));
    let begun = Instant::now();
    exporter.end();
    let mut answer = Vec::new();
    let _ = under_way.read_to_end(&mut answer);
    assert_eq!(String::from_utf8_lossy(&answer), "", "there was no reading");
    assert!((END_TIME / 2..END_TIME * 3).contains(&begun.elapsed()), "{:?}", begun.elapsed());
}

/// The program, which is killed if the test fails.
struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_second_signal_ends_at_once() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_exporter"));
    command.args(["--listen", "127.0.0.1:0"]).stderr(Stdio::piped());
    let mut program = Program(command.spawn().unwrap());
    let mut line = String::new();
    BufReader::new(program.0.stderr.take().unwrap()).read_line(&mut line).unwrap();
    let address = line.split("http://").nth(1).unwrap().split('/').next().unwrap();
    // Without a second signal, the end waits for the rest of its request.
    let mut slow = connect(address.parse().unwrap());
    slow.write_all(b"GET /healthz HTTP/1.1\r\n").unwrap();
    let begun = Instant::now();
    thread::sleep(Duration::from_millis(200));
    let process = Pid::from_raw(program.0.id().try_into().unwrap());
    kill(process, Signal::SIGTERM).unwrap();
    thread::sleep(Duration::from_millis(200));
    assert_eq!(program.0.try_wait().unwrap(), None, "the first signal waits for requests");
    kill(process, Signal::SIGINT).unwrap();
    assert_eq!(program.0.wait().unwrap().code(), Some(0));
    assert!(begun.elapsed() < REQUEST_TIME - Duration::from_millis(300), "{:?}", begun.elapsed());
    drop(slow);
}

//! Clients that do what no client should.

use std::io::Write;
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use director::control::limits::Limits;

use crate::desk::{Client, Desk, status};

const RELOAD: &str = "{\"version\":1,\"order\":\"reload\"}\n";
const STATUS: &str = "{\"version\":1,\"order\":\"status\"}\n";

fn quick() -> Limits {
    let second = Duration::from_secs(1);
    Limits { request_time: second, stall: second, ..Limits::DAEMON }
}

/// The daemon still takes orders of root.
fn assert_alive(desk: &Desk) {
    assert_eq!(desk.client().write(STATUS).kind().as_deref(), Some("status"));
}

#[test]
fn a_client_that_goes_at_any_byte_orders_nothing_or_once() {
    let desk = Desk::start("cut", Limits::DAEMON, status(1));
    for end in 0..RELOAD.len() {
        let mut client = desk.client();
        client.write(&RELOAD[..end]);
        if end % 2 == 0 {
            client.stream.get_mut().shutdown(Shutdown::Write).unwrap();
            assert_eq!(client.read(), None, "{end}");
        }
    }
    assert_alive(&desk);
    assert_eq!(desk.orders(), []);
    // A whole request is carried out even if the client does not wait.
    desk.client().write(RELOAD);
    let end = Instant::now() + Duration::from_secs(20);
    let mut orders = 0;
    while orders == 0 && Instant::now() < end {
        orders += desk.orders().len();
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_alive(&desk);
    assert_eq!(orders + desk.orders().len(), 1);
}

#[test]
fn half_a_request_has_its_time_and_no_more() {
    let desk = Desk::start("half", quick(), status(1));
    let begin = Instant::now();
    let mut client = desk.client();
    assert_eq!(client.write(&RELOAD[..10]).kind().as_deref(), Some("too-slow"));
    assert!(begin.elapsed() >= Duration::from_secs(1));
    assert_eq!(client.read(), None);
    // A byte now and then does not help.
    let begin = Instant::now();
    let client = desk.client();
    let mut writer = client.stream.get_ref().try_clone().unwrap();
    while writer.write_all(b"{").is_ok() {
        std::thread::sleep(Duration::from_millis(50));
        assert!(begin.elapsed() < Duration::from_secs(20));
    }
    assert_eq!(desk.orders(), []);
}

#[test]
fn what_is_no_request_is_refused_with_a_reason() {
    let desk = Desk::start("garbage", Limits::DAEMON, status(1));
    let mut client = desk.client();
    for (line, expected) in [
        (&b"\n"[..], "malformed"),
        (b"\xff\xfe\x00{}\n", "malformed"),
        (b"{\"version\":1,\"order\":\"reload\",\"force\":true}\n", "malformed"),
        (b"{\"version\":7,\"order\":\"reload\"}\n", "unknown-version"),
        (b"{\"version\":1,\"order\":\"restart\"}\n", "unknown-order"),
    ] {
        assert_eq!(client.write(line).kind().as_deref(), Some(expected));
    }
    let nested = format!("{{\"version\":1,\"order\":{}\n", "[".repeat(4000));
    assert_eq!(client.write(nested).kind().as_deref(), Some("malformed"));
    // After all of that the connection is as good as new.
    assert_eq!(client.write(STATUS).kind().as_deref(), Some("status"));
    assert_eq!(desk.orders(), []);

    let answer = client.write("{\"version\":7}\n").read().unwrap();
    assert_eq!(answer["versions"], serde_json::json!([1]));
    let answer = client.write("{\"version\":1,\"order\":\"x\"}\n").read().unwrap();
    assert_eq!(answer["orders"].as_array().unwrap().len(), 7);
}

#[test]
fn a_huge_request_is_refused_before_it_is_read() {
    let desk = Desk::start("huge", Limits::DAEMON, status(1));
    let mut client = desk.client();
    let mut writer = client.stream.get_ref().try_clone().unwrap();
    // The server closes the connection, so the writer learns that it is not read.
    let written = (0..100_000).take_while(|_| writer.write_all(&[b'x'; 4096]).is_ok()).count();
    assert!(written < 1000, "{written}");
    assert_eq!(client.kind().as_deref(), Some("too-long"));
    assert_eq!(client.read(), None);
    assert_alive(&desk);
}

#[test]
fn requests_in_one_piece_are_answered_in_their_order() {
    let desk = Desk::start("pipelined", Limits::DAEMON, status(1));
    let mut client = desk.client();
    let requests = format!("{RELOAD}{STATUS}nonsense\n").repeat(50);
    client.write(requests);
    for _ in 0..50 {
        for expected in ["done", "status", "malformed"] {
            assert_eq!(client.kind().as_deref(), Some(expected));
        }
    }
    assert_eq!(desk.orders().len(), 50);
}

#[test]
fn a_client_that_never_reads_blocks_nobody() {
    // Long enough to be told from a slow machine.
    let stall = Duration::from_secs(6);
    let desk = Desk::start("deaf", Limits { stall, ..quick() }, status(5000));
    let deaf: Vec<UnixStream> = (0..Limits::DAEMON.states)
        .map(|_| {
            let mut stream = UnixStream::connect(desk.folder.socket()).unwrap();
            stream.set_nonblocking(true).unwrap();
            while stream.write(STATUS.as_bytes()).is_ok() {}
            stream
        })
        .collect();
    // Other orders do not wait for those answers, and another state waits for one of them only.
    let begin = Instant::now();
    assert_eq!(desk.client().write(RELOAD).kind().as_deref(), Some("done"));
    assert!(begin.elapsed() < stall - Duration::from_secs(1), "{:?}", begin.elapsed());
    assert_alive(&desk);
    drop(deaf);
}

#[test]
fn thousands_of_connections_leave_the_daemon_alone() {
    let desk = Desk::start("crowd", quick(), status(1));
    let path = desk.folder.socket();
    let (mut held, mut refused) = (Vec::new(), 0);
    for _ in 0..3000 {
        let mut client = Client::connect(&path);
        client.stream.get_mut().set_nonblocking(true).unwrap();
        held.push(client);
        if held.len() > 500 {
            refused += usize::from(is_refused(&mut held.remove(0)));
        }
    }
    std::thread::sleep(Duration::from_millis(300));
    for client in &mut held {
        refused += usize::from(is_refused(client));
    }
    // A place is free again after a second, so on a slow machine more clients get one.
    assert!(refused >= 2000, "{refused} of 3000");
    // Those that hold a place and say nothing lose it.
    std::thread::sleep(Duration::from_millis(1300));
    assert_alive(&desk);
    assert_eq!(desk.orders(), []);
}

fn is_refused(client: &mut Client) -> bool {
    use std::io::BufRead;
    let mut line = String::new();
    client.stream.read_line(&mut line).is_ok() && line.contains("\"busy\"")
}

#[test]
fn the_socket_for_reading_changes_nothing() {
    let desk = Desk::start("rights", Limits::DAEMON, status(1));
    let mut client = Client::connect(&desk.folder.status_socket());
    assert_eq!(client.write(RELOAD).kind().as_deref(), Some("not-allowed"));
    let maintain =
        r#"{"version":1,"order":"maintain","kind":"drain","destination":"10.0.0.1:80"}"#.to_owned();
    assert_eq!(client.write(maintain + "\n").kind().as_deref(), Some("not-allowed"));
    assert_eq!(client.write(STATUS).kind().as_deref(), Some("status"));
    assert_eq!(desk.orders(), []);
}

#[test]
fn an_order_waits_for_the_daemon_that_ends_and_is_told() {
    let mut desk = Desk::start("end", Limits::DAEMON, status(1));
    let mut client = desk.client();
    assert_eq!(client.write(STATUS).kind().as_deref(), Some("status"));
    desk.stop();
    assert!(!desk.folder.socket().exists());
    assert!(matches!(client.kind().as_deref(), None | Some("stopping")));
}

//! The commands, as people run them.

use std::io::{BufRead, BufReader};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use director::control::limits::Limits;
use director::control::protocol::Order;
use director::status::{DestinationState, Status};

use crate::desk::{Desk, Folder, status};

fn director(folder: &Folder, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_director"));
    command.args(arguments).env("DIRECTOR_SOCKET", folder.socket()).env("TZ", "UTC");
    command
}

fn run(desk: &Desk, arguments: &[&str]) -> Output {
    director(&desk.folder, arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Returns a state whose destination is down.
fn down() -> Status {
    let mut status = status(2);
    let down = &mut status.services[0].destinations[0];
    down.state = DestinationState::Down;
    down.reason = "3 of 3 failed, connection refused".to_owned();
    down.in_table = None;
    status
}

#[test]
fn orders_arrive_as_they_are_given() {
    let desk = Desk::start("orders", Limits::DAEMON, status(1));
    let destination = "10.0.0.1:80".parse().unwrap();
    let service = Some("TCP 192.0.2.10:80".parse().unwrap());
    for (arguments, expected) in [
        (
            &["weight", "10.0.0.1:80", "7"][..],
            Order::Weight { service: None, destination, weight: Some(7) },
        ),
        (
            &["weight", "10.0.0.1:80", "file", "--service", "TCP 192.0.2.10:80"],
            Order::Weight { service, destination, weight: None },
        ),
        (&["check-now", "10.0.0.1:80"], Order::CheckNow(destination)),
        (&["reload"], Order::Reload),
        (
            &["maintenance", "off", "10.0.0.1:80"],
            Order::EndMaintenance { service: None, destination },
        ),
        (
            &["drain", "10.0.0.1:80", "--for", "1h30m", "--by", "alice: new disk"],
            Order::Maintain {
                service: None,
                destination,
                kind: ipvs_netlink::health::MaintenanceKind::Drain,
                by: "alice: new disk".to_owned(),
                lasts: Some(Duration::from_secs(5400)),
            },
        ),
    ] {
        let output = run(&desk, arguments);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", text(&output.stderr));
        assert_eq!(text(&output.stdout), "done\n");
        let orders = desk.orders();
        assert_eq!(orders[0].0, expected);
        assert!(orders[0].1.contains("(process "), "{}", orders[0].1);
    }
    // Without a name, the daemon's server says who it is.
    run(&desk, &["maintenance", "on", "10.0.0.1:80"]);
    let [(Order::Maintain { by, lasts: None, .. }, user)] = &desk.orders()[..] else { panic!() };
    assert!(!by.is_empty() && user.starts_with(by.as_str()), "{by}, {user}");
}

#[test]
fn the_state_is_shown_to_people_and_to_programs() {
    let desk = Desk::start("shown", Limits::DAEMON, down());
    let output = run(&desk, &["status"]);
    let shown = text(&output.stdout);
    let (down, up) = (shown.find("10.0.0.1:80").unwrap(), shown.find("10.0.0.2:80").unwrap());
    assert!(down < up && shown.contains(": 3 of 3 failed, connection refused\n"), "{shown}");
    assert!(!shown.contains('\x1b'));
    let output = run(&desk, &["status", "--json", "--destination", "10.0.0.2:80"]);
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["services"][0]["destinations"][0]["destination"], "10.0.0.2:80");
    assert_eq!(json["services"][0]["destinations"][1], serde_json::Value::Null);
}

#[test]
fn events_are_followed_after_the_troubles() {
    let desk = Desk::start("live", Limits::DAEMON, down());
    let mut child = director(&desk.folder, &["events"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let troubles: Vec<String> =
        lines.by_ref().take_while(|line| !line.contains("down since")).collect();
    assert!(troubles[0].starts_with("director since"), "{troubles:?}");
    desk.event("something");
    let event = lines.find(|line| line.ends_with("something")).unwrap();
    assert!(event.contains(" test"), "{event}");
    // Whoever reads closes the pipe: the program ends at the next event.
    drop(lines);
    let end = Instant::now() + Duration::from_secs(20);
    while child.try_wait().unwrap().is_none() {
        assert!(Instant::now() < end);
        desk.event("more");
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn failures_say_what_to_do_and_have_codes() {
    let folder = Folder::new("nobody");
    let output = director(&folder, &["status"]).output().unwrap();
    assert_eq!(output.status.code(), Some(6));
    let said = text(&output.stderr);
    assert!(
        said.contains("control.sock: No such file") && said.contains("Is the daemon"),
        "{said}"
    );
    // A daemon that was killed leaves its socket.
    drop(std::os::unix::net::UnixListener::bind(folder.socket()).unwrap());
    let output = director(&folder, &["reload"]).output().unwrap();
    assert_eq!(output.status.code(), Some(6));
    // A daemon that stands still.
    std::fs::remove_file(folder.socket()).unwrap();
    let _still = std::os::unix::net::UnixListener::bind(folder.socket()).unwrap();
    let output = director(&folder, &["reload", "--timeout", "1"]).output().unwrap();
    assert_eq!(output.status.code(), Some(7), "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("not known whether"), "{}", text(&output.stderr));
    for arguments in [
        &["drain", "localhost:80"][..],
        &["drain", "10.0.0.1:80", "--for", "never"],
        &["weight", "10.0.0.1:80", "-1"],
        &["maintenance", "maybe", "10.0.0.1:80"],
        &["drain", "10.0.0.1:80", "--wait-at-most", "1m"],
    ] {
        assert_eq!(director(&folder, arguments).output().unwrap().status.code(), Some(2));
    }
}

#[test]
fn another_version_and_a_refusal_are_told_apart() {
    use std::io::Write;
    let folder = Folder::new("strange");
    let listener = std::os::unix::net::UnixListener::bind(folder.socket()).unwrap();
    let answers = [
        r#"{"version":2,"answer":"fine"}"#,
        r#"{"version":1,"answer":"refused","lines":["no service has it","really"]}"#,
        r#"{"version":1,"answer":"error","error":"brand-new","text":"no \u001b[2J idea","more":1}"#,
        "garbage",
        "",
    ];
    let server = std::thread::spawn(move || {
        for answer in answers {
            let (stream, _) = listener.accept().unwrap();
            let mut stream = BufReader::new(stream);
            stream.read_line(&mut String::new()).unwrap();
            if !answer.is_empty() {
                writeln!(stream.get_mut(), "{answer}").unwrap();
            }
        }
    });
    let expected = [
        (1, "speaks version 2"),
        (5, "nothing was changed: no service has it"),
        (1, "no \\u{1b}[2J idea (brand-new)"),
        (1, "malformed"),
        (7, "before it answered; it is not known whether"),
    ];
    for (code, expected) in expected {
        let output = director(&folder, &["reload"]).output().unwrap();
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{said}");
        assert!(said.contains(expected), "{said}");
    }
    server.join().unwrap();
}

#[test]
fn an_order_that_is_not_saved_is_told_on_standard_error_and_by_the_exit_code() {
    use std::io::Write;
    let folder = Folder::new("unsaved");
    let listener = std::os::unix::net::UnixListener::bind(folder.socket()).unwrap();
    let server = std::thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let mut stream = BufReader::new(stream);
        stream.read_line(&mut String::new()).unwrap();
        let answer = r#"{"version":1,"answer":"done","lines":["drained until 2020-11-28T12:03:04.000Z"],"not_saved":"disk full"}"#;
        writeln!(stream.get_mut(), "{answer}").unwrap();
    });
    let output = director(&folder, &["drain", "10.0.0.1:80"]).output().unwrap();
    assert_eq!(output.status.code(), Some(10));
    assert_eq!(text(&output.stdout), "drained until 2020-11-28 12:03:04\n");
    let said = text(&output.stderr);
    assert!(said.contains("not saved") && said.contains("disk full"), "{said}");
    server.join().unwrap();
}

#[test]
fn the_state_of_10_000_destinations_is_soon_there() {
    let desk = Desk::start("many", Limits::DAEMON, status(10_000));
    let begin = Instant::now();
    let output = run(&desk, &["status"]);
    assert_eq!(text(&output.stdout).lines().count(), 10_004);
    // Without optimization, on a machine that does other things: it must not be quadratic.
    assert!(begin.elapsed() < Duration::from_secs(20), "{:?}", begin.elapsed());
    let output = run(&desk, &["status", "--json"]);
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["services"][0]["destinations"].as_array().unwrap().len(), 10_000);
}

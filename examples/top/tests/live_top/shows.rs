//! What the program shows is what was sent.

use std::net::{SocketAddr, UdpSocket};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::greeting::{Connection, serve};
use crate::network::Namespace;
use crate::scene::{DNS, LOCAL, Scene, WEB, server};
use crate::tmux::{PATIENCE, Tmux};

/// Bytes of a question, and of the headers of a datagram.
const QUESTION: usize = 100;
const HEADERS: usize = 28;

/// Sends so many datagrams, each from a port of its own, and gets answers of half the length.
fn ask(home: &Namespace, count: usize) {
    let names = home.run(|| UdpSocket::bind(server(5300))).unwrap();
    for _ in 0..count {
        let client = home.run(|| UdpSocket::bind(SocketAddr::new(LOCAL, 0))).unwrap();
        client.set_read_timeout(Some(PATIENCE)).unwrap();
        client.send_to(&[0; QUESTION], DNS).unwrap();
        let (length, from) = names.recv_from(&mut [0; 200]).unwrap();
        assert_eq!(length, QUESTION);
        names.send_to(&[0; QUESTION / 2], from).unwrap();
        assert_eq!(client.recv(&mut [0; 200]).unwrap(), QUESTION / 2);
    }
}

/// The words of the line about a service.
fn row(screen: &str, service: &str) -> Vec<String> {
    let line = screen.lines().find(|line| line.contains(service)).unwrap_or_default();
    line.split_whitespace().map(str::to_owned).collect()
}

#[test]
fn the_screens_show_what_was_sent() {
    let scene = Scene::new();
    let _servers = [8000, 8001].map(|port| serve(&scene.home, server(port), "x").unwrap());
    let tmux = Tmux::start(&scene.home, 200, 60);
    tmux.top("--forget --sort service");
    ask(&scene.home, 4);
    let visit = || Connection::open(&scene.home, LOCAL, WEB, PATIENCE).unwrap();
    for _ in 0..3 {
        visit().close().unwrap();
    }
    let open = [visit(), visit()];

    // Service, scheduler, up, drained, overloaded, dead, active, inactive, ..., counted.
    let counted = |screen: &str, service: &str, count: &str| {
        row(screen, service).get(14).map(String::as_str) == Some(count)
    };
    let screen = tmux.wait_for("counters", |screen| {
        counted(screen, "TCP 127.0.0.80:80", "5") && counted(screen, "UDP 127.0.0.80:53", "4")
    });
    let web = row(&screen, "TCP 127.0.0.80:80");
    assert_eq!(web[2..9], ["rr", "2", "-", "-", "-", "2", "3"], "{screen}");
    assert_eq!(row(&screen, "TCP 127.0.0.80:25")[3], "0", "{screen}");

    // The service of names, to the byte.
    tmux.press("G");
    tmux.press("Enter");
    let (sent, received) = (4 * (QUESTION + HEADERS), 4 * (QUESTION / 2 + HEADERS));
    let screen = tmux.wait_text("counted: 4 connections");
    let expected = format!("in 4 packets {sent} bytes  out 4 packets {received} bytes");
    assert!(screen.contains(&expected), "{screen}");

    // The connections of the web, whose clients wait.
    tmux.press("q");
    tmux.press("k");
    tmux.press("c");
    let screen = tmux.wait_text("ESTABLISHED 2");
    assert!(screen.contains("5 connections"), "{screen}");
    let lasting =
        screen.lines().filter(|line| line.contains("ESTABLISHED") && line.contains("min"));
    assert_eq!(lasting.count(), open.len(), "{screen}");

    // The same for programs.
    let run = |argument: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ipvs-top"));
        command.args([argument, "--no-director"]).env("LC_ALL", "C.UTF-8");
        let output = scene.home.run(|| command.output()).unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let json: Value = serde_json::from_str(&run("--json")).unwrap();
    let services = json["services"].as_array().unwrap();
    let dns = services.iter().find(|it| it["service"].to_string().contains(":53")).unwrap();
    assert_eq!(dns["stats"]["connections"], 4, "{dns}");
    assert_eq!(dns["stats"]["incoming_bytes"], sent, "{dns}");
    assert_eq!(dns["stats"]["outgoing_bytes"], received, "{dns}");
    assert_eq!(json["totals"]["active"], 2, "{json}");
    assert!(counted(&run("--once"), "TCP 127.0.0.80:80", "5"));
}

#[test]
fn the_rate_is_that_of_the_traffic() {
    let scene = Scene::new();
    let tmux = Tmux::start(&scene.home, 200, 60);
    tmux.top("--forget");
    let names = scene.home.run(|| UdpSocket::bind(server(5300))).unwrap();
    let client = scene.home.run(|| UdpSocket::bind(SocketAddr::new(LOCAL, 0))).unwrap();
    let begun = Instant::now();
    let mut sent = 0;
    thread::scope(|scope| {
        scope.spawn(|| {
            while begun.elapsed() < Duration::from_secs(8) {
                client.send_to(&[0; QUESTION], DNS).unwrap();
                names.recv(&mut [0; 200]).unwrap();
                sent += 1;
                thread::sleep(Duration::from_millis(20));
            }
        });
    });
    let average = f64::from(sent) / begun.elapsed().as_secs_f64();
    let screen = tmux.screen();
    let shown: f64 = row(&screen, "UDP 127.0.0.80:53")[10].parse().unwrap();
    assert!((average * 0.5..average * 1.5).contains(&shown), "{average} a second:\n{screen}");
}

#[test]
fn sorting_and_filtering_are_remembered() {
    let scene = Scene::new();
    let tmux = Tmux::start(&scene.home, 80, 24);
    tmux.top("");
    tmux.press("R");
    tmux.press("/");
    tmux.press("T");
    tmux.press("Enter");
    tmux.wait_text("2 of 3 services /T/");
    tmux.press("q");
    tmux.wait_text("ended 0");
    tmux.line("clear");
    tmux.top("");
    let screen = tmux.wait_text("2 of 3 services /T/");
    assert!(screen.contains("CONN/S\u{2191}"), "{screen}");
}

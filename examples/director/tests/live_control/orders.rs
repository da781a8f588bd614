//! What orders do to the table.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use crate::daemon::{Daemon, FILE, Server, weight_in_table};

const ONE: &str = "127.0.0.2:8081";
const TWO: &str = "127.0.0.3:8081";

#[test]
fn orders_change_the_table_and_outlive_the_daemon() {
    let _servers = [Server::start(ONE), Server::start(TWO)];
    let mut daemon = Daemon::start("orders");
    let is_up = |it: &serde_json::Value| it["state"] == "up" && it["table_weight"] == 2;
    daemon.wait_for(ONE, is_up);
    daemon.wait_for(TWO, is_up);

    daemon.ok(&["weight", ONE, "7"]);
    daemon.wait_for(ONE, |it| it["table_weight"] == 7 && it["weight_ordered"] == true);
    assert_eq!(weight_in_table(ONE), Some(7));
    daemon.ok(&["maintenance", "on", TWO, "--by", "alice: new disk"]);
    let out = daemon.wait_for(TWO, |it| it["table_weight"].is_null());
    assert_eq!(
        (&out["state"], &out["maintenance"]["by"]),
        (&"out".into(), &"alice: new disk".into())
    );
    assert_eq!(weight_in_table(TWO), None);
    assert!(daemon.ok(&["status"]).contains("out by alice: new disk until ended"));

    // Nothing of that is lost when the daemon dies, and its socket is replaced.
    daemon.kill();
    assert_eq!(daemon.director(&["status"]).status.code(), Some(6));
    assert!(daemon.socket().exists());
    daemon.start_again();
    daemon.wait_for(ONE, |it| it["state"] == "up" && it["table_weight"] == 7);
    daemon.wait_for(TWO, |it| it["state"] == "out" && it["table_weight"].is_null());

    daemon.ok(&["maintenance", "off", TWO]);
    daemon.ok(&["weight", ONE, "file"]);
    daemon.wait_for(ONE, is_up);
    daemon.wait_for(TWO, is_up);
    assert_eq!(daemon.director(&["maintenance", "off", TWO]).status.code(), Some(5));

    // A second daemon on the same socket ends at once and changes nothing.
    assert_eq!(daemon.run_command().output().unwrap().status.code(), Some(4));
    daemon.wait_for(ONE, is_up);
}

#[test]
fn a_drain_waits_for_its_connections() {
    assert!(
        Command::new("ip")
            .args("address add 192.0.2.10/32 dev lo".split(' '))
            .status()
            .unwrap()
            .success()
    );
    let _servers = [Server::start(ONE), Server::start(TWO)];
    let daemon = Daemon::start("drain");
    for destination in [ONE, TWO] {
        daemon.wait_for(destination, |it| it["state"] == "up" && it["table_weight"] == 2);
    }
    let clients: Vec<_> = (0..4).map(|_| TcpStream::connect("192.0.2.10:80").unwrap()).collect();
    daemon.wait_for(ONE, |it| it["connections"]["active"] == 2);
    // It ends by itself, and says that connections are left.
    let late = daemon.director(&["drain", ONE, "--wait", "--wait-at-most", "1s"]);
    assert_eq!(late.status.code(), Some(8));
    let said = String::from_utf8(late.stderr).unwrap();
    assert!(said.contains("2 active connections after 1 s"), "{said}");
    assert_eq!(weight_in_table(ONE), Some(0));
    assert!(daemon.ok(&["status"]).contains("drained by root until ended"));

    let waiting = daemon.command(&["drain", ONE, "--for", "1h", "--wait"]).spawn().unwrap();
    thread::sleep(Duration::from_millis(1500));
    // New connections go to the other one.
    let more = [
        TcpStream::connect("192.0.2.10:80").unwrap(),
        TcpStream::connect("192.0.2.10:80").unwrap(),
    ];
    daemon.wait_for(TWO, |it| it["connections"]["active"] == 4);
    daemon.wait_for(ONE, |it| it["connections"]["active"] == 2);
    drop(clients);
    assert_eq!(waiting.wait_with_output().unwrap().status.code(), Some(0));
    drop(more);
}

#[test]
fn a_broken_file_changes_nothing_and_a_good_one_all() {
    let _servers = [Server::start(ONE), Server::start(TWO)];
    let daemon = Daemon::start("reload");
    daemon.wait_for(ONE, |it| it["state"] == "up" && it["table_weight"] == 2);
    fs::write(daemon.file(), FILE.replace("weight: 2", "weight: two")).unwrap();
    let refused = daemon.director(&["reload"]);
    assert_eq!(refused.status.code(), Some(5));
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(said.contains("nothing was changed"), "{said}");
    // Both wrong lines are told at once.
    assert!(said.matches("weight").count() >= 2, "{said}");
    assert_eq!(weight_in_table(ONE), Some(2));
    assert_ne!(daemon.status()["troubles"], serde_json::json!([]));
    fs::write(daemon.file(), FILE.replace("weight: 2", "weight: 9")).unwrap();
    daemon.ok(&["reload"]);
    let nine = daemon.wait_for(ONE, |it| it["table_weight"] == 9);
    assert_eq!(nine["state"], "up");
    assert_eq!(daemon.status()["troubles"], serde_json::json!([]));
}

#[test]
fn a_follower_sees_a_server_die_and_come_back() {
    let _one = Server::start(ONE);
    let two = Server::start(TWO);
    let daemon = Daemon::start("events");
    daemon.wait_for(TWO, |it| it["state"] == "up" && it["table_weight"] == 2);
    let mut follower =
        daemon.command(&["events", "--json"]).stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(follower.stdout.take().unwrap()).lines();
    let mut lines =
        lines.map(|line| serde_json::from_str::<serde_json::Value>(&line.unwrap()).unwrap());
    let states = lines.next().unwrap();
    assert_eq!(states["status"]["services"][0]["serving"], true);
    drop(two);
    let mut event = |kind: &str| {
        lines
            .find(|line| line["event"]["kind"] == kind && line["event"]["destination"] == TWO)
            .unwrap()
    };
    let down = event("down");
    assert_eq!(down["event"]["service"], crate::daemon::SERVICE);
    event("taken-out");
    let shown = daemon.ok(&["status", "--troubles"]);
    assert!(shown.contains("down since") && !shown.contains(ONE), "{shown}");
    let _two = Server::start(TWO);
    daemon.ok(&["check-now", TWO]);
    event("up");
    event("put-back");
    follower.kill().unwrap();
    follower.wait().unwrap();
}

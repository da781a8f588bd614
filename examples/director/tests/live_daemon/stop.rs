//! The daemon ends as the operator has chosen.

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;
use std::{fs, thread};

use rustix::process::Signal;

use crate::daemon::{Daemon, id, names, ports, serve, service, wait_for, weight};

#[test]
fn the_table_stays_by_default() {
    let server = serve();
    let mut daemon = Daemon::new(&service(1101, server));
    daemon.start();
    wait_for("the server", || weight(id(1101), server) == Some(1));
    daemon.stop();
    assert_eq!(weight(id(1101), server), Some(1));
    assert!(!daemon.path("socket").exists());
    // The next one takes it over without a change, and its servers stay in meanwhile.
    daemon.start();
    wait_for("the socket", || daemon.path("socket").exists());
    wait_for("the verdict", || daemon.log().matches("kind=up").count() == 2);
    assert_eq!(daemon.log().matches("kind=serving").count(), 2);
    daemon.stop();
    assert_eq!(daemon.log().matches("kind=taken-out").count(), 0);
}

#[test]
fn all_services_leave_if_that_is_wanted() {
    let server = serve();
    let both = service(1102, server) + &service(1103, server);
    let mut daemon = Daemon::new(&both).with(&["--on-stop", "withdraw"]);
    daemon.start();
    wait_for("the server", || weight(id(1103), server) == Some(1));
    daemon.stop();
    assert!(!ports().contains(&1102) && !ports().contains(&1103));
    let saved = fs::read_to_string(daemon.path("state.json")).unwrap();
    assert!(saved.contains("\"owned\": []"), "{saved}");
}

#[test]
fn a_withdrawal_ends_in_its_time() {
    let server = serve();
    let commands = "  commands: {unavailable: [/bin/false], timeout: 1s, retry: 1s}\n";
    let mut daemon = Daemon::new(&(service(1104, server) + commands)).with(&[
        "--on-stop",
        "withdraw",
        "--stop-within",
        "4",
    ]);
    daemon.start();
    wait_for("the server", || weight(id(1104), server) == Some(1));
    daemon.signal(Signal::TERM);
    let status = daemon.ended();
    assert_eq!(status.code(), Some(1), "{}", daemon.log());
    assert!(daemon.log().contains("these may be announced still: TCP 192.0.2.10:1104"));
    assert!(!ports().contains(&1104));
}

/// Starts a server that ends when the value is dropped. Returns its port.
fn serve_for_a_while() -> (u16, Arc<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    listener.set_nonblocking(true).unwrap();
    let lives = Arc::new(());
    let life = Arc::downgrade(&lives);
    thread::spawn(move || {
        while life.strong_count() > 0 {
            let _ = listener.accept();
            thread::sleep(Duration::from_millis(1));
        }
    });
    (port, lives)
}

#[test]
fn a_withdrawal_that_waits_for_its_turn_begins_before_the_end() {
    let (server, lives) = serve_for_a_while();
    let mut daemon = Daemon::new("");
    let folder = daemon.folder.display().to_string();
    let script = format!(
        "touch {folder}/began-$DIRECTOR_PORT; while [ ! -e {folder}/go ]; do sleep 0.1; done; \
         touch {folder}/withdrew-$DIRECTOR_PORT"
    );
    let commands = format!("  commands: {{unavailable: [sh, -c, '{script}'], timeout: 60s}}\n");
    let ports = 1110..1143;
    let services: String = ports.clone().map(|port| service(port, server) + &commands).collect();
    daemon.write(&services);
    daemon.start();
    wait_for("the server", || ports.clone().all(|port| weight(id(port), server) == Some(1)));
    wait_for("the verdict", || daemon.log().matches(" kind=available").count() == ports.len());
    drop(lives);
    let count = |what: &str| names(&daemon.folder).iter().filter(|it| it.starts_with(what)).count();
    wait_for("as many commands as run at a time", || count("began-") == 32);
    daemon.signal(Signal::TERM);
    wait_for("the signal", || daemon.log().contains("kind=stopping"));
    fs::write(daemon.path("go"), "").unwrap();
    let status = daemon.ended();
    assert!(status.success(), "{status}: {}", daemon.log());
    let count = |what: &str| names(&daemon.folder).iter().filter(|it| it.starts_with(what)).count();
    assert_eq!(count("withdrew-"), ports.len(), "{}", daemon.log());
    // The table stays.
    assert!(ports.clone().all(|port| weight(id(port), server).is_some()));
}

#[test]
fn a_withdrawal_that_fails_is_tried_once_more_and_told_at_the_end() {
    let (server, lives) = serve_for_a_while();
    let commands = "  commands: {unavailable: [/bin/false], timeout: 5s, retry: 1h}\n";
    let mut daemon = Daemon::new(&(service(1143, server) + commands));
    daemon.start();
    wait_for("the server", || daemon.log().contains(" kind=available"));
    drop(lives);
    wait_for("the failure", || daemon.log().contains("next attempt in 3600.0 s"));
    daemon.stop();
    let log = daemon.log();
    assert!(
        log.contains("(attempt 2), not tried again before the next start: exit code 1"),
        "{log}"
    );
    assert!(log.contains("1 service may be announced still: TCP 192.0.2.10:1143"), "{log}");
    // The next start tries again.
    daemon.start();
    wait_for("another attempt", || daemon.log().matches("next attempt in 3600.0 s").count() == 2);
    daemon.stop();
}

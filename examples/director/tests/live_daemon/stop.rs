//! The daemon ends as the operator has chosen.

use std::fs;

use crate::daemon::{Daemon, id, ports, serve, service, wait_for, weight};

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
    daemon.signal(rustix::process::Signal::TERM);
    let status = daemon.ended();
    assert_eq!(status.code(), Some(1), "{}", daemon.log());
    assert!(daemon.log().contains("these may be announced still: TCP 192.0.2.10:1104"));
    assert!(!ports().contains(&1104));
}

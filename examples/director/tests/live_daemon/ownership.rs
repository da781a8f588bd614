//! What the daemon had in the table, and the file has no more, leaves.

use std::fs;
use std::process::Command;

use crate::daemon::{Daemon, id, names, ports, serve, service, wait_for, weight};

/// Starts a daemon with two services, ends it, and takes one out of the file.
fn with_a_former_service(port: u16, server: u16) -> Daemon {
    let mut daemon = Daemon::new(&(service(port, server) + &service(port + 1, server)));
    daemon.start();
    wait_for("the servers", || {
        [port, port + 1].iter().all(|port| weight(id(*port), server) == Some(1))
    });
    daemon.stop();
    daemon.write(&service(port, server));
    daemon
}

fn started(daemon: &mut Daemon) {
    let before = daemon.log().matches("kind=serving").count();
    daemon.start();
    wait_for("the service", || daemon.log().matches("kind=serving").count() > before);
}

#[test]
fn a_service_that_left_the_file_while_nobody_ran_leaves_the_table() {
    let server = serve();
    let mut daemon = with_a_former_service(1201, server);
    daemon.start();
    wait_for("the end of the former service", || !ports().contains(&1202));
    wait_for("the state file", || {
        !fs::read_to_string(daemon.path("state.json")).unwrap().contains(":1202")
    });
    assert_eq!(weight(id(1201), server), Some(1));
    daemon.stop();
}

#[test]
fn it_stays_if_that_is_wanted() {
    let server = serve();
    let mut daemon = with_a_former_service(1211, server).with(&["--keep-former"]);
    started(&mut daemon);
    daemon.stop();
    assert!(ports().contains(&1212));
}

#[test]
fn a_broken_state_file_removes_nothing_and_is_told() {
    let server = serve();
    let mut daemon = with_a_former_service(1221, server);
    let text = fs::read_to_string(daemon.path("state.json")).unwrap();
    fs::write(daemon.path("state.json"), &text[..text.len() / 2]).unwrap();
    started(&mut daemon);
    assert!(names(&daemon.folder).contains(&"state.json.broken".to_owned()));
    assert!(daemon.order(&["status"]).contains("state.json is refused"));
    daemon.stop();
    assert_eq!(weight(id(1222), server), Some(1));
}

#[test]
fn orders_outlive_a_daemon_that_is_killed() {
    let server = serve();
    let mut daemon = Daemon::new(&service(1231, server));
    daemon.start();
    wait_for("the server", || weight(id(1231), server) == Some(1));
    let destination = format!("127.0.0.1:{server}");
    daemon.order(&["weight", &destination, "7"]);
    wait_for("the weight", || weight(id(1231), server) == Some(7));
    daemon.order(&["drain", &destination]);
    daemon.kill();
    started_without_serving(&mut daemon);
    wait_for("the drain", || weight(id(1231), server) == Some(0));
    daemon.order(&["maintenance", "off", &destination]);
    wait_for("the ordered weight", || weight(id(1231), server) == Some(7));
    daemon.stop();
}

fn started_without_serving(daemon: &mut Daemon) {
    fs::remove_file(daemon.path("socket")).ok();
    daemon.start();
    wait_for("the socket", || daemon.path("socket").exists());
}

#[test]
fn a_full_disk_keeps_the_daemon_from_nothing_and_is_told() {
    let server = serve();
    let mut daemon = Daemon::new(&service(1241, server));
    let run = |words: &[&str]| {
        let output = Command::new(words[0]).args(&words[1..]).output().unwrap();
        assert!(output.status.success(), "{words:?}: {output:?}");
    };
    let folder = daemon.path("disk");
    fs::create_dir(&folder).unwrap();
    run(&["mount", "-t", "tmpfs", "-o", "size=64k", "none", folder.to_str().unwrap()]);
    let ballast = folder.join("ballast");
    fs::write(&ballast, vec![0; 1 << 20]).unwrap_err();
    daemon = daemon.with_state(folder.join("state.json"));
    daemon.start();
    wait_for("the server", || weight(id(1241), server) == Some(1));
    assert!(daemon.order(&["status"]).contains("state.json cannot be written: No space left"));
    let destination = format!("127.0.0.1:{server}");
    let (code, said) = daemon.ordered(&["drain", &destination]);
    assert_eq!(code, Some(10), "{said}");
    assert!(said.contains("warning: the order is carried out, but not saved"), "{said}");
    wait_for("the drain", || weight(id(1241), server) == Some(0));
    assert_eq!(daemon.ordered(&["check-now", &destination]).0, Some(0));
    assert_eq!(daemon.ordered(&["reload"]).0, Some(10));
    fs::remove_file(&ballast).unwrap();
    let (code, said) = daemon.ordered(&["weight", &destination, "7"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(!daemon.order(&["status"]).contains("state.json"));
    daemon.kill();
    started_without_serving(&mut daemon);
    assert!(daemon.order(&["status"]).contains("drained"));
    daemon.stop();
    run(&["umount", folder.to_str().unwrap()]);
}

#[test]
fn a_state_file_of_another_user_is_refused() {
    let server = serve();
    let mut daemon = with_a_former_service(1251, server);
    std::os::unix::fs::chown(daemon.path("state.json"), Some(65534), None).unwrap();
    started(&mut daemon);
    assert!(daemon.order(&["status"]).contains("it belongs to the user 65534"));
    assert_eq!(weight(id(1252), server), Some(1));
    daemon.stop();
}

//! The daemon does not start where it cannot work, and says why.

use std::fs;
use std::os::unix::process::CommandExt as _;

use crate::daemon::{Daemon, serve, service, wait_for};

#[test]
fn without_privilege_a_line_and_an_exit_code_say_so() {
    let daemon = Daemon::new(&service(1001, 80));
    std::os::unix::fs::chown(&daemon.folder, Some(65534), Some(65534)).unwrap();
    let (code, said) = daemon.fail(|command| {
        command.uid(65534).gid(65534);
    });
    assert_eq!(code, Some(1), "{said}");
    let expected = "director: checking: permission denied";
    let last = said.lines().last().unwrap();
    assert!(last.starts_with("director: ") && last.contains("CAP_NET_ADMIN"), "{expected}: {said}");
}

#[test]
fn a_wrong_file_starts_nothing() {
    let daemon = Daemon::new("- tcp: nowhere\n");
    let (code, said) = daemon.fail(|_| ());
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains("director.yaml:2:"), "{said}");
    assert!(!daemon.path("socket").exists() && !daemon.path("state.json").exists());
}

#[test]
fn a_second_daemon_with_the_same_files_does_not_start() {
    let server = serve();
    let mut daemon = Daemon::new(&service(1002, server));
    daemon.start();
    wait_for("the socket", || daemon.path("socket").exists());
    let (code, said) = daemon.fail(|_| ());
    assert_eq!(code, Some(4), "{said}");
    assert!(said.contains("another daemon uses the state file"), "{said}");
    // A state file of its own, and the socket of the first.
    let mut other = Daemon::new(&service(1002, server));
    other.socket = daemon.socket.clone();
    let (code, said) = other.fail(|_| ());
    assert_eq!(code, Some(4), "{said}");
    assert!(said.contains("another process serves this socket"), "{said}");
    daemon.stop();
}

#[test]
fn a_state_file_that_cannot_be_written_is_told_at_the_start() {
    let daemon = Daemon::new(&service(1003, 80));
    fs::create_dir(daemon.path("state.json")).unwrap();
    let (code, said) = daemon.fail(|_| ());
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("state.json cannot be written"), "{said}");
}

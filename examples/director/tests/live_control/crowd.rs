//! Other users who take all they can get disturb neither root nor the table.

use std::fs;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use crate::daemon::{Daemon, Server};

/// Takes connections as fast as it can, asks for states and reads nothing. This test's own program is
/// started again for that, as another user.
#[test]
#[ignore = "started by the other test"]
fn crowd() {
    let Ok(socket) = std::env::var("CROWD_SOCKET") else { return };
    let mut held = Vec::new();
    let end = Instant::now() + Duration::from_secs(60);
    while Instant::now() < end {
        if let Ok(mut stream) = UnixStream::connect(&socket) {
            use std::io::Write;
            stream.set_nonblocking(true).ok();
            let order = if held.len() % 2 == 0 { "status" } else { "events" };
            write!(stream, "{{\"version\":1,\"order\":\"{order}\"}}\n{{\"version\":1").ok();
            held.push(stream);
        }
        if held.len() >= 900 {
            held.drain(..450);
        }
    }
}

fn crowd_of(daemon: &Daemon, uid: u32) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "crowd::crowd"])
        .env("CROWD_SOCKET", daemon.status_socket())
        .uid(uid)
        .gid(uid)
        .spawn()
        .unwrap()
}

fn descriptors(pid: u32) -> usize {
    fs::read_dir(format!("/proc/{pid}/fd")).unwrap().count()
}

fn kilobytes(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
fn a_crowd_disturbs_neither_root_nor_the_checks() {
    let _one = Server::start("127.0.0.2:8081");
    let two = Server::start("127.0.0.3:8081");
    let daemon = Daemon::start("crowd");
    daemon.wait_for("127.0.0.3:8081", |it| it["state"] == "up");
    let before = (descriptors(daemon.pid()), kilobytes(daemon.pid()));
    let mut crowd: Vec<Child> = (0..4).map(|number| crowd_of(&daemon, 5000 + number)).collect();
    std::thread::sleep(Duration::from_secs(1));
    let mut longest = Duration::ZERO;
    for number in 0..5 {
        let begin = Instant::now();
        daemon.ok(&["weight", "127.0.0.2:8081", &format!("{}", number + 1)]);
        longest = longest.max(begin.elapsed());
        assert!(descriptors(daemon.pid()) < before.0 + 100);
    }
    // A server that dies is seen.
    drop(two);
    let begin = Instant::now();
    daemon.wait_for("127.0.0.3:8081", |it| it["state"] == "down");
    let seen = begin.elapsed();
    for child in &mut crowd {
        child.kill().unwrap();
        child.wait().unwrap();
    }
    // Followers that have gone are noticed after 5 s.
    std::thread::sleep(Duration::from_secs(7));
    let after = (descriptors(daemon.pid()), kilobytes(daemon.pid()));
    println!(
        "longest order {longest:?}, dead server seen after {seen:?}, descriptors {} to {}, {} to {} kB",
        before.0, after.0, before.1, after.1
    );
    assert!(after.0 <= before.0 + 4, "{before:?} {after:?}");
    assert!(after.1 < before.1 + 20_000, "{before:?} {after:?}");
    assert!(longest < Duration::from_secs(10), "{longest:?}");
}

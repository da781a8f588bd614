//! What systemd is told, by a real socket.

#[path = "../stage/manager.rs"]
mod manager;

use manager::Told;
use rustix::process::Signal;

use crate::daemon::{Daemon, serve, service, wait_for};

/// Waits for a message with the line after so many messages. Returns it.
#[track_caller]
fn wait(told: &Told, after: usize, line: &str) -> String {
    let mut found = None;
    wait_for(line, || {
        let all = told.all();
        let has = |text: &&String| text.lines().any(|it| it.starts_with(line));
        found = all.iter().map(|(_, text)| text).skip(after).find(has).cloned();
        found.is_some()
    });
    found.unwrap()
}

#[test]
fn systemd_is_told_of_start_reload_life_and_end() {
    let server = serve();
    let daemon = Daemon::new(&service(1401, server));
    let path = daemon.path("notify");
    let told = Told::listen(&path);
    let mut daemon =
        daemon.set("NOTIFY_SOCKET", path.to_str().unwrap()).set("WATCHDOG_USEC", "400000");
    daemon.start();
    wait(&told, 0, "READY=1");
    wait(&told, 0, "STATUS=1 of 1 services serve");
    let alive = told.all().len();
    wait(&told, alive, "WATCHDOG=1");
    let begin = told.all().len();
    daemon.signal(Signal::HUP);
    let reloading = wait(&told, begin, "RELOADING=1");
    assert!(reloading.contains("MONOTONIC_USEC="), "{reloading}");
    wait(&told, begin, "READY=1");
    // A file that is refused does not leave systemd waiting.
    let begin = told.all().len();
    daemon.write("- tcp: nowhere\n");
    daemon.signal(Signal::HUP);
    wait(&told, begin, "RELOADING=1");
    wait(&told, begin, "READY=1");
    wait(&told, begin, "STATUS=1 of 1 services serve; 1 trouble");
    daemon.signal(Signal::TERM);
    wait(&told, begin, "STOPPING=1");
    assert!(daemon.ended().success());
}

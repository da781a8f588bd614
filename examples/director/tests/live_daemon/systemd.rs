//! What systemd is told, by a real socket.

use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use rustix::process::Signal;

use crate::daemon::{Daemon, serve, service};

/// Receives messages until one has the line. Returns that message.
#[track_caller]
fn told(socket: &UnixDatagram, line: &str) -> String {
    let mut buffer = [0; 4096];
    loop {
        let length = socket.recv(&mut buffer).unwrap_or_else(|error| panic!("{line}: {error}"));
        let text = String::from_utf8(buffer[..length].to_vec()).unwrap();
        if text.lines().any(|it| it.starts_with(line)) {
            return text;
        }
    }
}

#[test]
fn systemd_is_told_of_start_reload_life_and_end() {
    let server = serve();
    let daemon = Daemon::new(&service(1401, server));
    let path = daemon.path("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let mut daemon =
        daemon.set("NOTIFY_SOCKET", path.to_str().unwrap()).set("WATCHDOG_USEC", "400000");
    daemon.start();
    told(&socket, "READY=1");
    told(&socket, "WATCHDOG=1");
    told(&socket, "STATUS=1 of 1 services serve");
    told(&socket, "WATCHDOG=1");
    daemon.signal(Signal::HUP);
    let reloading = told(&socket, "RELOADING=1");
    assert!(reloading.contains("MONOTONIC_USEC="), "{reloading}");
    told(&socket, "READY=1");
    // A file that is refused does not leave systemd waiting.
    daemon.write("- tcp: nowhere\n");
    daemon.signal(Signal::HUP);
    told(&socket, "RELOADING=1");
    told(&socket, "READY=1");
    told(&socket, "STATUS=1 of 1 services serve; 1 trouble");
    daemon.signal(Signal::TERM);
    told(&socket, "STOPPING=1");
    assert!(daemon.ended().success());
}

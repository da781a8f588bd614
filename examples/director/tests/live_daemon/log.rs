//! Nobody reads the log.

use std::io::{self, Read as _, Write as _};
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::daemon::{Daemon, id, serve, service, wait_for, weight};

/// The bytes that a pipe holds.
const CAPACITY: usize = 65_536;

#[test]
fn a_log_that_nobody_reads_holds_up_nothing() {
    let (mut reader, mut writer) = io::pipe().unwrap();
    // The first line of the daemon does not fit.
    writer.write_all(&[b'x'; CAPACITY]).unwrap();
    let server = serve();
    let mut daemon = Daemon::new(&service(1150, server)).with(&["--log-level", "debug"]);
    daemon.start_with(|command| {
        command.stderr(writer);
    });
    wait_for("the server", || weight(id(1150), server) == Some(1));
    daemon.write(&service(1151, server));
    assert!(daemon.order(&["reload"]).contains("new"), "the loop goes on");
    wait_for("the other server", || weight(id(1151), server) == Some(1));
    let begin = Instant::now();
    daemon.signal(Signal::TERM);
    assert!(daemon.ended().success());
    assert!(begin.elapsed() < Duration::from_secs(10), "{:?}", begin.elapsed());
    drop(daemon);
    let mut said = Vec::new();
    reader.read_to_end(&mut said).unwrap();
    assert_eq!(said, [b'x'; CAPACITY], "it was full all the time");
}

#[test]
fn what_was_logged_while_nobody_read_comes_later() {
    let (mut reader, mut writer) = io::pipe().unwrap();
    writer.write_all(&[b'x'; CAPACITY]).unwrap();
    let server = serve();
    let mut daemon = Daemon::new(&service(1152, server));
    daemon.start_with(|command| {
        command.stderr(writer);
    });
    wait_for("the server", || weight(id(1152), server) == Some(1));
    let reading = std::thread::spawn(move || {
        let mut said = String::new();
        reader.read_to_string(&mut said).map(|_| said)
    });
    daemon.stop();
    let said = reading.join().unwrap().unwrap();
    for kind in ["started", "available", "up", "serving", "stopping"] {
        assert!(said.contains(&format!("kind={kind}")), "{kind}: {said}");
    }
}

//! What systemd is told, by a real socket.

use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;

use rustix::process::Signal;

use crate::daemon::{Daemon, serve, service, wait_for};

/// All messages that have come.
#[derive(Clone, Debug, Default)]
struct Told(Arc<Mutex<Vec<String>>>);

impl Told {
    /// Receives messages at a path for as long as the test runs.
    fn listen(path: &Path) -> Self {
        let socket = UnixDatagram::bind(path).unwrap();
        let told = Self::default();
        let all = Arc::clone(&told.0);
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(length) = socket.recv(&mut buffer) {
                let text = String::from_utf8(buffer[..length].to_vec()).unwrap();
                all.lock().unwrap().push(text);
            }
        });
        told
    }

    fn count(&self) -> usize {
        self.0.lock().unwrap().len()
    }

    /// Waits for a message with the line after so many messages. Returns it.
    #[track_caller]
    fn wait(&self, after: usize, line: &str) -> String {
        let mut found = None;
        wait_for(line, || {
            let all = self.0.lock().unwrap();
            let has = |text: &&String| text.lines().any(|it| it.starts_with(line));
            found = all.iter().skip(after).find(has).cloned();
            found.is_some()
        });
        found.unwrap()
    }
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
    told.wait(0, "READY=1");
    told.wait(0, "STATUS=1 of 1 services serve");
    let alive = told.count();
    told.wait(alive, "WATCHDOG=1");
    let begin = told.count();
    daemon.signal(Signal::HUP);
    let reloading = told.wait(begin, "RELOADING=1");
    assert!(reloading.contains("MONOTONIC_USEC="), "{reloading}");
    told.wait(begin, "READY=1");
    // A file that is refused does not leave systemd waiting.
    let begin = told.count();
    daemon.write("- tcp: nowhere\n");
    daemon.signal(Signal::HUP);
    told.wait(begin, "RELOADING=1");
    told.wait(begin, "READY=1");
    told.wait(begin, "STATUS=1 of 1 services serve; 1 trouble");
    daemon.signal(Signal::TERM);
    told.wait(begin, "STOPPING=1");
    assert!(daemon.ended().success());
}

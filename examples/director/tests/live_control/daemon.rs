//! The real daemon, in a folder of its own, with servers on this host.

use std::fs;
use std::io::Read;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use ipvs_netlink::Client;
use serde_json::Value;

pub(crate) const SERVICE: &str = "TCP 192.0.2.10:80";

/// Two destinations that are checked several times a second.
pub(crate) const FILE: &str = "\
services:
  - tcp: 192.0.2.10:80
    scheduler: wrr
    forward: masquerade
    checks: [{tcp: {}, timeout: 200ms, pace: {interval: 300ms, changing: 200ms, damping: false}}]
    destinations:
      - {address: \"127.0.0.2:8081\", weight: 2}
      - {address: \"127.0.0.3:8081\", weight: 2}
";

pub(crate) struct Daemon {
    child: Option<Child>,
    folder: PathBuf,
}

impl Daemon {
    pub(crate) fn start(name: &str) -> Self {
        // Also other users reach the sockets, as far as these allow.
        let folder = Path::new("/run").join(format!("live-control-{name}"));
        fs::create_dir(&folder).unwrap();
        let mut daemon = Self { child: None, folder };
        fs::write(daemon.file(), FILE).unwrap();
        daemon.start_again();
        daemon
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.folder.join("director.yaml")
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.folder.join("control.socket")
    }

    pub(crate) fn status_socket(&self) -> PathBuf {
        self.folder.join("status.socket")
    }

    pub(crate) fn run_command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_director"));
        command.arg("run").arg(self.file());
        command.arg("--socket").arg(self.socket());
        command.arg("--status-socket").arg(self.status_socket());
        command.args(["--socket-group", "4242"]);
        command.arg("--state").arg(self.folder.join("state.json"));
        command
    }

    pub(crate) fn start_again(&mut self) {
        self.child = Some(self.run_command().spawn().unwrap());
        let end = Instant::now() + Duration::from_secs(60);
        while self.director(&["status", "--json"]).status.code() != Some(0) {
            assert!(Instant::now() < end, "the daemon does not answer");
            let ended = self.child.as_mut().and_then(|child| child.try_wait().unwrap());
            assert_eq!(ended, None, "the daemon has ended");
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// Ends the daemon without any chance to do something.
    pub(crate) fn kill(&mut self) {
        let mut child = self.child.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.as_ref().unwrap().id()
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_director"));
        command.args(arguments).env("DIRECTOR_SOCKET", self.socket());
        command
    }

    /// Runs a command as root.
    pub(crate) fn director(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Runs a command as a user of this group, on this socket.
    pub(crate) fn director_as(&self, group: u32, socket: &Path, arguments: &[&str]) -> Output {
        let mut command = self.command(arguments);
        command.env("DIRECTOR_SOCKET", socket).uid(4711).gid(group).output().unwrap()
    }

    pub(crate) fn ok(&self, arguments: &[&str]) -> String {
        let output = self.director(arguments);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {said}");
        String::from_utf8(output.stdout).unwrap()
    }

    pub(crate) fn status(&self) -> Value {
        serde_json::from_str(&self.ok(&["status", "--json"])).unwrap()
    }

    /// Waits until the state of a destination is as it should be.
    pub(crate) fn wait_for(&self, destination: &str, what: impl Fn(&Value) -> bool) -> Value {
        let end = Instant::now() + Duration::from_secs(60);
        loop {
            let status = self.status();
            let all = status["services"][0]["destinations"].as_array().unwrap().clone();
            let one = all.into_iter().find(|it| it["destination"] == destination);
            if let Some(one) = one.filter(|one| what(one)) {
                return one;
            }
            assert!(Instant::now() < end, "{destination}: {status:#}");
            thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().ok();
            child.wait().ok();
        }
        fs::remove_dir_all(&self.folder).ok();
        if let Ok(mut client) = Client::connect() {
            client.flush().ok();
        }
    }
}

/// Returns the weight of a destination that the kernel has.
pub(crate) fn weight_in_table(destination: &str) -> Option<u32> {
    let snapshot = Client::connect().unwrap().snapshot().unwrap();
    let service = snapshot.service(SERVICE.parse().unwrap())?;
    let entry = service.destination(destination.parse().unwrap())?;
    Some(entry.destination.weight)
}

/// A server that keeps connections until they are closed.
pub(crate) struct Server {
    address: SocketAddr,
    ends: Arc<AtomicBool>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Server {
    pub(crate) fn start(address: &str) -> Self {
        let address: SocketAddr = address.parse().unwrap();
        let listener = TcpListener::bind(address).unwrap();
        let ends = Arc::new(AtomicBool::new(false));
        let is_to_end = Arc::clone(&ends);
        let thread = thread::spawn(move || {
            for stream in listener.incoming() {
                if is_to_end.load(Ordering::Relaxed) {
                    return;
                }
                if let Ok(mut stream) = stream {
                    thread::spawn(move || stream.read(&mut [0; 1]));
                }
            }
        });
        Self { address, ends, thread: Some(thread) }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::Relaxed);
        // Ends the wait for a connection.
        std::net::TcpStream::connect(self.address).ok();
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}

//! A daemon, its files, and servers for it.

use std::fs::{self, File};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use ipvs_netlink::{Client, DestinationId, ServiceId};
use rustix::process::{Pid, Signal, kill_process};

/// The longest that anything takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// A folder, which is removed at the end, and the daemon that has its files there.
#[derive(Debug)]
pub(crate) struct Daemon {
    pub(crate) folder: PathBuf,
    pub(crate) socket: PathBuf,
    state: PathBuf,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
    child: Option<Child>,
}

/// Waits until a condition is met.
#[track_caller]
pub(crate) fn wait_for(what: &str, mut condition: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !condition() {
        assert!(begin.elapsed() < PATIENCE, "{what} has not come");
        sleep(Duration::from_millis(10));
    }
}

/// Starts a server that accepts connections, and returns its port.
pub(crate) fn serve() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || listener.incoming().for_each(drop));
    port
}

/// The service of the virtual port with one server.
pub(crate) fn service(port: u16, server: u16) -> String {
    format!(
        "- tcp: 192.0.2.10:{port}\n  scheduler: wrr\n  forward: masquerade\n  \
         pace: {{interval: 200ms, changing: 100ms}}\n  checks: [tcp]\n  \
         destinations: [{{address: 127.0.0.1:{server}}}]\n"
    )
}

pub(crate) fn id(port: u16) -> ServiceId {
    ServiceId::tcp(([192, 0, 2, 10], port).into())
}

/// Returns the weight that the table of this namespace has.
pub(crate) fn weight(service: ServiceId, server: u16) -> Option<u32> {
    let destination = DestinationId::from(std::net::SocketAddr::from(([127, 0, 0, 1], server)));
    let table = Client::connect().unwrap().snapshot().unwrap();
    Some(table.service(service)?.destination(destination)?.destination.weight)
}

/// Returns the ports of the services of the table of this namespace.
pub(crate) fn ports() -> Vec<u16> {
    let table = Client::connect().unwrap().snapshot().unwrap();
    table.services().map(|service| service.id().address().unwrap().port()).collect()
}

impl Daemon {
    /// Prepares a daemon with these services. Nothing runs yet.
    pub(crate) fn new(services: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("director-live-{}-{number}", std::process::id());
        // A file system of the guest, where other users can own files.
        let folder = Path::new("/run").join(name);
        fs::create_dir_all(&folder).unwrap();
        let socket = folder.join("socket");
        let state = folder.join("state.json");
        let (arguments, environment) = (Vec::new(), Vec::new());
        let daemon = Self { folder, socket, state, arguments, environment, child: None };
        daemon.write(services);
        daemon
    }

    /// Adds arguments.
    pub(crate) fn with(mut self, arguments: &[&str]) -> Self {
        self.arguments.extend(arguments.iter().map(|argument| (*argument).to_owned()));
        self
    }

    /// Has the state file elsewhere.
    pub(crate) fn with_state(mut self, path: PathBuf) -> Self {
        self.state = path;
        self
    }

    /// Adds a variable to the environment.
    pub(crate) fn set(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Writes the configuration.
    pub(crate) fn write(&self, services: &str) {
        self.write_all(&format!("services:\n{services}"));
    }

    pub(crate) fn write_all(&self, text: &str) {
        fs::write(self.path("director.yaml"), text).unwrap();
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    fn command(&self) -> Command {
        let log = File::options().create(true).append(true).open(self.path("log")).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_director"));
        command.arg("run").arg(self.path("director.yaml"));
        command.arg("--state").arg(&self.state);
        command.arg("--socket").arg(&self.socket);
        command.args(&self.arguments).envs(self.environment.clone());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        command
    }

    /// Starts the daemon.
    pub(crate) fn start(&mut self) {
        self.start_with(|_| ());
    }

    /// Starts the daemon otherwise than usual.
    pub(crate) fn start_with(&mut self, change: impl FnOnce(&mut Command)) {
        let mut command = self.command();
        change(&mut command);
        self.child = Some(command.spawn().unwrap());
    }

    /// Runs the daemon until it ends by itself. Returns its exit code and what it said.
    pub(crate) fn fail(&self, change: impl FnOnce(&mut Command)) -> (Option<i32>, String) {
        let mut command = self.command();
        command.stderr(Stdio::piped());
        change(&mut command);
        let mut child = command.spawn().unwrap();
        let mut status = None;
        wait_for("the end of a daemon that cannot start", || {
            status = child.try_wait().unwrap();
            status.is_some()
        });
        let output = child.wait_with_output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.as_ref().unwrap().id()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = Pid::from_child(self.child.as_ref().unwrap());
        kill_process(pid, signal).unwrap();
    }

    /// Waits for the end of the daemon.
    #[track_caller]
    pub(crate) fn ended(&mut self) -> ExitStatus {
        let mut child = self.child.take().unwrap();
        let mut status = None;
        wait_for("the end of the daemon", || {
            status = child.try_wait().unwrap();
            status.is_some()
        });
        status.unwrap()
    }

    /// Ends the daemon by a signal.
    #[track_caller]
    pub(crate) fn stop(&mut self) {
        self.signal(Signal::TERM);
        let status = self.ended();
        assert!(status.success(), "{status}: {}", self.log());
    }

    /// Kills the daemon.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Gives an order on the command line, and returns what was said.
    #[track_caller]
    pub(crate) fn order(&self, words: &[&str]) -> String {
        self.ordered(words).1
    }

    /// Gives an order on the command line. Returns the exit code and what was said.
    #[track_caller]
    pub(crate) fn ordered(&self, words: &[&str]) -> (Option<i32>, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_director"));
        let output = command.args(words).arg("--socket").arg(&self.socket).output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8(said).unwrap())
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.kill();
        if thread::panicking() {
            eprintln!("{}", self.log());
        }
        fs::remove_dir_all(&self.folder).ok();
    }
}

/// Returns the names of the files beside the state file.
pub(crate) fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

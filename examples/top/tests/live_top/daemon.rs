//! The real director as a process of its own, on one service whose third server does not listen.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::SocketAddr;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use std::{env, thread};

use clap::Parser as _;
use director::arguments::{self, Arguments};
use director::control::protocol::Order;
use director::control::request;
use director::exit::Exit;
use director::status::{DestinationStatus, Status};
use ipvs_netlink::ServiceId;
use serde_json::Value;

use crate::network::Namespace;
use crate::scene::{WEB, server};
use crate::tmux::PATIENCE;

/// The variable with the director's command line.
const COMMAND_LINE: &str = "LIVE_TOP_DIRECTOR";

const FILE: &str = "\
services:
  - tcp: 127.0.0.80:80
    scheduler: wrr
    forward: masquerade
    checks: [{tcp: {}, timeout: 2s}]
    pace: {interval: 300ms, changing: 200ms, down: 300ms, rise: 2, fall: 3, damping: false}
    destinations:
      - {address: \"127.0.0.1:8000\", weight: 3}
      - {address: \"127.0.0.1:8001\", weight: 3}
      - {address: \"127.0.0.1:8002\", weight: 3}
";

/// The director. This test's own program is started again for that.
#[test]
#[ignore = "started by the other tests"]
fn director() {
    let Ok(line) = env::var(COMMAND_LINE) else { return };
    let command = Arguments::parse_from(line.split(' ')).command;
    let arguments::Command::Run(run) = command else { panic!("{line}") };
    assert_eq!(director::daemon::run(&run), Exit::Done);
}

/// The director with its files. The process is killed with this value.
#[derive(Debug)]
pub(crate) struct Daemon {
    folder: PathBuf,
    child: Option<Child>,
}

impl Daemon {
    /// Starts a director in a namespace.
    pub(crate) fn start(home: &Namespace) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        // The director does not trust the folders of the host's user.
        let name = format!("live_top-director-{}-{number}", std::process::id());
        let folder = Path::new("/run").join(name);
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("director.yaml"), FILE).unwrap();
        // The program looks for directors by the names of processes.
        symlink(env::current_exe().unwrap(), folder.join("director")).unwrap();
        let mut daemon = Self { folder, child: None };
        daemon.start_again(home);
        daemon
    }

    /// Starts it with the files that are there, and waits until it answers.
    pub(crate) fn start_again(&mut self, home: &Namespace) {
        let log = File::options().create(true).append(true).open(self.folder.join("log")).unwrap();
        let mut command = Command::new(self.folder.join("director"));
        command.args(["--ignored", "--exact", "daemon::director", "--nocapture"]);
        command.current_dir(&self.folder).env(
            COMMAND_LINE,
            "director run director.yaml --socket control.socket --state state.json",
        );
        command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        let child = self.child.insert(home.run(|| command.spawn()).unwrap());
        wait_for("an answer of the director", || {
            if let Some(status) = child.try_wait().unwrap() {
                panic!("{status}\n{}", fs::read_to_string(self.folder.join("log")).unwrap());
            }
            UnixStream::connect(self.folder.join("control.socket")).ok()
        });
    }

    /// Ends the director without any chance to do something.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.folder.join("control.socket")
    }

    /// Gives an order as any other program does, and returns the answer.
    pub(crate) fn ask(&self, order: &Order) -> Value {
        let mut stream = UnixStream::connect(self.socket()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(request::write(order).as_bytes()).unwrap();
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap()
    }

    /// What the director says of a destination.
    pub(crate) fn destination(&self, address: SocketAddr) -> DestinationStatus {
        let order = Order::Status { service: Some(ServiceId::tcp(WEB)), destination: None };
        let mut answer = self.ask(&order);
        let status: Status = serde_json::from_value(answer["status"].take()).unwrap();
        let mut all = status.services.into_iter().flat_map(|it| it.destinations);
        all.find(|it| it.id == address.into()).unwrap()
    }

    /// Waits until the director says so of the server on a port.
    pub(crate) fn wait_until(
        &self,
        port: u16,
        what: &str,
        is_so: impl Fn(&DestinationStatus) -> bool,
    ) -> DestinationStatus {
        wait_for(what, || Some(self.destination(server(port))).filter(|it| is_so(it)))
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.kill();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Waits until something is there, and returns it.
#[track_caller]
pub(crate) fn wait_for<T>(what: &str, mut wanted: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = wanted() {
            return found;
        }
        assert!(Instant::now() < deadline, "{what}: never");
        thread::sleep(Duration::from_millis(20));
    }
}

//! The daemon as a process of its own.

use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;

use director::control::protocol::Order;
use director::control::request;
use director::status::{DestinationState, DestinationStatus, Status};
use ipvs_netlink::health::MaintenanceKind;
use ipvs_netlink::{DestinationId, ServiceId};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::network::Network;
use super::{PATIENCE, Stage, wait_for};

/// A daemon with its files. The process is killed with this value.
#[derive(Debug)]
pub(crate) struct Daemon {
    network: Arc<Network>,
    folder: PathBuf,
    environment: Vec<(String, String)>,
    child: Option<Child>,
}

/// The program: what was built, or that of another build by name.
pub(crate) fn program() -> PathBuf {
    std::env::var_os("DIRECTOR").map_or_else(|| env!("CARGO_BIN_EXE_director").into(), Into::into)
}

impl Daemon {
    /// Prepares a daemon in the namespace of the director, with a folder of its own.
    pub(crate) fn prepare(stage: &Stage, name: &str, text: &str) -> Self {
        let folder = stage.folder().join(name);
        fs::create_dir(&folder).unwrap();
        let network = Arc::clone(&stage.network);
        let daemon = Self { network, folder, environment: Vec::new(), child: None };
        daemon.write(text);
        daemon
    }

    /// Starts a daemon.
    pub(crate) fn start(stage: &Stage, name: &str, text: &str) -> Self {
        let mut daemon = Self::prepare(stage, name, text);
        daemon.start_again();
        daemon
    }

    /// Sets a variable of the daemon.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.environment.push((name.to_owned(), value.to_owned()));
    }

    /// Starts the daemon with the files that are there, and waits until it answers.
    pub(crate) fn start_again(&mut self) {
        let log = File::options().create(true).append(true).open(self.log_path()).unwrap();
        let child = self.network.director.run(|| {
            // As a manager of services does that wants to know whether the daemon lives.
            let mut command = Command::new("sh");
            command.args(["-c", "export WATCHDOG_PID=$$; exec \"$0\" \"$@\""]).arg(program());
            command.arg("run").arg(self.file()).arg("--socket").arg(self.socket());
            command.arg("--state").arg(self.state_path());
            command.envs(self.environment.iter().map(|(name, value)| (name, value)));
            command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).spawn()
        });
        self.child = Some(child.unwrap());
        let answers = || {
            let child = self.child.as_mut().unwrap();
            if let Some(status) = child.try_wait().unwrap() {
                panic!("{status}\n{}", fs::read_to_string(self.folder.join("log")).unwrap());
            }
            UnixStream::connect(self.folder.join("control.sock")).ok()
        };
        wait_for("an answer of the daemon", answers);
    }

    /// The file of the services.
    pub(crate) fn file(&self) -> PathBuf {
        self.folder.join("director.yaml")
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.folder.join("control.sock")
    }

    pub(crate) fn state_path(&self) -> PathBuf {
        self.folder.join("state.json")
    }

    fn log_path(&self) -> PathBuf {
        self.folder.join("log")
    }

    /// The last that the daemon has said.
    pub(crate) fn log(&self) -> String {
        let all = fs::read(self.log_path()).unwrap();
        String::from_utf8_lossy(&all[all.len().saturating_sub(30_000)..]).into_owned()
    }

    /// Writes the file of the services.
    pub(crate) fn write(&self, text: &str) {
        let new = self.folder.join("new.yaml");
        fs::write(&new, text).unwrap();
        fs::rename(new, self.file()).unwrap();
    }

    /// Gives an order over the control socket. The lines are the answer, or why it was refused.
    pub(crate) fn order(&self, order: &Order) -> Result<Vec<String>, Vec<String>> {
        let answer = self.ask(order).unwrap_or_else(|error| panic!("{error}\n{}", self.log()));
        let lines = |key: &str| {
            let lines = answer[key].as_array().into_iter().flatten();
            lines.map(|line| line.as_str().unwrap_or_default().to_owned()).collect()
        };
        match answer["answer"].as_str() {
            Some("done") => Ok(lines("lines")),
            Some("refused") => Err(lines("lines")),
            _ => panic!("{order:?}: {answer}"),
        }
    }

    fn ask(&self, order: &Order) -> io::Result<Value> {
        let mut stream = UnixStream::connect(self.socket())?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.write_all(request::write(order).as_bytes())?;
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line)?;
        serde_json::from_str(&line).map_err(io::Error::other)
    }

    /// Reloads the file.
    pub(crate) fn reload(&self) -> Result<Vec<String>, Vec<String>> {
        self.order(&Order::Reload)
    }

    /// Drains a destination in all services.
    pub(crate) fn drain(&self, destination: DestinationId) {
        let by = "the test".to_owned();
        let kind = MaintenanceKind::Drain;
        let order = Order::Maintain { service: None, destination, kind, by, lasts: None };
        self.order(&order).unwrap();
    }

    /// The state.
    pub(crate) fn status(&self) -> Status {
        let order = Order::Status { service: None, destination: None };
        let mut answer = self.ask(&order).unwrap_or_else(|error| panic!("{error}\n{}", self.log()));
        serde_json::from_value(answer["status"].take()).unwrap()
    }

    /// What the daemon knows of a destination.
    pub(crate) fn destination(
        &self,
        service: ServiceId,
        destination: DestinationId,
    ) -> Option<DestinationStatus> {
        let of = self.status().services.into_iter().find(|it| it.id == service);
        of?.destinations.into_iter().find(|it| it.id == destination)
    }

    /// Waits until a destination is in a state, and returns what is known of it.
    #[track_caller]
    pub(crate) fn wait_for_state(
        &self,
        service: ServiceId,
        destination: DestinationId,
        state: DestinationState,
    ) -> DestinationStatus {
        let what = format!("{service} -> {destination} {state:?}");
        wait_for(&what, || self.destination(service, destination).filter(|it| it.state == state))
    }

    pub(crate) fn pid(&self) -> Pid {
        Pid::from_child(self.child.as_ref().unwrap())
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).unwrap();
    }

    /// Asks the daemon to end, and waits for that.
    pub(crate) fn stop(&mut self) -> ExitStatus {
        self.signal(Signal::TERM);
        self.child.take().unwrap().wait().unwrap()
    }

    /// Kills the daemon at once.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// What the process uses.
    pub(crate) fn usage(&self) -> Usage {
        Usage::of(self.pid()).unwrap()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.kill();
    }
}

/// What a process uses.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Usage {
    /// Memory, in KiB.
    pub(crate) resident: u64,
    pub(crate) descriptors: usize,
    pub(crate) threads: u64,
    /// Hundredths of a second of processor.
    pub(crate) ticks: u64,
}

impl Usage {
    pub(crate) fn of(pid: Pid) -> io::Result<Self> {
        let folder = Path::new("/proc").join(pid.as_raw_nonzero().to_string());
        let status = fs::read_to_string(folder.join("status"))?;
        let number = |name: &str| {
            let line = status.lines().find(|line| line.starts_with(name));
            line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok()).unwrap_or(0)
        };
        let stat = fs::read_to_string(folder.join("stat"))?;
        let times = stat.rsplit(')').next().unwrap_or("").split_whitespace().skip(11).take(2);
        Ok(Self {
            resident: number("VmRSS:"),
            descriptors: fs::read_dir(folder.join("fd"))?.count(),
            threads: number("Threads:"),
            ticks: times.filter_map(|time| time.parse::<u64>().ok()).sum(),
        })
    }
}

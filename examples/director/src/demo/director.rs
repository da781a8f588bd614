//! The daemon as a child process, and orders to it, as an operator gives them.

use std::env::current_exe;
use std::ffi::OsStr;
use std::iter;
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use clap::Parser;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::Result;
use super::files::Folder;
use super::network::Network;
use super::stage::{Millis, say};
use crate::control::client::Client;
use crate::control::commands::{Drain, MaintenanceArguments, Reload, StatusArguments, Weight};
use crate::control::protocol;
use crate::control::response::Received;
use crate::exit::Exit;

/// The longest wait for the daemon's end, long enough for a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// The commands that the demo runs.
#[derive(Debug, Parser)]
enum Order {
    Status(StatusArguments),
    Drain(Drain),
    Maintenance(MaintenanceArguments),
    Weight(Weight),
    Reload(Reload),
}

impl Order {
    fn run(&self) -> Exit {
        match self {
            Self::Status(arguments) => arguments.run(),
            Self::Drain(arguments) => arguments.run(),
            Self::Maintenance(arguments) => arguments.run(),
            Self::Weight(arguments) => arguments.run(),
            Self::Reload(arguments) => arguments.run(),
        }
    }
}

/// A daemon that runs. It is killed if nothing ends it before.
#[derive(Debug)]
pub(super) struct Director<'f> {
    folder: &'f Folder,
    child: Child,
}

impl<'f> Director<'f> {
    /// Starts the daemon in the network of the director.
    pub(super) fn start(network: &Network, folder: &'f Folder, on_stop: &str) -> Result<Self> {
        let mut command = Command::new(current_exe()?);
        command.arg("run").arg(folder.configuration());
        command.arg("--socket").arg(folder.socket()).arg("--state").arg(folder.state());
        command.args(["--on-stop", on_stop]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(folder.open_log()?);
        // The child belongs to the network namespace of the thread that starts it.
        let child = network.director.run(|| command.spawn())?;
        Ok(Self { folder, child })
    }

    /// Runs a command as an operator does, and prints it before its output. Returns `true` if it ends
    /// with exit code 0.
    ///
    /// It runs in this process: user-mode Linux takes half a second to start another one.
    pub(super) fn order(&self, words: &[&str]) -> Result<bool> {
        say(format_args!("$ director {}", words.join(" ")))?;
        let socket = self.folder.socket();
        let socket = [OsStr::new("--socket"), socket.as_os_str()];
        let words = words.iter().map(OsStr::new).chain(socket);
        let order = Order::try_parse_from(iter::once(OsStr::new("director")).chain(words))?;
        Ok(order.run() == Exit::Done)
    }

    /// Runs a command that must succeed.
    pub(super) fn obeyed(&self, words: &[&str]) -> Result<()> {
        match self.order(words)? {
            true => Ok(()),
            false => Err(format!("the daemon has not obeyed: {}", words.join(" ")).into()),
        }
    }

    /// Returns `true` if the daemon answers, and says that a server is down.
    pub(super) fn says_down(&self, server: SocketAddr) -> bool {
        let client = Client { path: self.folder.socket(), patience: PATIENCE };
        let order = protocol::Order::Status { service: None, destination: Some(server.into()) };
        let Ok(Received::Status { status }) = client.ask(&order) else { return false };
        let state = status.pointer("/services/0/destinations/0/state");
        state.and_then(Value::as_str) == Some("down")
    }

    /// Asks the daemon to end, as systemd does.
    pub(super) fn terminate(&self) -> Result<()> {
        Ok(kill_process(Pid::from_child(&self.child), Signal::TERM)?)
    }

    /// Waits for the end of a daemon that was asked to end. Returns the time since `begin`.
    pub(super) fn wait(mut self, begin: Instant) -> Result<Millis> {
        loop {
            let status = self.child.try_wait()?;
            let took = begin.elapsed();
            match status {
                Some(status) if status.success() => return Ok(Millis(took)),
                Some(status) => return Err(format!("the daemon ended: {status}").into()),
                None if took > PATIENCE => return Err("the daemon does not end".into()),
                None => sleep(Duration::from_millis(1)),
            }
        }
    }
}

impl Drop for Director<'_> {
    fn drop(&mut self) {
        // It has ended, or it is in the way.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

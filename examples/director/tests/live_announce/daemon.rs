//! The daemon as a process of its own.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use director::control::protocol::Order;
use director::control::request;
use rustix::process::{Pid, Signal, kill_process};

use crate::lab::Lab;
use crate::patience::{PATIENCE, wait_for};

pub(crate) struct Daemon {
    folder: PathBuf,
    child: Child,
}

/// The folder of the hooks.
pub(crate) fn hooks() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("hooks")
}

impl Daemon {
    pub(crate) fn start(lab: &Lab, text: &str, on_stop: &str) -> Self {
        let folder = lab.folder.clone();
        fs::write(folder.join("director.yaml"), text).unwrap();
        let log = File::options().create(true).append(true).open(folder.join("log")).unwrap();
        let started = lab.network.director.run(|| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_director"));
            command.arg("run").arg(folder.join("director.yaml"));
            command.arg("--socket").arg(folder.join("socket"));
            command.arg("--state").arg(folder.join("state.json"));
            command.args(["--on-stop", on_stop, "--log-level", "debug"]);
            command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).spawn()
        });
        let mut child = started.unwrap();
        wait_for("an answer of the daemon", || {
            if let Some(status) = child.try_wait().unwrap() {
                panic!("{status}\n{}", fs::read_to_string(folder.join("log")).unwrap());
            }
            UnixStream::connect(folder.join("socket")).ok()
        });
        Self { folder, child }
    }

    /// Writes the file, and has it read.
    pub(crate) fn reload(&self, text: &str) {
        fs::write(self.folder.join("director.yaml"), text).unwrap();
        assert!(self.order(&Order::Reload).contains("done"), "{}", self.log());
    }

    /// Gives an order, and returns the answer.
    pub(crate) fn order(&self, order: &Order) -> String {
        let mut stream = UnixStream::connect(self.folder.join("socket")).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(request::write(order).as_bytes()).unwrap();
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line).unwrap();
        line
    }

    /// What the status says of the announcement of the service.
    pub(crate) fn announcement(&self) -> String {
        let status = self.order(&Order::Status { service: None, destination: None });
        let status: serde_json::Value = serde_json::from_str(&status).unwrap();
        let service = &status["status"]["services"][0];
        service["announcement"].as_str().unwrap_or_default().to_owned()
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    pub(crate) fn stop(mut self) {
        kill_process(Pid::from_child(&self.child), Signal::TERM).unwrap();
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            println!("{}", self.log());
        }
    }
}

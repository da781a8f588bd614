//! Debian's keepalived as a process in the network.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use rustix::process::{Pid, Signal, kill_process};

use crate::stage::{Stage, Usage};

/// Where `fetch` has put keepalived.
const FOLDER: &str = "KEEPALIVED";

/// A running keepalived.
#[derive(Debug)]
pub(crate) struct Keepalived {
    stage: Arc<Stage>,
    child: Option<Child>,
}

impl Keepalived {
    /// Returns `true` if `KEEPALIVED` is set.
    pub(crate) fn is_there() -> bool {
        std::env::var_os(FOLDER).is_some()
    }

    /// Starts keepalived in the namespace of the director.
    pub(crate) fn start(stage: &Arc<Stage>, text: &str) -> Self {
        let mut keepalived = Self { stage: Arc::clone(stage), child: None };
        fs::write(keepalived.file(), text).unwrap();
        keepalived.start_again();
        keepalived
    }

    /// Starts keepalived with the file that is there.
    pub(crate) fn start_again(&mut self) {
        let folder = std::env::var(FOLDER).expect("KEEPALIVED, the folder that `fetch` prints");
        let in_folder = |path: &str| Path::new(&folder).join(path);
        let libraries = ["lib", "usr/lib"].map(|it| in_folder(it).join("x86_64-linux-gnu"));
        let libraries = libraries.map(|it| it.display().to_string()).join(":");
        let output = File::options().create(true).append(true).open(self.log_path()).unwrap();
        let mut command = Command::new("/lib64/ld-linux-x86-64.so.2");
        command.args(["--library-path", &libraries]).arg(in_folder("usr/sbin/keepalived"));
        // In the foreground, the checkers alone, all messages to standard error.
        command.args(["-n", "-C", "-l", "-D", "-f"]).arg(self.file());
        for option in ["-p", "-c", "-r", "-b"] {
            command.arg(option).arg(self.stage.folder().join(format!("keepalived{option}.pid")));
        }
        command.stdin(Stdio::null()).stdout(output.try_clone().unwrap()).stderr(output);
        self.child = Some(self.stage.network.director.run(|| command.spawn()).unwrap());
    }

    fn file(&self) -> PathBuf {
        self.stage.folder().join("keepalived.conf")
    }

    fn log_path(&self) -> PathBuf {
        self.stage.folder().join("keepalived.log")
    }

    /// Gives keepalived another file.
    pub(crate) fn reload(&self, text: &str) {
        fs::write(self.file(), text).unwrap();
        kill_process(Pid::from_child(self.child.as_ref().unwrap()), Signal::HUP).unwrap();
    }

    /// Ends keepalived. Its child, which checks, ends with it.
    pub(crate) fn end(&mut self, with_kill: bool) {
        let Some(mut child) = self.child.take() else { return };
        let signal = if with_kill { Signal::KILL } else { Signal::TERM };
        kill_process(Pid::from_child(&child), signal).unwrap();
        child.wait().unwrap();
    }

    /// What keepalived has said.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.log_path()).unwrap()
    }

    /// The process that checks.
    pub(crate) fn checker(&self) -> Option<Pid> {
        let text = fs::read_to_string(self.stage.folder().join("keepalived-c.pid")).ok()?;
        Pid::from_raw(text.trim().parse().ok()?)
    }

    /// What the process that checks uses.
    pub(crate) fn usage(&self) -> Usage {
        Usage::of(self.checker().unwrap()).unwrap()
    }
}

impl Drop for Keepalived {
    fn drop(&mut self) {
        self.end(false);
    }
}

//! `node-proxy run` as a child process.

use std::collections::VecDeque;
use std::fs::{self, DirBuilder};
use std::io::{self, BufRead as _, BufReader};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::process::{self, Child, ChildStderr, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::Result;
use super::network::Namespace;

/// The longest wait for the agent, long enough for a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// How many lines of the log are kept.
const LAST_LINES: usize = 20;

/// The state of a node's agents, a folder that is removed at the end.
#[derive(Debug)]
pub(crate) struct StateDir(PathBuf);

impl StateDir {
    /// Makes a folder that only this user can open.
    ///
    /// # Errors
    ///
    /// The caller is not root.
    pub(crate) fn new() -> io::Result<Self> {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = PathBuf::from(format!("/run/node-proxy-demo-{}-{number}", process::id()));
        DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Self(path))
    }
}

impl Drop for StateDir {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// An agent that runs. It is killed if nothing ends it before.
#[derive(Debug)]
pub(crate) struct Agent {
    child: Child,
    lines: Receiver<String>,
    last: Arc<Mutex<VecDeque<String>>>,
}

impl Agent {
    /// Starts the agent of the node `node-a` in a network namespace.
    ///
    /// # Errors
    ///
    /// The program cannot be started.
    pub(crate) fn start(
        node: &Namespace,
        state: &StateDir,
        program: &Path,
        server: &str,
    ) -> io::Result<Self> {
        let mut command = Command::new(program);
        command.args(["run", "--node-name", "node-a", "--api-server", server]);
        command.arg("--state-dir").arg(&state.0);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        // The child belongs to the network namespace of the thread that starts it.
        let mut child = node.run(|| command.spawn())?;
        let output = child.stderr.take().ok_or(io::ErrorKind::BrokenPipe)?;
        let last = Arc::default();
        let lines = follow(output, Arc::clone(&last))?;
        Ok(Self { child, lines, last })
    }

    /// Returns the process id.
    pub(crate) fn process(&self) -> u32 {
        self.child.id()
    }

    /// Waits until a line of the log begins with these words.
    ///
    /// # Errors
    ///
    /// No line does for so long, or the agent has ended.
    pub(crate) fn wait_for(&self, words: &str, patience: Duration) -> Result<()> {
        let end = Instant::now() + patience;
        loop {
            match self.lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(line) if line.starts_with(words) => return Ok(()),
                Ok(_) => {}
                Err(RecvTimeoutError::Timeout) => {
                    return Err(format!("the agent does not say {words:?}").into());
                }
                Err(RecvTimeoutError::Disconnected) => return Err("the agent has ended".into()),
            }
        }
    }

    /// Waits until the table is right for the first time.
    ///
    /// # Errors
    ///
    /// It is not for a minute, or the agent has ended.
    pub(crate) fn synchronized(&self) -> Result<()> {
        self.wait_for("synchronized", PATIENCE)
    }

    /// Ends the agent as a node does, by SIGTERM.
    ///
    /// # Errors
    ///
    /// The agent does not end, or it fails.
    pub(crate) fn terminate(mut self) -> Result<()> {
        kill_process(Pid::from_child(&self.child), Signal::TERM)?;
        let end = Instant::now() + PATIENCE;
        loop {
            match self.child.try_wait()? {
                Some(status) if status.success() => return Ok(()),
                Some(status) => return Err(format!("the agent ended: {status}").into()),
                None if Instant::now() > end => return Err("the agent does not end".into()),
                None => thread::sleep(Duration::from_millis(1)),
            }
        }
    }

    /// Returns the last lines of the log.
    pub(crate) fn end_of_log(&self) -> String {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.iter().map(|line| format!("{line}\n")).collect()
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        // It has ended, or it is in the way.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads the log to its end, so that the agent never waits for a reader.
fn follow(output: ChildStderr, last: Arc<Mutex<VecDeque<String>>>) -> io::Result<Receiver<String>> {
    let (sender, lines) = channel();
    thread::Builder::new().name("log".into()).spawn(move || {
        for line in BufReader::new(output).lines().map_while(io::Result::ok) {
            let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
            if last.len() == LAST_LINES {
                last.pop_front();
            }
            last.push_back(line.clone());
            drop(last);
            // Nobody has to listen.
            let _ = sender.send(line);
        }
    })?;
    Ok(lines)
}

use std::io::{self, Read as _};
use std::net::SocketAddr;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{OFlags, fcntl_setfl};
use rustix::io::Errno;
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, kill_process_group, pidfd_open, waitid,
};

use crate::health::Share;
use crate::health::outcome::{Excerpt, Outcome};
use crate::health::probe::{Origin, agent, namespace};

/// The most output of a command that is read, in bytes. A pipe holds more, so a program that says
/// more than the pipe holds stops there, and runs into the timeout.
const LONGEST_OUTPUT: usize = 4096;

/// The time between two looks whether a program has ended, on kernels that cannot tell.
const PAUSE: Duration = Duration::from_millis(20);

/// A program that checks a server. By default the check passes if the program exits with 0.
///
/// A [weighted](Self::weighted) check also says by its exit code what part of its weight the
/// destination is to have.
///
/// No shell is involved. The program gets the arguments as they are, no standard input, and an
/// environment of `PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`,
/// `TARGET_ADDRESS` and `TARGET_PORT` only. It leads a process group of its own, and the whole
/// group is killed at the timeout, and when the program ends. The first 160 bytes of its output are
/// in the reason of a failure; 4 KiB are read.
///
/// The program runs with the privileges of its caller. Where it cannot be started, the check is
/// [not done](Outcome::NotDone).
///
/// ```
/// use ipvs_netlink::health::probe::{CommandCheck, Probe};
///
/// // A shell is a program like any other. It finds the server in the environment.
/// let script = r#"exec nc -z "$TARGET_ADDRESS" "$TARGET_PORT""#;
/// let probe = Probe::command(CommandCheck::new("sh", ["-c", script]));
/// # let _ = probe;
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct CommandCheck {
    /// The path of the program, or its name in `PATH`.
    pub program: String,
    /// The arguments.
    pub arguments: Vec<String>,
    /// How the program says what it has found, [`CommandAnswer::Code`] by default.
    pub answer: CommandAnswer,
}

/// How a program says what it has found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum CommandAnswer {
    /// By its exit code: 0 passes, any other one fails.
    #[default]
    Code,
    /// By its exit code, with a weight: 0 passes with the whole weight, 1 fails, and 2 to 255 pass
    /// with a [`Share`] of the code - 2 percent. So 2 leaves nothing of the weight, and 102 the whole.
    WeightCode,
    /// By the first line of its output, as an [agent](crate::health::probe::Probe::agent) does, if the
    /// exit code is 0. Another one fails.
    Line,
}

impl CommandCheck {
    /// Creates a check by a program with arguments.
    #[must_use]
    pub fn new(
        program: impl Into<String>,
        arguments: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        let arguments = arguments.into_iter().map(Into::into).collect();
        Self { program: program.into(), arguments, answer: CommandAnswer::Code }
    }

    /// Lets exit codes say what part of its weight the destination is to have:
    /// [`CommandAnswer::WeightCode`].
    ///
    /// A program of keepalived's `misc_dynamic` exits with its weight plus 2. It works here where the
    /// desired weight is 100.
    #[must_use]
    pub const fn weighted(self) -> Self {
        self.answer(CommandAnswer::WeightCode)
    }

    /// Sets how the program says what it has found.
    #[must_use]
    pub const fn answer(mut self, answer: CommandAnswer) -> Self {
        self.answer = answer;
        self
    }

    /// Runs the program, and waits for it on this thread.
    pub(super) fn run(&self, target: SocketAddr, origin: &Origin, timeout: Duration) -> Outcome {
        let spawned = match &origin.namespace {
            None => self.spawn(target),
            Some(path) => namespace::end_in(path, || self.spawn(target)),
        };
        let mut child = match spawned {
            Ok(child) => child,
            Err(error) => return Outcome::not_done(format!("{:?}: {error}", self.program)),
        };
        let ended = wait(&child, timeout);
        // The program is not reaped yet, so nobody else can have its number. What it has left
        // behind is killed, too.
        if let Some(group) = pid(&child) {
            let _ = kill_process_group(group, Signal::KILL);
        }
        let status = child.wait();
        let said = child.stdout.take().map(said).unwrap_or_default();
        match (ended, status) {
            (Err(error), _) | (_, Err(error)) => Outcome::failed(error.to_string()),
            (Ok(false), _) => Outcome::failed(format!("timeout after {} ms", timeout.as_millis())),
            (Ok(true), Ok(status)) => match (status.code(), self.answer, status.signal()) {
                (Some(0), CommandAnswer::Line, _) => agent::judge(agent::first_line(&said)),
                (Some(0), ..) => Outcome::passed(),
                (Some(code), CommandAnswer::WeightCode, _) if code >= 2 => {
                    Outcome::Passed(Share::percent(u16::try_from(code - 2).unwrap_or_default()))
                }
                (Some(code), ..) => {
                    let said = Excerpt(said.trim_ascii());
                    Outcome::failed(format!("exit code {code}: {said}"))
                }
                (None, _, signal) => {
                    Outcome::failed(format!("signal {}", signal.unwrap_or_default()))
                }
            },
        }
    }

    fn spawn(&self, target: SocketAddr) -> io::Result<Child> {
        Command::new(&self.program)
            .args(&self.arguments)
            .env_clear()
            .env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
            .env("TARGET_ADDRESS", target.ip().to_string())
            .env("TARGET_PORT", target.port().to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
    }
}

fn pid(child: &Child) -> Option<Pid> {
    i32::try_from(child.id()).ok().and_then(Pid::from_raw)
}

/// Waits until the program has ended, without reaping it. Returns `false` at the timeout.
fn wait(child: &Child, timeout: Duration) -> io::Result<bool> {
    let Some(pid) = pid(child) else { return Ok(true) };
    // Absent before Linux 5.3.
    let descriptor = pidfd_open(pid, PidfdFlags::empty()).ok();
    let deadline = Instant::now().checked_add(timeout);
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    while waitid(WaitId::Pid(pid), options)?.is_none() {
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        if left == Some(Duration::ZERO) {
            return Ok(false);
        }
        let left = left.unwrap_or(Duration::MAX);
        match &descriptor {
            Some(descriptor) => {
                let time = Timespec::try_from(left).ok();
                match poll(&mut [PollFd::new(descriptor, PollFlags::IN)], time.as_ref()) {
                    Ok(_) | Err(Errno::INTR) => {}
                    Err(errno) => return Err(errno.into()),
                }
            }
            None => thread::sleep(PAUSE.min(left)),
        }
    }
    Ok(true)
}

/// Returns the output that is there. Does not wait for more: a process that has left the group may
/// hold the pipe open for ever.
fn said(mut output: ChildStdout) -> Vec<u8> {
    let mut said = vec![0; LONGEST_OUTPUT];
    let length = match fcntl_setfl(&output, OFlags::NONBLOCK) {
        Ok(()) => output.read(&mut said).unwrap_or(0),
        Err(_) => 0,
    };
    said.truncate(length);
    said
}

use std::io::{self, Read as _};
use std::net::SocketAddr;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{OFlags, fcntl_setfl};
use rustix::process::{Pid, PidfdFlags, WaitId, WaitIdOptions, pidfd_open, waitid};

use crate::health::Outcome;
use crate::health::Share;
use crate::health::probe::excerpt::Excerpt;
use crate::health::probe::programs::Programs;
use crate::health::probe::{Probe, agent, namespace};

/// The most output of a command that is read, in bytes. A pipe holds more, so a program that says
/// more than the pipe holds stops there, and runs into the timeout.
const LONGEST_OUTPUT: usize = 4096;

/// How long a program that is killed may take to end.
const KILL_TIME: Duration = Duration::from_secs(1);

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
/// group is killed at the timeout, when the program ends, and when the runner is dropped. The first
/// 160 bytes of its output are in the reason of a failure; 4 KiB are read.
///
/// The program runs with the privileges of its caller. Where it cannot be started, the check is
/// [not done](Outcome::NotDone). The check is not done either where the exit code is lost: if the
/// process ignores `SIGCHLD`, which it may have inherited, or reaps all its children, as process 1 of
/// a container may.
///
/// A program cannot be killed if it waits for a disk or a file system on the network, or changes its
/// user. Its check fails 1 s after the timeout, and fails again, without another program, until the
/// program has ended. It takes the place of one of
/// [the programs that may run](crate::health::probe::RunnerOptions::commands) until then. While such
/// programs take all places, no other check by a program is done.
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
    /// exit code is 0. Another one fails. The line may ask for more than the whole weight.
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

    /// Runs the program of `probe`, and waits for it on this thread. `say` gets the outcome. A
    /// program that cannot be killed ends later than that.
    pub(super) fn run(
        &self,
        probe: &Probe,
        target: SocketAddr,
        programs: &Programs,
        say: impl FnOnce(Outcome),
    ) {
        let at = probe.port.map_or(target, |port| SocketAddr::new(target.ip(), port));
        let spawned = match &probe.origin.namespace {
            None => self.spawn(at),
            Some(path) => namespace::end_in(path, || self.spawn(at)),
        };
        let mut child = match spawned {
            Ok(child) => child,
            Err(error) => return say(Outcome::not_done(format!("{:?}: {error}", self.program))),
        };
        let Some(program) = pid(&child) else {
            return say(Outcome::not_done(format!("{:?} has no number", self.program)));
        };
        programs.began(program);
        let timeout = probe.longest();
        let in_time = wait(program, timeout);
        // Where the wait fails, the number may be another's already.
        if in_time.is_ok() {
            programs.kill(program);
        }
        let late = || format!("timeout after {} ms", timeout.as_millis());
        let outcome = match in_time {
            Ok(false) if matches!(wait(program, KILL_TIME), Ok(false)) => {
                programs.stuck(probe, target);
                say(Outcome::failed(format!("{}; the program cannot be killed", late())));
                if wait(program, Duration::MAX).is_ok() {
                    programs.kill(program);
                }
                programs.ended(program);
                let _ = child.wait();
                return programs.freed(probe, target);
            }
            Ok(false) => {
                programs.ended(program);
                let _ = child.wait();
                Outcome::failed(late())
            }
            Ok(true) => {
                programs.ended(program);
                let status = child.wait();
                let said = child.stdout.take().map(said).unwrap_or_default();
                status.map_or_else(|error| self.lost(&error), |status| self.judge(status, &said))
            }
            Err(error) => {
                programs.ended(program);
                self.lost(&error)
            }
        };
        say(outcome);
    }

    /// The outcome where nobody knows what the program has found.
    fn lost(&self, error: &io::Error) -> Outcome {
        let reason = format!("{:?}: no exit code: {error}", self.program);
        Outcome::not_done(format!("{reason}: is SIGCHLD ignored, or does somebody else reap?"))
    }

    fn judge(&self, status: ExitStatus, said: &[u8]) -> Outcome {
        match (status.code(), self.answer, status.signal()) {
            (Some(0), CommandAnswer::Line, _) => agent::judge(agent::first_line(said)),
            (Some(0), ..) => Outcome::passed(),
            (Some(code), CommandAnswer::WeightCode, _) if code >= 2 => {
                Outcome::Passed(Share::percent(u16::try_from(code - 2).unwrap_or_default()))
            }
            (Some(code), ..) => {
                let said = Excerpt(said.trim_ascii());
                Outcome::failed(format!("exit code {code}: {said}"))
            }
            (None, _, signal) => Outcome::failed(format!("signal {}", signal.unwrap_or_default())),
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

/// Waits until the program has ended, without reaping it. Returns `false` at the timeout. An error
/// says that it is not, or no longer, a child to wait for.
fn wait(program: Pid, timeout: Duration) -> io::Result<bool> {
    // Absent before Linux 5.3.
    let descriptor = pidfd_open(program, PidfdFlags::empty()).ok();
    let deadline = Instant::now().checked_add(timeout);
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    while waitid(WaitId::Pid(program), options)?.is_none() {
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        if left == Some(Duration::ZERO) {
            return Ok(false);
        }
        let left = left.unwrap_or(Duration::MAX);
        let time = Timespec::try_from(left).ok();
        let polled = descriptor
            .as_ref()
            .map(|descriptor| poll(&mut [PollFd::new(descriptor, PollFlags::IN)], time.as_ref()));
        if !matches!(polled, Some(Ok(_))) {
            thread::sleep(PAUSE.min(left));
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

//! Runs commands.

use std::collections::{BTreeMap, VecDeque};
use std::os::unix::process::ExitStatusExt;
use std::process::{ExitStatus, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Command;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until, timeout};

use crate::announcement::{Action, Outcome, Run, environment};
use crate::event::one_line;

/// The most commands that run at a time.
pub const MOST: usize = 32;

/// The most bytes that are kept of what a command says. The last ones tell why it failed.
const LONGEST_OUTPUT: usize = 500;

/// How long the output of a command is awaited after its end: what a command leaves behind may hold the
/// pipe for ever.
const LAST_WORDS: Duration = Duration::from_millis(50);

/// How long the end of a killed command is awaited before somebody is told.
const KILL_TIME: Duration = Duration::from_secs(1);

/// Something that has happened to a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// The command of the run with this number has ended.
    Ended(u64, Outcome),
    /// It was killed, and runs still.
    Stuck(u64),
}

/// Runs commands, each as a task of its own on the runtime of the caller.
///
/// A command leads a process group, which is killed at the timeout. No shell takes part. Its input is
/// empty, its working directory is `/`, and its environment is what [`environment::of`] returns.
#[derive(Debug)]
pub struct Executor {
    sender: mpsc::UnboundedSender<Progress>,
    progress: mpsc::UnboundedReceiver<Progress>,
    stops: BTreeMap<u64, oneshot::Sender<()>>,
}

impl Default for Executor {
    fn default() -> Self {
        Self::new()
    }
}

impl Executor {
    /// Creates an executor of which nothing runs.
    #[must_use]
    pub fn new() -> Self {
        let (sender, progress) = mpsc::unbounded_channel();
        Self { sender, progress, stops: BTreeMap::new() }
    }

    /// Starts or kills a command. Call it on a runtime of tokio.
    pub fn carry_out(&mut self, action: Action) {
        match action {
            Action::Start(run) => {
                let (stop, stopped) = oneshot::channel();
                self.stops.insert(run.number, stop);
                let sender = self.sender.clone();
                tokio::spawn(async move {
                    let number = run.number;
                    let outcome = run_to_end(run, stopped, &sender).await;
                    // Nobody listens when the program ends.
                    let _ = sender.send(Progress::Ended(number, outcome));
                });
            }
            Action::Stop(number) => {
                if let Some(stop) = self.stops.remove(&number) {
                    // The command may have ended meanwhile.
                    let _ = stop.send(());
                }
            }
        }
    }

    /// Waits until something happens to a command. Nothing is lost if the future is dropped.
    pub async fn progress(&mut self) -> Progress {
        let progress = self.progress.recv().await;
        if let Some(Progress::Ended(number, _)) = &progress {
            self.stops.remove(number);
        }
        match progress {
            Some(progress) => progress,
            // Does not happen, because this value holds a sender.
            None => std::future::pending().await,
        }
    }
}

/// Why a command was killed.
enum Killed {
    Late,
    Stopped,
}

async fn run_to_end(
    run: Run,
    mut stopped: oneshot::Receiver<()>,
    sender: &mpsc::UnboundedSender<Progress>,
) -> Outcome {
    let Some((program, arguments)) = run.arguments.split_first() else {
        return Outcome::Failed("the command is empty".to_owned());
    };
    let spawned = Command::new(program)
        .args(arguments)
        .env_clear()
        .envs(environment::of(&run))
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true)
        .spawn();
    let mut child = match spawned {
        Ok(child) => child,
        Err(error) => {
            return Outcome::Failed(one_line(&format!("cannot start {program}: {error}")));
        }
    };
    let group = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
    let said = Said::default();
    let (output, errors) = (child.stdout.take(), child.stderr.take());
    let reading = async {
        tokio::join!(listen(output, &said), listen(errors, &said));
    };
    tokio::pin!(reading);
    let deadline = Instant::now() + run.timeout;
    let mut heard_all = false;
    let mut killed = None;
    let mut patience = None;
    let ended = loop {
        let until = patience.unwrap_or(deadline);
        tokio::select! {
            // Not reaped before: the group's number is still its own when it is killed.
            biased;
            () = sleep_until(until), if killed.is_none() || patience.is_some() => {
                match killed {
                    None => killed = Some(Killed::Late),
                    Some(_) => {
                        patience = None;
                        let _ = sender.send(Progress::Stuck(run.number));
                        continue;
                    }
                }
                patience = Some(kill(group));
            }
            Ok(()) = &mut stopped, if killed.is_none() => {
                killed = Some(Killed::Stopped);
                patience = Some(kill(group));
            }
            ended = child.wait() => break ended,
            () = &mut reading, if !heard_all => heard_all = true,
        }
    };
    if !heard_all {
        let _ = timeout(LAST_WORDS, reading).await;
    }
    let said = said.text();
    let colon = if said.is_empty() { "" } else { ": " };
    match (killed, ended) {
        (Some(Killed::Stopped), _) => Outcome::Stopped,
        (Some(Killed::Late), _) => {
            let seconds = run.timeout.as_secs_f32();
            Outcome::Failed(format!("killed at its timeout of {seconds} s{colon}{said}"))
        }
        (None, Ok(status)) if status.success() => Outcome::Succeeded(said),
        (None, Ok(status)) => Outcome::Failed(format!("{}{colon}{said}", cause(status))),
        (None, Err(error)) => Outcome::Failed(one_line(&format!("no exit code: {error}"))),
    }
}

/// Kills a process and its group. Returns when somebody is to be told that it runs still.
fn kill(group: Option<Pid>) -> Instant {
    if let Some(group) = group {
        // Fails if the processes are another user's, which the time tells.
        let _ = kill_process_group(group, Signal::KILL);
        // It may have moved to another group.
        let _ = kill_process(group, Signal::KILL);
    }
    Instant::now() + KILL_TIME
}

fn cause(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit code {code}"),
        (None, signal) => format!("signal {}", signal.unwrap_or_default()),
    }
}

/// The end of what a command says.
#[derive(Debug, Default)]
struct Said(Mutex<VecDeque<u8>>);

impl Said {
    fn add(&self, bytes: &[u8]) {
        let mut said = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        said.extend(bytes);
        let surplus = said.len().saturating_sub(LONGEST_OUTPUT);
        said.drain(..surplus);
    }

    fn text(&self) -> String {
        let mut said = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let said = said.make_contiguous();
        one_line(String::from_utf8_lossy(said.trim_ascii()).as_ref())
    }
}

/// Reads all that a command says, so that it never waits for a reader.
async fn listen(stream: Option<impl AsyncRead + Unpin>, said: &Said) {
    let Some(mut stream) = stream else { return };
    let mut buffer = [0; 1024];
    loop {
        match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => return,
            Ok(read) => said.add(buffer.get(..read).unwrap_or_default()),
        }
        // A command that says a lot must not keep the thread to itself.
        tokio::task::yield_now().await;
    }
}

//! A checker that stands still, under a manager of services like systemd.

use std::fs;
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use director::status::DestinationState;
use nix::sys::ptrace;
use nix::sys::wait::{WaitPidFlag, waitpid};
use nix::unistd::Pid;

use crate::stage::manager::Told;
use crate::stage::{Daemon, Stage, file, id, ms, service, there, wait_for};
use crate::{PORT, servers, web};

/// Counts the messages with a line since a moment.
fn count(told: &Told, word: &str, since: Instant) -> usize {
    let all = told.all();
    all.iter().filter(|(at, text)| *at >= since && text.lines().any(|it| it == word)).count()
}

const ALIVE: &str = "WATCHDOG=1";

#[test]
fn a_checker_that_stands_still_is_restarted() {
    let stage = Stage::with_hosts(2);
    let mut all: Vec<_> = (0..2).map(|host| stage.serve(host, PORT)).collect();
    let path = stage.folder().join("notify");
    let told = Told::listen(&path);
    let text = file(&[service(web(), &servers(2), &[])]);
    let mut daemon = Daemon::prepare(&stage, "watchdog", &text);
    daemon.set("NOTIFY_SOCKET", path.to_str().unwrap());
    daemon.set("WATCHDOG_USEC", "2000000");
    let begin = Instant::now();
    daemon.start_again();
    wait_for("ready", || (count(&told, "READY=1", begin) > 0).then_some(()));
    for host in 0..2 {
        daemon.wait_for_state(id(web()), there(host, PORT), DestinationState::Up);
    }
    let lively = Instant::now();
    sleep(ms(1500));
    assert!(count(&told, ALIVE, lively) >= 1, "{told:?}");

    // The thread of the checks stands still, and nothing else does.
    let tracer = Frozen::freeze(&daemon);
    let watcher = stage.watch(&[id(web())]);
    all[1].kill();
    // It is due each second.
    wait_for("the end of the heartbeat", || {
        let recent = count(&told, ALIVE, Instant::now() - ms(2500));
        (recent == 0).then_some(())
    });
    // The manager ends the daemon, and starts it again.
    let restarted = Instant::now();
    daemon.signal(rustix::process::Signal::KILL);
    drop(tracer);
    daemon.kill();
    daemon.start_again();
    watcher.out(id(web()), there(1, PORT), restarted);
    assert!(count(&told, ALIVE, restarted) > 0 || count(&told, "READY=1", restarted) > 0);
}

/// The thread of the checks, stopped as a debugger stops one.
#[derive(Debug)]
struct Frozen(Option<thread::JoinHandle<()>>, std::sync::mpsc::Sender<()>);

impl Frozen {
    fn freeze(daemon: &Daemon) -> Self {
        let pid = daemon.pid().as_raw_nonzero().get();
        let tasks = fs::read_dir(format!("/proc/{pid}/task")).unwrap().flatten();
        let mut checks = tasks.filter(|task| {
            fs::read_to_string(task.path().join("comm")).is_ok_and(|it| it.trim() == "ipvs-health")
        });
        let task = checks.next().expect("the thread of the checks");
        let id = Pid::from_raw(task.file_name().to_str().unwrap().parse().unwrap());
        let (go, gone) = std::sync::mpsc::channel::<()>();
        let (stopped, stands) = std::sync::mpsc::channel();
        // Whoever traces must be one thread all the time.
        let thread = thread::spawn(move || {
            ptrace::seize(id, ptrace::Options::empty()).unwrap();
            ptrace::interrupt(id).unwrap();
            waitpid(id, Some(WaitPidFlag::__WALL)).unwrap();
            stopped.send(()).unwrap();
            let _ = gone.recv();
            let _ = ptrace::detach(id, None);
        });
        stands.recv_timeout(Duration::from_secs(10)).unwrap();
        Self(Some(thread), go)
    }
}

impl Drop for Frozen {
    fn drop(&mut self) {
        let _ = self.1.send(());
        if let Some(thread) = self.0.take() {
            let _ = thread.join();
        }
    }
}

//! The programs that run for checks.

use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::process::{Pid, Signal, kill_process_group};

use crate::health::Outcome;
use crate::health::probe::Probe;

/// The programs of one runner. Each leads a process group.
#[derive(Clone)]
pub(super) struct Programs {
    state: Arc<Mutex<State>>,
    kill: fn(Pid),
}

#[derive(Debug, Default)]
struct State {
    /// The programs that are not reaped, so that nobody else can have their numbers.
    running: Vec<Pid>,
    /// The checks whose programs could not be killed and run still.
    stuck: Vec<(Probe, SocketAddr)>,
    stopped: bool,
}

impl Default for Programs {
    fn default() -> Self {
        let kill = |group| {
            // Fails if the program is another user's.
            let _ = kill_process_group(group, Signal::KILL);
        };
        Self { state: Arc::default(), kill }
    }
}

impl fmt::Debug for Programs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.state().fmt(f)
    }
}

impl Programs {
    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while the lock is held.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that a program runs.
    pub(super) fn began(&self, program: Pid) {
        let mut state = self.state();
        state.running.push(program);
        if state.stopped {
            (self.kill)(program);
        }
    }

    /// Kills a program, and what it has left behind.
    pub(super) fn kill(&self, program: Pid) {
        let state = self.state();
        if state.running.contains(&program) {
            (self.kill)(program);
        }
    }

    /// Notes that a program has ended, before it is reaped.
    pub(super) fn ended(&self, program: Pid) {
        self.state().running.retain(|running| *running != program);
    }

    /// Kills all programs, also those that begin from now on.
    pub(super) fn stop(&self) {
        let mut state = self.state();
        state.stopped = true;
        for program in &state.running {
            (self.kill)(*program);
        }
    }

    /// Notes that the program of a check cannot be killed.
    pub(super) fn stuck(&self, probe: &Probe, target: SocketAddr) {
        self.state().stuck.push((probe.clone(), target));
    }

    /// Notes that a program that could not be killed has ended.
    pub(super) fn freed(&self, probe: &Probe, target: SocketAddr) {
        let mut state = self.state();
        let found = state.stuck.iter().position(|(of, at)| (of, *at) == (probe, target));
        if let Some(place) = found {
            drop(state.stuck.swap_remove(place));
        }
    }

    /// Returns how many programs could not be killed and run still.
    pub(super) fn stuck_count(&self) -> usize {
        self.state().stuck.len()
    }

    /// Returns the outcome of a check that must not start its program, because programs that cannot
    /// be killed run still: that of the same check, or as many as may run.
    pub(super) fn refusal(
        &self,
        probe: &Probe,
        target: SocketAddr,
        most: usize,
    ) -> Option<Outcome> {
        let state = self.state();
        if state.stuck.iter().any(|(of, at)| (of, *at) == (probe, target)) {
            let reason = "the program of an earlier check runs still, and cannot be killed";
            return Some(Outcome::failed(reason));
        }
        let is_full = state.stuck.len() >= most;
        is_full.then(|| Outcome::not_done("too many programs run that cannot be killed"))
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::process::Command;
    use std::time::{Duration, Instant};
    use std::{env, fs, thread};

    use super::*;
    use crate::health::probe::{CommandCheck, Runner, RunnerOptions, Update};
    use crate::health::{Pace, PoolEvent, Verdict, Watched};
    use crate::model::{Destination, Service};
    use crate::table::TableService;

    fn shell(script: &str) -> Probe {
        Probe::command(CommandCheck::new("sh", ["-c", script]))
    }

    fn target(port: u16) -> SocketAddr {
        ([127, 0, 0, 1], port).into()
    }

    fn watched(ports: &[u16], probe: Probe, pace: Pace) -> Watched<Probe> {
        let table = TableService::new(Service::tcp(([192, 0, 2, 10], 80).into()));
        let add =
            |table: TableService, port: &u16| table.with(Destination::masquerade(target(*port)));
        Watched::new(ports.iter().fold(table, add)).check(probe, pace)
    }

    fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
        let end = Instant::now() + Duration::from_secs(60);
        while !done() {
            assert!(Instant::now() < end, "{what}");
            thread::sleep(Duration::from_millis(10));
        }
    }

    fn run(line: &[u8]) -> usize {
        let processes = fs::read_dir("/proc").unwrap().flatten();
        let line_of = |path: &Path| fs::read(path.join("cmdline")).unwrap_or_default();
        processes.filter(|process| line_of(&process.path()) == line).count()
    }

    #[test]
    fn a_check_ends_although_its_program_cannot_be_killed() {
        let programs = Programs { kill: |_| {}, ..Programs::default() };
        let runner = Runner::start_with(RunnerOptions::new().commands(1), programs).unwrap();
        let fast = Duration::from_millis(10);
        let pace = Pace::new().interval(fast).changing(fast).down(fast).fall(2).rise(1);
        let repaired =
            env::temp_dir().join(format!("ipvs-netlink-repaired-{}", std::process::id()));
        let script =
            format!("test $TARGET_PORT = 2 || test -e {} || exec sleep 6", repaired.display());
        let probe = shell(&script).timeout(Duration::from_millis(300));
        let begin = Instant::now();
        runner.watch(watched(&[1, 2], probe, pace), None).unwrap();
        let (mut is_down, mut is_told) = (false, false);
        wait_until("the dead one is down, the other one told", || {
            match runner.updates().next_within(Duration::from_secs(1)) {
                Some(Update::Event(_, PoolEvent::Verdict { destination, verdict, .. })) => {
                    is_down |= verdict == Verdict::Down && destination.address == target(1);
                }
                Some(Update::NotDone { destination, reason }) => {
                    assert_eq!(destination.address, target(2));
                    assert_eq!(reason, "too many programs run that cannot be killed");
                    is_told = true;
                }
                _ => {}
            }
            is_down && is_told
        });
        assert!(begin.elapsed() < Duration::from_secs(6), "the program runs still");
        // Else the next program of the dead one may take the place each time.
        fs::write(&repaired, []).unwrap();
        let passed = runner.stats().passed;
        wait_until("the end of the program frees its place", || runner.stats().passed > passed);
        fs::remove_file(&repaired).unwrap();
    }

    #[test]
    fn programs_die_with_their_runner() {
        let runner = Runner::start(RunnerOptions::new()).unwrap();
        // Nobody else sleeps so long.
        let long = 1_000_000 + std::process::id();
        let command = format!("sleep\0{long}\0").into_bytes();
        let probe =
            shell(&format!("sleep {long} & sleep {long}")).timeout(Duration::from_secs(6000));
        runner.watch(watched(&[1], probe, Pace::new()), None).unwrap();
        wait_until("both run", || run(&command) == 2);
        drop(runner);
        wait_until("both are killed", || run(&command) == 0);
    }

    /// Says that this process ignores the ends of its children, and where its program writes.
    const IGNORES: &str = "IPVS_TEST_IGNORES_CHILDREN";

    #[test]
    fn where_exit_codes_are_lost_nothing_is_judged_and_nobody_killed() {
        if let Some(file) = env::var_os(IGNORES) {
            let file = Path::new(&file);
            // What is left behind stands for a group of the same number.
            let script = format!("(sleep 1; : > {}) & exit 0", file.display());
            let outcome = shell(&script).once(target(1)).unwrap();
            let Outcome::NotDone(reason) = outcome else { panic!("{outcome:?}") };
            assert!(reason.starts_with("\"sh\": no exit code: No child processes"), "{reason}");
            wait_until("nobody was killed", || file.exists());
            return;
        }
        let name = concat!(
            module_path!(),
            "::where_exit_codes_are_lost_nothing_is_judged_and_nobody_killed"
        );
        let name = name.split_once("::").unwrap().1;
        let file = env::temp_dir().join(format!("ipvs-netlink-ignores-{}", std::process::id()));
        let output = Command::new("env")
            .arg("--ignore-signal=CHLD")
            .arg(env::current_exe().unwrap())
            .args(["--exact", name])
            .env(IGNORES, &file)
            .output()
            .unwrap();
        let _ = fs::remove_file(&file);
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && said.contains("1 passed"), "{said}");
    }
}

//! Real commands.

use std::path::PathBuf;
use std::time::{Duration, Instant};
use std::{env, fs, process};

use ipvs_netlink::{AddressFamily, ServiceId};

use crate::announcement::executor::{Executor, Progress};
use crate::announcement::tests::world::id;
use crate::announcement::{Action, Outcome, Reason, Run, State};

fn run(number: u64, script: &str) -> Run {
    Run {
        number,
        service: id(80),
        state: State::Available,
        reason: Reason::Serves,
        attempt: 1,
        arguments: ["/bin/sh", "-c", script].map(str::to_owned).to_vec(),
        timeout: Duration::from_secs(30),
    }
}

/// Runs a command to its end.
fn outcome(run: Run) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut executor = Executor::new();
        let number = run.number;
        executor.carry_out(Action::Start(run));
        match executor.progress().await {
            Progress::Ended(ended, outcome) if ended == number => outcome,
            progress => panic!("{progress:?}"),
        }
    })
}

fn said(script: &str) -> String {
    match outcome(run(1, script)) {
        Outcome::Succeeded(said) => said,
        outcome => panic!("{outcome:?}"),
    }
}

fn reason(run: Run) -> String {
    match outcome(run) {
        Outcome::Failed(reason) => reason,
        outcome => panic!("{outcome:?}"),
    }
}

fn file(name: &str) -> PathBuf {
    env::temp_dir().join(format!("director-{name}-{}", process::id()))
}

/// Waits until a process has gone.
fn has_gone(process: &str) -> bool {
    let end = Instant::now() + Duration::from_secs(10);
    let status = PathBuf::from("/proc").join(process).join("stat");
    // A zombie has ended, and waits for its parent.
    let runs = || fs::read_to_string(&status).is_ok_and(|stat| !stat.contains(") Z "));
    while runs() && Instant::now() < end {
        std::thread::sleep(Duration::from_millis(10));
    }
    !runs()
}

#[test]
fn a_command_finds_what_is_documented_and_nothing_else() {
    let names = "PATH|DIRECTOR_[A-Z]*|PWD|OLDPWD|SHLVL|_";
    assert_eq!(said(&format!("env | grep -Ev '^({names})=' || true")), "");
    let values = "$DIRECTOR_STATE,$DIRECTOR_SERVICE,$DIRECTOR_PROTOCOL,$DIRECTOR_ADDRESS,\
                  $DIRECTOR_PORT,$DIRECTOR_MARK,$DIRECTOR_FAMILY,$DIRECTOR_ATTEMPT,$DIRECTOR_TIMEOUT";
    let script = format!("set -u; echo \"{values}\"; pwd; cat");
    assert_eq!(said(&script), "available,TCP 192.0.2.10:80,tcp,192.0.2.10,80,,inet,1,30.000\\n/");
    let mark = ServiceId::fwmark(5, AddressFamily::Ipv6);
    let of_mark = Run { service: mark, ..run(1, &script) };
    assert_eq!(
        outcome(of_mark),
        Outcome::Succeeded("available,FWM 5 IPv6,,,,5,inet6,1,30.000\\n/".to_owned())
    );
}

#[test]
fn the_environment_of_the_readme_is_that_of_commands() {
    let readme = include_str!("../../../README.md");
    for (name, _) in crate::announcement::environment::of(&run(1, "")) {
        assert!(readme.contains(&format!("`{name}`")), "{name} is not documented");
    }
}

#[test]
fn a_failure_says_how_and_what_the_command_said_last() {
    assert_eq!(reason(run(1, "echo no such device >&2; exit 3")), "exit code 3: no such device");
    assert_eq!(reason(run(1, "kill -9 $$")), "signal 9");
    let missing = Run { arguments: vec!["/no/such".to_owned()], ..run(1, "") };
    assert!(reason(missing).starts_with("cannot start /no/such: No such file"));
    let empty = Run { arguments: Vec::new(), ..run(1, "") };
    assert_eq!(reason(empty), "the command is empty");
}

#[test]
fn a_flood_of_output_is_bounded_and_harmless() {
    let script = "yes | head -c 3000000; printf 'a\\033[2Jend'; exit 1";
    let reason = reason(run(1, script));
    assert!(reason.ends_with("a\\u{1b}[2Jend") && reason.len() < 1200, "{reason}");
    assert!(reason.chars().all(|character| !character.is_control()), "{reason}");
}

#[test]
fn a_late_command_is_killed_with_its_children() {
    let children = file("children");
    let script = format!("sleep 1000 & echo $! > {0}; sleep 1000", children.display());
    let late = Run { timeout: Duration::from_millis(300), ..run(1, &script) };
    let begin = Instant::now();
    assert_eq!(reason(late), "killed at its timeout of 0.3 s");
    assert!(begin.elapsed() < Duration::from_secs(20));
    let child = fs::read_to_string(&children).unwrap();
    fs::remove_file(children).unwrap();
    assert!(has_gone(child.trim()));
}

#[test]
fn a_late_command_is_killed_in_another_group_too() {
    let script = "setpgrp(0, getpgrp(getppid())); sleep 1000";
    let arguments = ["perl", "-e", script].map(str::to_owned).to_vec();
    let late = Run { arguments, timeout: Duration::from_millis(500), ..run(1, "") };
    let begin = Instant::now();
    assert_eq!(reason(late), "killed at its timeout of 0.5 s");
    assert!(begin.elapsed() < Duration::from_secs(20));
}

#[test]
fn what_a_command_leaves_behind_delays_nobody() {
    let begin = Instant::now();
    assert_eq!(said("echo done; sleep 20 &"), "done");
    assert!(begin.elapsed() < Duration::from_secs(15));
}

#[test]
fn a_command_is_stopped() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut executor = Executor::new();
        executor.carry_out(Action::Start(run(7, "sleep 1000")));
        executor.carry_out(Action::Start(run(8, "true")));
        let first = executor.progress().await;
        assert_eq!(first, Progress::Ended(8, Outcome::Succeeded(String::new())));
        executor.carry_out(Action::Stop(8));
        executor.carry_out(Action::Stop(7));
        assert_eq!(executor.progress().await, Progress::Ended(7, Outcome::Stopped));
    });
}

#[test]
fn the_loop_goes_on_while_commands_run() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut executor = Executor::new();
        for number in 1..=32 {
            executor.carry_out(Action::Start(run(number, "yes")));
        }
        let begin = Instant::now();
        for _ in 0..20 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
        for number in 1..=32 {
            executor.carry_out(Action::Stop(number));
        }
        for _ in 1..=32 {
            assert!(matches!(executor.progress().await, Progress::Ended(_, Outcome::Stopped)));
        }
    });
}

//! The terminal is left as it was, however the program ends.

use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use clap::Parser as _;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use top::arguments::Arguments;
use top::program::{Failure, run_on};
use top::reading::Source;

use crate::scene::Scene;
use crate::tmux::{PATIENCE, Tmux};

/// The screen of a shell, the cursor shown, no mouse.
const SHELL: &str = "0 1 0";
/// Another screen, and no cursor.
const TAKEN: &str = "1 0 0";

/// A shell that knows how its terminal is.
fn shell(scene: &Scene) -> Tmux {
    let tmux = Tmux::start(&scene.home, 80, 24);
    tmux.line("stty -g >before; echo what was there");
    tmux.wait_text("\nwhat was there");
    tmux
}

fn signal(process: i32, signal: Signal) {
    kill(Pid::from_raw(process), signal).unwrap();
}

/// Waits for the shell, and compares everything with the beginning.
fn as_it_was(tmux: &Tmux, text: &str) {
    let screen = tmux.wait_text(text);
    assert!(screen.contains("what was there") && !screen.contains("top: services"), "{screen}");
    assert_eq!(tmux.modes(), SHELL, "{screen}");
    tmux.line("stty -g >after; clear; echo what was there");
    // The former screen may begin in the same way.
    let is_next = |screen: &str| screen.starts_with("what was there") && !screen.contains("ended");
    tmux.wait_for("the next prompt", is_next);
    assert_eq!(tmux.file("after"), tmux.file("before"));
}

#[test]
fn keys_and_signals_end_it() {
    let scene = Scene::new();
    let tmux = shell(&scene);
    for key in ["q", "Q", "C-c"] {
        tmux.top("--forget");
        assert_eq!(tmux.modes(), TAKEN);
        tmux.press(key);
        as_it_was(&tmux, "ended 0");
    }
    for number in [Signal::SIGTERM, Signal::SIGINT, Signal::SIGQUIT, Signal::SIGHUP] {
        tmux.top("--forget --mouse");
        assert_eq!(tmux.modes(), "1 0 1");
        signal(tmux.process(), number);
        as_it_was(&tmux, &format!("ended {}", 128 + number as i32));
    }
}

#[test]
fn a_panic_is_told_on_the_screen_of_the_shell() {
    let scene = Scene::new();
    let tmux = shell(&scene);
    let first_line = |screen: &str| screen.lines().next().map(str::to_owned);
    let before = first_line(&tmux.screen());
    tmux.line("RUST_BACKTRACE=0 $TEST --ignored --exact terminal::program_that_panics --nocapture; echo ended $?");
    tmux.wait_for("the program", |screen| screen.contains("top: services"));
    tmux.make_file("seen");
    let ended = tmux.wait_text("ended 0");
    assert!(ended.contains("as the test wants"), "{ended}");
    // The clock would be there.
    assert_eq!(first_line(&ended), before, "{ended}");
    as_it_was(&tmux, "ended 0");
}

#[test]
#[ignore = "another test runs it in a terminal"]
fn program_that_panics() {
    let arguments = Arguments::parse_from(["ipvs-top", "--no-director", "--forget"]);
    let source = Source::of(|| {
        while !Path::new("seen").exists() {
            sleep(Duration::from_millis(20));
        }
        panic!("as the test wants");
    });
    let former = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        former(panic);
        // Meanwhile the clock of the screen goes on.
        sleep(Duration::from_millis(2500));
    }));
    let ended = run_on(&arguments, source);
    assert!(matches!(ended, Err(Failure::Panicked)), "{ended:?}");
}

#[test]
fn it_is_suspended_and_continued() {
    let scene = Scene::new();
    let tmux = shell(&scene);
    tmux.top("--forget");
    tmux.press("C-z");
    let stopped = tmux.wait_text("Stopped");
    assert!(stopped.contains("what was there"), "{stopped}");
    assert_eq!(tmux.modes(), SHELL);
    tmux.line("stty -g >stopped; clear");
    tmux.wait_for("an empty screen", |screen| screen.trim() == "$");
    assert_eq!(tmux.file("stopped"), tmux.file("before"));
    tmux.line("fg");
    tmux.wait_text("top: services");
    assert_eq!(tmux.modes(), TAKEN);
    tmux.press("?");
    tmux.wait_text("this help");

    // Without being asked.
    let process = tmux.process();
    signal(process, Signal::SIGSTOP);
    tmux.wait_text("Stopped");
    tmux.line("fg");
    tmux.wait_text("this help");
    tmux.press("Q");
    tmux.press("q");
    // The help does not say "top:" either.
    let deadline = Instant::now() + PATIENCE;
    while tmux.modes() != SHELL {
        assert!(Instant::now() < deadline, "{}", tmux.modes());
        sleep(Duration::from_millis(50));
    }

    // Ended while it is stopped.
    tmux.line("clear");
    tmux.top("--forget");
    let process = tmux.process();
    tmux.press("C-z");
    tmux.wait_text("Stopped");
    tmux.line("kill %1");
    wait_for_end(process);
    tmux.line("stty -g >after; clear; echo what was there");
    tmux.wait_for("the next prompt", |screen| screen.starts_with("what was there"));
    assert_eq!((tmux.file("after"), tmux.modes().as_str()), (tmux.file("before"), SHELL));
}

fn wait_for_end(process: i32) {
    let deadline = Instant::now() + PATIENCE;
    while Path::new(&format!("/proc/{process}")).exists() {
        assert!(Instant::now() < deadline, "the program does not end");
        sleep(Duration::from_millis(50));
    }
}

#[test]
fn it_follows_the_size() {
    let scene = Scene::new();
    let tmux = Tmux::start(&scene.home, 80, 24);
    tmux.top("--forget");
    for (width, height) in [(40, 15), (200, 60), (80, 24), (20, 6), (80, 24)] {
        tmux.resize(width, height);
        let is_so = |screen: &str| {
            let lines: Vec<_> = screen.lines().collect();
            let footer = lines.last().is_some_and(|line| line.starts_with("? help"));
            let clock =
                lines.first().is_some_and(|line| line.chars().count() == usize::from(width));
            footer && lines.len() == usize::from(height) && (clock || width < 40)
        };
        tmux.wait_for("screen of this size", is_so);
    }
}

#[test]
fn it_ends_with_its_terminal() {
    let scene = Scene::new();
    let tmux = Tmux::start(&scene.home, 80, 24);
    tmux.top("--forget");
    let process = tmux.process();
    assert!(Path::new(&format!("/proc/{process}")).exists());
    tmux.kill();
    wait_for_end(process);
}

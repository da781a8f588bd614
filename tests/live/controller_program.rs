//! The example program `controller`, on a real kernel or on the fake one.

use std::fs;
use std::io::{BufRead, BufReader, Lines, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::controller;
use crate::folder::Folder;

const WEB: &str = "-A -t 192.0.2.10:80 -s rr
-a -t 192.0.2.10:80 -r 10.0.0.2:8080 -m
-a -t 192.0.2.10:80 -r 10.0.0.3:8080 -m
";

/// A running program and its output. It ends with the test.
struct Running {
    child: Child,
    input: Option<ChildStdin>,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Running {
    fn start(mut command: Command) -> Self {
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { input: child.stdin.take(), child, lines }
    }

    fn with(arguments: &[&str], file: Option<&Path>) -> Self {
        let mut command = controller();
        command.args(arguments).args(file);
        Self::start(command)
    }

    fn hears(&mut self, text: &str) {
        self.input.as_mut().unwrap().write_all(text.as_bytes()).unwrap();
    }

    /// Waits for a line that is `expected`. Returns it and those before.
    #[track_caller]
    fn says(&mut self, expected: &str) -> Vec<String> {
        let mut lines = Vec::new();
        for line in self.lines.by_ref().map_while(Result::ok) {
            let over = line == expected;
            lines.push(line);
            if over {
                return lines;
            }
        }
        panic!("never {expected:?}: {lines:?}");
    }

    fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.id().try_into().unwrap()), signal).unwrap();
    }

    /// Waits for the end. Returns the exit code and standard error.
    fn end(mut self) -> (Option<i32>, String) {
        drop(self.input.take());
        let mut errors = String::new();
        let mut stderr = BufReader::new(self.child.stderr.take().unwrap());
        while stderr.read_line(&mut errors).unwrap() > 0 {}
        (self.child.wait().unwrap().code(), errors)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

#[test]
fn lines_change_what_is_wished_and_what_comes_of_it_is_told() {
    let mut running = Running::with(&[], None);
    running.hears(WEB);
    let lines = running.says("TCP 192.0.2.10:80 is as wished");
    assert!(lines.contains(&"TCP 192.0.2.10:80 serves".to_owned()), "{lines:?}");
    // A line that cannot be used changes nothing.
    running.hears("-a -t 192.0.2.10:81 -r 10.0.0.2:8080 -m\n-a -t 192.0.2.10:80 -r nonsense\n");
    running.hears("-a -t 192.0.2.10:80 -r 10.0.0.2:8080 -m -w 5\n");
    running.hears("-e -t 192.0.2.10:80 -r 10.0.0.2:8080 -m -w 5\n");
    running.says("done: ipvsadm -e -t 192.0.2.10:80 -r 10.0.0.2:8080 -m -w 5");
    running.hears("-d -t 192.0.2.10:80 -r 10.0.0.3:8080\n");
    running.says("TCP 192.0.2.10:80 -> 10.0.0.3:8080 drains");
    running.says("TCP 192.0.2.10:80 -> 10.0.0.3:8080 deleted: its connections had ended");
    running.hears("-D -t 192.0.2.10:80\n");
    running.says("TCP 192.0.2.10:80 has left");
    let (code, errors) = running.end();
    assert_eq!(code, Some(0), "{errors}");
    let errors: Vec<_> = errors.lines().collect();
    let [missing, nonsense, twice] = errors[..] else { panic!("{errors:?}") };
    let said = "controller: line 4: TCP 192.0.2.10:81 -> 10.0.0.2:8080: no such service is wished";
    assert_eq!(missing, said);
    assert!(nonsense.starts_with("controller: line 5, column "), "{nonsense}");
    assert!(twice.ends_with("10.0.0.2:8080: this destination is wished already"), "{twice}");
}

#[test]
fn the_end_of_the_input_is_the_end_when_everything_is_as_wished() {
    let mut running = Running::with(&[], None);
    running.hears(WEB);
    drop(running.input.take());
    running.says("TCP 192.0.2.10:80 is as wished");
    assert_eq!(running.end(), (Some(0), String::new()));
}

#[test]
fn a_file_is_read_again_when_it_changes() {
    let folder = Folder::new("controller");
    let file = folder.write("web.ipvsadm", WEB);
    let mut running = Running::with(&[], Some(&file));
    running.says("TCP 192.0.2.10:80 is as wished");
    // Neither half a file nor a wrong one changes the table.
    fs::write(&file, "").unwrap();
    std::thread::sleep(Duration::from_millis(1500));
    fs::write(&file, "-A -t 192.0.2.10:81\n-A -t nonsense\n").unwrap();
    std::thread::sleep(Duration::from_millis(1500));
    fs::write(&file, WEB.replace("192.0.2.10", "192.0.2.11")).unwrap();
    running.says("TCP 192.0.2.10:80 is about to leave");
    running.says("TCP 192.0.2.10:80 has left");
    running.signal(Signal::SIGINT);
    let (code, errors) = running.end();
    assert_eq!(code, Some(0), "{errors}");
    let errors: Vec<_> = errors.lines().collect();
    let [empty, wrong] = errors[..] else { panic!("{errors:?}") };
    assert!(empty.ends_with("no command; to wish an empty table, write -C"), "{empty}");
    assert!(wrong.contains("web.ipvsadm: line 2, column 7: "), "{wrong}");
}

#[test]
fn a_file_that_cannot_be_used_at_the_start_is_an_error() {
    let folder = Folder::new("controller");
    for (file, expected) in [
        (folder.join("missing"), "No such file"),
        (folder.write("bad", "-A -t nonsense\n"), "line 1, column 7: "),
    ] {
        let (code, errors) = Running::with(&[], Some(&file)).end();
        assert_eq!(code, Some(1), "{errors}");
        assert!(errors.contains(expected), "{errors}");
    }
}

#[test]
fn everything_leaves_at_the_end_if_that_is_asked_for() {
    for signal in [Some(Signal::SIGTERM), None] {
        let mut running = Running::with(&["--withdraw", "--hold", "1s"], None);
        running.hears(WEB);
        running.says("TCP 192.0.2.10:80 is as wished");
        match signal {
            Some(signal) => running.signal(signal),
            None => drop(running.input.take()),
        }
        let lines = running.says("TCP 192.0.2.10:80 is about to leave");
        assert!(!lines.iter().any(|line| line.contains("-w 0")), "{lines:?}");
        running.says("TCP 192.0.2.10:80 has left");
        assert_eq!(running.end(), (Some(0), String::new()));
    }
}

#[test]
fn a_reader_that_leaves_ends_the_program() {
    let mut command = controller();
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    drop(child.stdout.take());
    let mut input = child.stdin.take().unwrap();
    input.write_all(WEB.as_bytes()).unwrap();
    // Its input stays open.
    let status = child.wait().unwrap();
    assert!(status.success(), "{status}");
    drop(input);
}

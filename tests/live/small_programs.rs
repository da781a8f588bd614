//! Tests that run the small example programs.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use ipvs_netlink::{Destination, Service};

use crate::examples::example;
use crate::folder::Folder;
use crate::namespace::{fresh, run};

#[test]
fn every_program_has_help_and_refuses_what_it_does_not_know() {
    for name in [
        "list",
        "trace",
        "tokio",
        "smol",
        "quickstart",
        "health",
        "table",
        "ipvsadm",
        "controller",
        "doctor",
        "explain",
    ] {
        let run = |word: &str| Command::new(example(name)).arg(word).output().unwrap();
        let help = run(if name == "ipvsadm" { "-h" } else { "--help" });
        assert!(help.status.success() && help.stderr.is_empty(), "{name}: {help:?}");
        assert!(help.stdout.len() > 80, "{name}: {help:?}");
        let other = run("--no-such-option");
        let code = match name {
            "ipvsadm" => 255,
            // 2 says that it has found something.
            "doctor" => 5,
            _ => 2,
        };
        assert_eq!(other.status.code(), Some(code), "{name}: {other:?}");
        assert!(!other.stderr.is_empty() && other.stdout.is_empty(), "{name}: {other:?}");
    }
}

#[test]
fn the_checks_whose_instructions_are_counted_pass() {
    for workload in ["loop", "runner"] {
        let arguments = [workload, "300", "2", "500"];
        let output = Command::new(example("icount_health")).args(arguments).output().unwrap();
        assert!(output.status.success(), "{workload}: {output:?}");
        let says = String::from_utf8(output.stderr).unwrap();
        assert_eq!(says.contains(" passed, 0 failed"), workload == "runner", "{says}");
    }
}

#[test]
fn who_reads_no_further_hears_nothing() {
    let mut ipvs = fresh();
    for port in 1..=2000 {
        ipvs.add_service(&Service::tcp(([192, 0, 2, 10], port).into())).unwrap();
    }
    for words in ["list", "table export", "table --help", "quickstart", "health", "tokio"] {
        let mut words = words.split(' ');
        let mut child = Command::new(example(words.next().unwrap()))
            .args(words.clone())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // Close the output early, like `head`.
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{words:?}: {output:?}");
        assert!(output.stderr.is_empty(), "{words:?}: {output:?}");
    }
}

/// Returns lines of `trace` without their times.
fn timeless(lines: &str) -> Vec<String> {
    let line = |line: &str| {
        let (before, rest) = line.split_once(" <").unwrap();
        let (time, after) = rest.split_once(" s> ").unwrap();
        assert!(time.parse::<f64>().unwrap() >= 0.0, "{line}");
        format!("{before} {after}")
    };
    lines.lines().map(line).collect()
}

#[test]
fn the_readme_shows_what_trace_prints() {
    fresh();
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = fs::read_to_string(readme).unwrap();
    let (_, shown) = readme.split_once("bytes of the system call:\n\n```text\n").unwrap();
    let (shown, _) = shown.split_once("```").unwrap();
    let trace = |words: &str| {
        let words = words.split_ascii_whitespace();
        let output = Command::new(example("trace")).args(words).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        timeless(&String::from_utf8(output.stdout).unwrap())
    };
    let service = trace("-A -t 192.0.2.10:80 -s rr");
    let destination = trace("-a -t 192.0.2.10:80 -r 10.0.0.2:8080 -m");
    assert_eq!([service, destination, trace("")].concat(), timeless(shown));
}

#[test]
fn trace_does_what_its_words_and_standard_input_say() {
    let mut ipvs = fresh();
    ipvs.add_service(&Service::tcp(([192, 0, 2, 10], 80).into())).unwrap();
    let trace = |words: &[&str], input: &str| {
        let mut command = Command::new(example("trace"));
        let output = command.args(words).stdin(File::open(input).unwrap()).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    };
    let folder = Folder::new("trace");
    let file = folder.join("commands");
    let file = file.to_str().unwrap();
    let (code, printed, errors) = trace(&[], "/dev/null");
    assert_eq!((code, errors.as_str()), (0, ""));
    assert!(printed.starts_with("read services = 1 entry <"), "{printed}");
    // No commands are no reason to read the table.
    assert_eq!(trace(&["-R"], "/dev/null"), (0, String::new(), String::new()));
    fs::write(file, "-A -t 192.0.2.11:80\n-A -t 192.0.2.12:80 -s rr\n").unwrap();
    let (code, printed, errors) = trace(&["-R"], file);
    assert_eq!((code, errors.as_str()), (0, ""));
    assert_eq!(printed.matches(" = ok <").count(), 2, "{printed}");
    assert_eq!(ipvs.services().unwrap().len(), 3);
    let (code, printed, errors) = trace(&["-R"], file);
    assert_eq!((code, printed.matches(" = the service exists <").count()), (1, 2), "{printed}");
    assert!(errors.starts_with("trace: "), "{errors}");
    // A folder cannot be read.
    assert_eq!(trace(&["-R"], "/proc").0, 1);
    let script = "exec \"$0\" >/dev/full";
    let mut command = Command::new("sh");
    let output = command.args(["-c", script]).arg(example("trace")).output().unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{errors}");
    assert!(errors.contains("standard output: No space left"), "{errors}");
    fs::write(file, "-A -t nothing\n").unwrap();
    assert_eq!(trace(&["-R"], file).0, 2);
}

#[test]
fn a_drain_that_lasts_is_not_told_again_and_again() {
    let mut ipvs = fresh();
    let web = Service::tcp(([192, 0, 2, 10], 7000).into());
    ipvs.add_service(&web).unwrap();
    ipvs.add_destination(web.id, &Destination::direct_route(([127, 0, 0, 1], 7000).into()))
        .unwrap();
    crate::namespace::ip("address add 192.0.2.10/32 dev lo");
    let _listener = std::net::TcpListener::bind("0.0.0.0:7000").unwrap();
    let _connection = std::net::TcpStream::connect("192.0.2.10:7000").unwrap();
    let begin = Instant::now();
    let smol = example("smol");
    let script = "timeout 4 \"$0\" \"$1\" 127.0.0.1:7000; test $? = 124";
    let id = web.id.to_string();
    let printed = run("sh", &["-c", script, smol.to_str().unwrap(), &id]);
    assert!(begin.elapsed() >= Duration::from_secs(4));
    assert_eq!(printed.lines().count(), 1, "{printed}");
    assert!(printed.contains("active 1"), "{printed}");
}

#[test]
fn what_an_earlier_run_of_the_controller_has_left_leaves() {
    let mut ipvs = fresh();
    let folder = Folder::new("state");
    let (state, file) = (folder.join("state"), folder.join("wishes"));
    // Runs until the line `last`.
    let controller = |wishes: &str, last: &str| {
        fs::write(&file, wishes).unwrap();
        let mut command = Command::new(example("controller"));
        let command = command.arg(&file).arg("--state").arg(&state).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut lines = Vec::new();
        for line in BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok) {
            let over = line == last;
            lines.push(line);
            if over {
                break;
            }
        }
        child.kill().unwrap();
        child.wait().unwrap();
        lines
    };
    let theirs = Service::tcp(([192, 0, 2, 12], 80).into());
    ipvs.add_service(&theirs).unwrap();
    let (gone, stays) = ("-A -t 192.0.2.10:80\n", "-A -t 192.0.2.11:80\n");
    controller(&format!("{gone}{stays}"), "TCP 192.0.2.11:80 is as wished");
    assert_eq!(ipvs.services().unwrap().len(), 3);
    let lines = controller(stays, "TCP 192.0.2.10:80 has left");
    assert!(!lines.iter().any(|line| line.contains("-t 192.0.2.11:80")), "{lines:?}");
    assert_eq!(ipvs.services().unwrap().len(), 2);
}

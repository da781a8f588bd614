//! Tests that run the small example programs.

use std::io::{BufRead, BufReader};
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
        std::fs::write(&file, wishes).unwrap();
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

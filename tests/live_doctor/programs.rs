//! The program itself: what it prints, its exit codes, and that it changes nothing.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use ipvs_netlink::{Destination, Scheduler};
use serde_json::Value;

use crate::examples::example;
use crate::patient::{Patient, look, network, server, set, vs, web};

/// Runs the program. Returns its exit code and what it prints.
fn doctor(arguments: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(example("doctor"));
    let output = command.args(arguments).stdin(Stdio::null()).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// The host of the README's screenshot.
fn host_of_the_readme() -> Patient {
    let mut patient = Patient::with_network();
    network(&["address add 192.0.2.10/32 dev lo"]);
    let drained = server(3).weight(0);
    patient.add(&web().scheduler(Scheduler::SOURCE_HASHING), &[server(2), drained]);
    patient
}

#[test]
fn the_readme_shows_what_it_prints() {
    let _patient = host_of_the_readme();
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = fs::read_to_string(readme).unwrap();
    // The folder of the modules differs between the kernels of the tests.
    let (code, printed, errors) = doctor(&["--skip", "modules"]);
    assert_eq!((code, errors.as_str()), (3, ""));
    assert!(readme.contains(&format!("```text\n{printed}```\n")), "not in the README:\n{printed}");
}

#[test]
fn the_worst_finding_is_the_exit_code_and_nothing_is_changed() {
    let mut patient = host_of_the_readme();
    let state = |patient: &mut Patient| {
        let host = look();
        let table = patient.ipvs.snapshot().unwrap();
        (host.vs, host.sysctls.0, host.addresses, host.modules.loaded, table)
    };
    let before = state(&mut patient);
    let (code, printed, _) = doctor(&["--json", "--skip", "modules"]);
    assert_eq!(code, 3);
    assert_eq!(state(&mut patient), before);
    let printed: Value = serde_json::from_str(&printed).unwrap();
    assert_eq!(printed["severity"], "error");
    assert_eq!(printed["unread"], Value::Array(Vec::new()));
    let findings = printed["findings"].as_array().unwrap();
    let names: Vec<_> = findings.iter().map(|it| it["check"].as_str().unwrap()).collect();
    assert_eq!(names, ["weight-0", "ip-forward", "expire-nodest-conn"]);
    for key in ["severity", "title", "reason", "fix", "source"] {
        assert!(findings.iter().all(|it| !it[key].as_str().unwrap().is_empty()), "{key}");
    }
    assert!(findings[0]["evidence"][0].as_str().unwrap().contains("10.0.0.3:8080"));

    // Cured, one after the other.
    set("net/ipv4/ip_forward", "1");
    patient.ipvs.set_scheduler(web().id, Scheduler::ROUND_ROBIN).unwrap();
    assert_eq!(doctor(&["--skip", "modules"]).0, 1);
    vs("conn_reuse_mode", "0");
    assert_eq!(doctor(&["--skip", "modules"]).0, 2);
    assert_eq!(doctor(&["--only", "ip-forward,weight-0"]).0, 0);
}

#[test]
fn what_cannot_be_looked_at_has_a_code_of_its_own() {
    let patient = Patient::new();
    let (code, printed, errors) = doctor(&["--netns", "/run/netns/nosuch"]);
    assert_eq!((code, printed.as_str()), (4, ""));
    assert!(errors.starts_with("doctor: /run/netns/nosuch: No such file"), "{errors}");
    let (code, printed, errors) = doctor(&["--json", "--netns", "/proc/self/ns/uts"]);
    assert_eq!(code, 4, "{errors}");
    assert_eq!(errors, "doctor: /proc/self/ns/uts: not a network namespace\n");
    let printed: Value = serde_json::from_str(&printed).unwrap();
    assert_eq!(printed["unread"][0], "/proc/self/ns/uts: not a network namespace");
    let (_, _, errors) = doctor(&["--netns", "nosuch"]);
    assert!(errors.starts_with("doctor: /run/netns/nosuch: No such file"), "{errors}");
    let (code, _, errors) = doctor(&["--only", "everything"]);
    assert_eq!(code, 5);
    assert!(errors.contains("no such check; --list shows them"), "{errors}");
    let (code, _, errors) = doctor(&["--only", "ftp,modules", "--skip", "modules,ftp"]);
    assert_eq!(code, 5);
    assert!(errors.contains("leave no check to run"), "{errors}");
    // Without the privilege nobody sees the table.
    let mut other = patient;
    other.add(&web(), &[Destination::masquerade(([127, 0, 0, 1], 80).into())]);
    let script = format!("exec setpriv --bounding-set=-all {}", example("doctor").display());
    let output = Command::new("sh").args(["-c", &script]).output().unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(4), "{printed}");
    assert!(printed.contains("not looked at: the table: "), "{printed}");
    // What is not known of is neither missing nor that of a real server.
    assert!(printed.contains("0 errors, 0 warnings, 0 notes"), "{printed}");
}

#[test]
fn a_gap_matters_to_the_checks_that_need_it_unless_an_error_is_found() {
    let _patient = host_of_the_readme();
    // The files of a folder are hidden, in a mount namespace of its own. In place of one there is a
    // folder.
    let doctor = |hidden: &str, file: &str, checks: &str| {
        let script = "mount -t tmpfs none \"$1\" && mkdir \"$1/$2\" && exec \"$0\" --only \"$3\"";
        let program = example("doctor");
        let mut command = Command::new("unshare");
        command.args(["--mount", "sh", "-c", script]).arg(program).args([hidden, file, checks]);
        let output = command.output().unwrap();
        let printed = String::from_utf8(output.stdout).unwrap();
        (output.status.code().unwrap(), printed.contains("not looked at: /proc/sys/net/ipv4/"))
    };
    let vs = "/proc/sys/net/ipv4/vs";
    assert_eq!(doctor(vs, "conntrack", "writers"), (0, false));
    assert_eq!(doctor(vs, "conntrack", "conntrack"), (4, true));
    assert_eq!(doctor(vs, "conntrack", "weight-0"), (3, false));
    assert_eq!(doctor(vs, "conntrack", "conntrack,weight-0"), (3, true));
    assert_eq!(doctor("/proc/sys/net", "core", "ip-forward"), (4, true));
    assert_eq!(doctor("/proc/sys/net", "core", "route"), (0, false));
}

#[test]
fn another_namespace_is_looked_at_by_its_path() {
    let path = format!("/proc/{}/task/{}/ns/net", std::process::id(), rustix::thread::gettid());
    let _ill = host_of_the_readme();
    let ill = path.as_str();
    std::thread::scope(|scope| {
        let elsewhere = scope.spawn(|| {
            let _well = Patient::new();
            let (code, printed, _) = doctor(&["--skip", "modules"]);
            assert_eq!(code, 1);
            assert!(printed.starts_with("note: the table has no services"), "{printed}");
            assert_eq!(doctor(&["--skip", "modules,empty-table"]).0, 0);
            assert_eq!(doctor(&["--skip", "modules", "--netns", ill]).0, 3);
        });
        elsewhere.join().unwrap();
    });
}

#[test]
fn evidence_is_shortened_unless_all_is_asked_for() {
    let mut patient = Patient::with_network();
    patient.add(&web(), &(2..12).map(server).collect::<Vec<_>>());
    let (_, short, _) = doctor(&["--only", "ip-forward"]);
    assert!(short.contains("and 5 more: --all prints them"), "{short}");
    assert!(!short.contains("10.0.0.11"), "{short}");
    let (_, all, _) = doctor(&["--only", "ip-forward", "--all"]);
    assert!(all.contains("10.0.0.11:8080"), "{all}");
}

#[test]
fn every_check_is_listed() {
    let (code, printed, _) = doctor(&["--list"]);
    assert_eq!(code, 0);
    assert_eq!(printed.lines().count(), crate::checks::CHECKS.len());
    for check in crate::checks::CHECKS {
        assert!(printed.contains(check.name) && printed.contains(check.about), "{printed}");
    }
}

//! Tests the differences from the original that `examples/ipvsadm/main.rs` lists.

use std::collections::HashSet;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use ipvs_netlink::table::Table;
use ipvs_netlink::{
    AddressFamily, Change, Destination, Forwarding, Scheduler, Service, ServiceFlags,
};

use crate::client::Client;
use crate::namespace::{fresh, ipvsadm, run};
use crate::places::{LONG, with_names};
use crate::programs::{Program, ours};

/// Asserts the exit codes of the example and of the original.
#[track_caller]
fn codes(words: &str, input: &str, expected: [i32; 2]) {
    let codes = [Program::Ours, Program::Original].map(|program| program.fed(words, input).code);
    assert_eq!(codes, expected.map(Some), "ipvsadm {words} {input}");
}

#[test]
fn ambiguous_words_are_refused() {
    fresh();
    with_names(LONG);
    ipvsadm("-A -t 10.0.0.1:80");
    for words in [
        "-L -t 10.1:80",
        "-L -t 0xa000001:80",
        "-L -t 10.0.0.1:+80",
        "-L --syncid 5",
        "-A -t 10.0.0.1:81 -p +5",
        "-A -t 10.0.0.1:82 -p 5 -M 24",
        "-A -t [2001:db8::1]:80 -p 5 -M 64x",
        "-a -t 10.0.0.1:80 -r 10.0.1.1 -m -w +1",
    ] {
        codes(words, "", [2, 0]);
    }
    // The original leaves these names to the kernel.
    for words in [
        "-A -t 10.0.0.1:85 -s ../x",
        "-A -t 10.0.0.1:86 -p 60 --pe ../x",
        "--start-daemon backup --mcast-interface ''",
    ] {
        codes(words, "", [2, 255]);
    }
}

#[test]
fn clear_words_are_accepted() {
    fresh();
    with_names(LONG);
    for words in [
        "-A -f 5 -6",
        "-L -n -6 -f 5",
        "-A -6 -f 6",
        "-A -t 10.0.0.1:80",
        "-A -t [2001:db8::1]:80",
        "-A -t [six]:81",
        "-a -t [2001:db8::1]:80 -r [2001:db8::2] -m",
        "-a -t 10.0.0.1:80 -r 10.0.1.1 -m -w 65536",
    ] {
        let code = Program::Ours.run(words).code;
        assert_eq!(code, Some(0), "ipvsadm {words}");
    }
}

#[test]
fn nothing_is_restored_from_wrong_input() {
    let mut ipvs = fresh();
    let good = "-A -t 10.0.0.1:80\n";
    for bad in [
        "-A -t 10.0.0.256",
        "-Q",
        "-L -Q",
        "-L -t nosuch:80",
        "-S -L",
        "-R",
        "-h",
        "foo",
        "-A -t 10.0.0.1:80 -w 3",
        "-A -t 10.0.0.1:81 -p 4294968",
        "-a -t 10.0.0.1:80 -r 10.0.1.1 -m -x 5 -y 6",
    ] {
        let end = Program::Ours.fed("-R", &format!("{good}{bad}\n"));
        assert_eq!((end.code, end.complained), (Some(2), true), "{bad}");
        assert!(ipvs.services().unwrap().is_empty());
    }
    // After a line that the kernel refuses, the other lines are restored, and the exit code is 255.
    let end = Program::Ours.fed("-R", &format!("{good}{good}# comment\n-A -f 5\n"));
    assert_eq!((end.code, end.complained), (Some(255), true));
    assert_eq!(ipvs.services().unwrap().len(), 2);
}

#[test]
fn large_marks_and_unnamed_flags_are_printed() {
    fresh();
    ipvsadm("-A -f 4294967295 -s rr");
    ipvsadm("-A -t 10.0.0.1:80 -s sh -b sh-port,flag-3");
    let saved = Program::Ours.run("-S -n").output;
    assert_eq!(saved, "-A -f 4294967295 -s rr\n-A -t 10.0.0.1:80 -s sh -b sh-port,flag-3\n");
    let list = Program::Ours.run("-L -n").output;
    assert!(list.contains("\nFWM  4294967295 rr\n"), "{list}");
    assert!(list.contains("\nTCP  10.0.0.1:80 sh (sh-port,flag-3)\n"), "{list}");
}

#[test]
fn a_flag_option_without_flags_is_restored() {
    let mut ipvs = fresh();
    ipvsadm("-A -t 10.0.0.1:80 -s sh -b flag-3");
    let saved = Program::Original.run("-S -n").output;
    assert_eq!(saved, "-A -t 10.0.0.1:80 -s sh -b \n");
    for (program, code) in [(Program::Ours, 0), (Program::Original, 255)] {
        ipvs.flush().unwrap();
        assert_eq!(program.fed("-R", &saved).code, Some(code), "{program:?}");
    }
}

#[test]
fn an_object_without_a_command_is_reported_and_left_out() {
    let mut ipvs = fresh();
    let flagged = Service::fwmark(5, AddressFamily::Ipv4);
    ipvs.add_service(&flagged.flags(ServiceFlags::from_bits_retain(0x40))).unwrap();
    ipvs.add_service(&Service::fwmark(6, AddressFamily::Ipv4)).unwrap();
    let end = Program::Ours.run("-S -n");
    assert_eq!(end.output, "-A -f 6 -s wlc\n");
    assert_eq!((end.code, end.complained), (Some(1), true));
}

/// Reads the table of the kernel.
fn table(ipvs: &mut Client) -> Table {
    Table::from(&ipvs.snapshot().unwrap())
}

#[test]
fn settings_that_the_original_refuses_are_saved_and_restored() {
    let mut ipvs = fresh();
    let at =
        |address: &str| Service::tcp(address.parse().unwrap()).scheduler(Scheduler::ROUND_ROBIN);
    let services = [
        at("192.0.2.10:0"),
        at("192.0.2.11:80").one_packet(),
        at("192.0.2.12:80").persistent(Duration::ZERO),
        at("192.0.2.13:80").persistent(Duration::from_secs(4_294_967)),
        Service::sctp("192.0.2.14:80".parse().unwrap()).flags(ServiceFlags::SCHED_3),
    ];
    let server = Destination::masquerade("10.0.0.2:8080".parse().unwrap());
    for service in &services {
        ipvs.add_service(service).unwrap();
        ipvs.add_destination(service.id, &server.clone().thresholds(9, 5)).unwrap();
    }
    let before = table(&mut ipvs);
    let saved = Program::Ours.run("-S -n");
    assert_eq!((saved.code, saved.complained), (Some(0), false), "{}", saved.output);
    ipvs.flush().unwrap();
    let restored = Program::Ours.fed("-R", &saved.output);
    assert_eq!((restored.code, restored.complained), (Some(0), false));
    assert_eq!(table(&mut ipvs), before);
    assert_eq!(saved.output.parse(), Ok(before));
    // On a command line these settings are refused, as by the original.
    for line in saved.output.lines().filter(|line| line.starts_with("-A")).take(4) {
        assert_eq!(Program::Ours.run(line).code, Some(2), "{line}");
    }
}

#[test]
fn destinations_that_a_command_would_change_are_reported() {
    let mut ipvs = fresh();
    let web = Service::tcp("192.0.2.10:80".parse().unwrap());
    let at = |address: &str| Destination::direct_route(address.parse().unwrap());
    let local = at("10.0.0.4:80").forwarding(Forwarding::LocalNode);
    ipvs.add_service(&web).unwrap();
    for server in [at("10.0.0.2:8080"), at("10.0.0.2:80"), at("10.0.0.3:81"), local] {
        ipvs.add_destination(web.id, &server).unwrap();
    }
    let end = Program::Ours.run("-S -n");
    assert_eq!((end.code, end.complained), (Some(1), true));
    let mut lines: Vec<_> = end.output.lines().collect();
    lines.sort_unstable();
    let expected = [
        "-A -t 192.0.2.10:80 -s wlc",
        "-a -t 192.0.2.10:80 -r 10.0.0.2:80 -g -w 1",
        "-a -t 192.0.2.10:80 -r 10.0.0.4:80 -g -w 1",
    ];
    assert_eq!(lines, expected);
    ipvs.flush().unwrap();
    assert_eq!(Program::Ours.fed("-R", &end.output).code, Some(0));
}

#[test]
fn a_name_is_saved_only_if_it_maps_back_to_the_same_number() {
    let mut ipvs = fresh();
    with_names(LONG);
    // One name has two addresses. The name maps back to the first address only.
    let hosts = std::fs::read_to_string("/etc/hosts").unwrap();
    std::fs::write("/etc/hosts", hosts + "10.0.1.7 twice\n10.0.1.8 twice\n").unwrap();
    ipvsadm("-A -t 10.0.1.7:80");
    ipvsadm("-A -t 10.0.1.8:80");
    let before = table(&mut ipvs);
    let saved = Program::Ours.run("-S").output;
    assert_eq!(saved, "-A -t twice:http -s wlc\n-A -t 10.0.1.8:http -s wlc\n");
    ipvs.flush().unwrap();
    assert_eq!(Program::Ours.fed("-R", &saved).code, Some(0));
    assert_eq!(table(&mut ipvs), before);
}

#[test]
fn lines_that_print_are_run_in_their_turn() {
    let text = "-A -t 10.0.0.1:80\n-S -n\nipvsadm --list -n -t '10.0.0.1:80' # one\n\
                -A -t 10.0.0.2:80\n--save -n\n-L -n --timeout\n";
    let mut ipvs = fresh();
    let ours = Program::Ours.fed("-R", text);
    assert_eq!(ipvs.services().unwrap().len(), 2);
    // The original knows neither quotes nor comments.
    ipvs.flush().unwrap();
    let original = Program::Original.fed("-R", &text.replace('\'', "").replace("# one", ""));
    assert_eq!((ours.code, ours.complained), (Some(0), false));
    assert_eq!(ours.output, original.output);
    // A list that cannot be read is reported, and the other lines are run.
    ipvs.flush().unwrap();
    let end = Program::Ours.fed("-R", "-L -n -t 10.0.0.1:80\n-A -t 10.0.0.3:80\n");
    assert_eq!((end.complained, ipvs.services().unwrap().len()), (true, 1));
    assert_ne!(end.code, Some(0));
}

#[test]
fn a_reader_that_closes_the_pipe_gets_no_message() {
    fresh();
    // The list is longer than a pipe holds.
    for n in 1..=16 {
        let table: String =
            (0..250).map(|port| format!("-A -u 10.0.0.{n}:{}\n", 1000 + port)).collect();
        assert_eq!(Program::Ours.fed("-R", &table).code, Some(0));
    }
    let ours = ours();
    let script = format!("{} -L -n 2>&1 | head -n 1; echo ${{PIPESTATUS[0]}}", ours.display());
    let printed = run("bash", &["-c", &script]);
    let lines: Vec<_> = printed.lines().collect();
    assert!(lines[0].starts_with("IP Virtual Server"), "{printed}");
    assert_eq!(lines[1..], ["141"]);
}

#[test]
fn help_needs_no_kernel() {
    let ours = ours();
    let unshared = ["--user", "--net", ours.to_str().unwrap()];
    for (option, beginning) in [("-h", "ipvsadm v1.31"), ("--version", "ipvsadm v1.31 ")] {
        let printed = run("unshare", &[&unshared[..], &[option]].concat());
        assert!(printed.starts_with(beginning), "{printed}");
    }
    let list = Command::new("unshare").args(unshared).arg("-L").output().unwrap();
    assert_eq!((list.status.code(), list.stdout.len()), (Some(2), 0));
    assert!(!list.stderr.is_empty());
}

/// If others delete an entry between two pieces of a long list, the kernel leaves out another entry.
#[test]
fn an_incomplete_list_has_an_exit_code_of_its_own() {
    const COUNT: usize = 1500;
    let mut ipvs = fresh();
    let id = |n: usize| format!("10.0.{}.{}:80", n / 250, n % 250);
    let all: Vec<Change> =
        (0..COUNT).map(|n| Change::AddService(Service::tcp(id(n).parse().unwrap()))).collect();
    assert!(ipvs.submit(&all).is_done());
    let ended = AtomicBool::new(false);
    thread::scope(|scope| {
        // A new thread is in the network namespace of this one.
        scope.spawn(|| {
            let mut ipvs = Client::connect().unwrap();
            let other = Service::tcp("203.0.113.1:80".parse().unwrap());
            while !ended.load(Ordering::Relaxed) {
                ipvs.add_service(&other).unwrap();
                ipvs.delete_service(other.id).unwrap();
            }
        });
        for words in ["-S -n", "-L -n", "-L -n --nosort"].iter().cycle().take(12) {
            let end = Program::Ours.run(words);
            let services: HashSet<_> = end
                .output
                .lines()
                .filter(|line| line.contains("10.0."))
                .map(|line| line.to_owned())
                .collect();
            let lines = end.output.lines().filter(|line| line.contains("10.0.")).count();
            match end.code {
                Some(0) => assert_eq!((services.len(), lines), (COUNT, COUNT), "{words}"),
                code => assert_eq!((code, end.complained), (Some(6), true), "{words}"),
            }
        }
        ended.store(true, Ordering::Relaxed);
    });
}

//! Where ours is not as the original, as the example's head comment says.

use std::process::Command;

use ipvs_netlink::{AddressFamily, Service, ServiceFlags};

use crate::namespace::{fresh, ipvsadm, run};
use crate::places::with_names;
use crate::programs::{Program, ours};

/// How ours ends, and how the original.
#[track_caller]
fn codes(words: &str, input: &str, expected: [i32; 2]) {
    let codes = [Program::Ours, Program::Original].map(|program| program.fed(words, input).code);
    assert_eq!(codes, expected.map(Some), "ipvsadm {words} {input}");
}

#[test]
fn what_could_be_misread_is_refused() {
    fresh();
    with_names();
    ipvsadm("-A -t 10.0.0.1:80");
    for words in [
        "-L -t 10.1:80",
        "-L -t 0xa000001:80",
        "-L -t 10.0.0.1:+80",
        "-L --syncid 5",
        "-A -t 10.0.0.1:81 -p +5",
        "-A -t 10.0.0.1:82 -p 5 -M 24",
        "-A -t [2001:db8::1]:80 -p 5 -M 64x",
        "-A -t 10.0.0.1:83 -M 255.0.0.0",
        "-a -t 10.0.0.1:80 -r 10.0.1.1 -m -w +1",
    ] {
        codes(words, "", [2, 0]);
    }
    // The original asks the kernel.
    for words in [
        "-A -t 10.0.0.1:85 -s ../x",
        "-A -t 10.0.0.1:86 -p 60 --pe ../x",
        "--start-daemon backup --mcast-interface ''",
    ] {
        codes(words, "", [2, 255]);
    }
    // The kernel would count its timeout in ticks, which are too many.
    codes("-A -t 10.0.0.1:84 -p 2592000", "", [255, 0]);
}

#[test]
fn what_is_clear_is_accepted() {
    fresh();
    with_names();
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
fn nothing_is_restored_from_input_that_is_not_right() {
    let mut ipvs = fresh();
    let good = "-A -t 10.0.0.1:80\n";
    for bad in [
        "-A -t 10.0.0.1",
        "-Q",
        "-L",
        "-S",
        "-R",
        "-h",
        "foo",
        "-A -t 10.0.0.1:80 -w 3",
        "-A -t 10.0.0.1:81 -p 2592000",
        "-a -t 10.0.0.1:80 -r 10.0.1.1 -m -x 5 -y 6",
    ] {
        let end = Program::Ours.fed("-R", &format!("{good}{bad}\n"));
        assert_eq!((end.code, end.complained), (Some(2), true), "{bad}");
        assert!(ipvs.services().unwrap().is_empty());
    }
    // What the kernel refuses does not keep it from the rest, but is not forgotten.
    let end = Program::Ours.fed("-R", &format!("{good}{good}# comment\n-A -f 5\n"));
    assert_eq!((end.code, end.complained), (Some(255), true));
    assert_eq!(ipvs.services().unwrap().len(), 2);
}

#[test]
fn what_the_original_misprints_is_printed() {
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
fn what_the_original_saves_and_does_not_restore_is_restored() {
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
fn what_no_command_can_say_is_told_and_left_out() {
    let mut ipvs = fresh();
    let flagged = Service::fwmark(5, AddressFamily::Ipv4);
    ipvs.add_service(&flagged.flags(ServiceFlags::from_bits_retain(0x40))).unwrap();
    ipvs.add_service(&Service::fwmark(6, AddressFamily::Ipv4)).unwrap();
    let end = Program::Ours.run("-S -n");
    assert_eq!(end.output, "-A -f 6 -s wlc\n");
    assert_eq!((end.code, end.complained), (Some(1), true));
}

#[test]
fn who_reads_no_further_hears_nothing() {
    fresh();
    for n in 1..=8 {
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

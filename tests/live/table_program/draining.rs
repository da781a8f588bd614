//! Draining: what the program prints while it waits, and what ends the wait.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use ipvs_netlink::{Client, DestinationId, ServiceId};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::confirming::answered;
use super::{Folder, Running, run, table_of, there};
use crate::namespace::{fresh, ip, ipvsadm};

const NONE: &str = "services: []\n";

/// A service with a destination to which a client has a connection, in a fresh namespace.
struct Held {
    ipvs: Client,
    _listener: TcpListener,
    _connection: TcpStream,
}

impl Held {
    fn new() -> Self {
        let mut ipvs = fresh();
        ip("address add 192.0.2.10/32 dev lo");
        ipvsadm("-A -t 192.0.2.10:7000 -s rr");
        ipvsadm("-a -t 192.0.2.10:7000 -r 127.0.0.1:7000 -g");
        let listener = TcpListener::bind("0.0.0.0:7000").unwrap();
        let connection = TcpStream::connect("192.0.2.10:7000").unwrap();
        let held = ipvs.destinations(Self::service()).unwrap();
        assert_eq!(held[0].connections.active, 1, "{held:?}");
        Self { ipvs, _listener: listener, _connection: connection }
    }

    fn service() -> ServiceId {
        "TCP 192.0.2.10:7000".parse().unwrap()
    }

    fn weight(&mut self) -> u32 {
        let server: DestinationId = "127.0.0.1:7000".parse().unwrap();
        self.ipvs.destination(Self::service(), server).unwrap().destination.weight
    }
}

fn interrupt(running: &Running) {
    let process = Pid::from_raw(running.child.id().try_into().unwrap());
    kill(process, Signal::SIGINT).unwrap();
}

#[test]
fn who_is_asked_knows_what_will_be_waited_for_and_cut() {
    let mut held = Held::new();
    let folder = Folder::new("prompt");
    let none = folder.write("none.yaml", NONE);
    let ours = ["--drain-deadline", "90s", "--all"];
    let (_, diff, said) = answered(&[&["apply"], &ours[..]].concat(), &none, || (), "n\n");
    assert!(diff.contains("drains up to 90 s, active 1 inactive 0"), "{diff}");
    let told = "1 with active 1 inactive 0 persistent 0 drains for 90 s at most, then cuts the \
                connections that are left\nApply? [y/N] ";
    assert!(said.starts_with(told), "{said}");
    let (_, _, said) = answered(&["apply", "--no-drain", "--all"], &none, || (), "n\n");
    let told = "1 with active 1 inactive 0 persistent 0 leaves at once, which cuts them\n";
    assert!(said.starts_with(told), "{said}");
    let (_, _, said) = answered(
        &["drain", "--drain-deadline", "90s", "TCP 192.0.2.10:7000"],
        Path::new("127.0.0.1:7000"),
        || (),
        "n\n",
    );
    let told = "its connections (active 1 inactive 0 persistent 0) are cut after 90 s at most\n";
    assert!(said.contains(told), "{said}");
    assert_eq!(held.weight(), 1, "nobody said yes");
}

#[test]
fn what_is_cut_is_told_and_has_a_status_of_its_own() {
    let mut held = Held::new();
    let folder = Folder::new("cut");
    let none = folder.write("none.yaml", NONE);
    let (code, _, said) = run(&["apply", "-y", "--all", "--drain-deadline", "1s"], &none);
    assert_eq!(code, 9, "{said}");
    assert!(said.contains(": TCP 192.0.2.10:7000 active 1 inactive 0 persistent 0"), "{said}");
    assert!(said.contains("done, and cut connections that carried data: active 1"), "{said}");
    assert!(said.ends_with("1 cut\n"), "{said}");
    assert!(there(&mut held.ipvs).is_empty());
    drop(held);

    let _held = Held::new();
    let drain = ["drain", "-y", "--drain-deadline", "1s", "TCP 192.0.2.10:7000"];
    let (code, text, said) = run(&drain, Path::new("127.0.0.1:7000"));
    assert_eq!(code, 9, "{said}");
    assert!(text.contains("active 1 inactive 0 persistent 0"), "{text}");
}

#[test]
fn who_interrupts_is_told_what_stays() {
    let mut held = Held::new();
    let folder = Folder::new("interrupted");
    let none = folder.write("none.yaml", NONE);
    for (options, code) in [(&["--detailed-exitcode"][..], 10), (&[], 4)] {
        let apply = [&["apply", "-y", "--all", "--drain-deadline", "forever"], options].concat();
        let mut running = Running::start(table_of(&apply, &none));
        running.says(": TCP 192.0.2.10:7000");
        interrupt(&running);
        running.says("still draining");
        running
            .says_at_last("interrupted: draining destinations keep weight 0 and their connections");
        assert_eq!(running.child.wait().unwrap().code(), Some(code));
        assert_eq!(held.weight(), 0);
    }
    let drain = ["drain", "-y", "--drain-deadline", "forever", "TCP 192.0.2.10:7000"];
    let mut running = Running::start(table_of(&drain, Path::new("127.0.0.1:7000")));
    running.says("no other destination");
    running.says("table: weight 0 already; after an interruption it stays 0");
    running.says("draining for 0 s, no deadline: TCP 192.0.2.10:7000 -> 127.0.0.1:7000 active 1");
    interrupt(&running);
    running.says("interrupted: 127.0.0.1:7000 stays in TCP 192.0.2.10:7000 with weight 0");
    assert_eq!(running.child.wait().unwrap().code(), Some(4));
    assert_eq!(held.weight(), 0);
}

#[test]
fn only_a_file_that_can_be_applied_ends_the_waiting_for_the_one_before() {
    let mut held = Held::new();
    let folder = Folder::new("edits");
    let web = "services: [{tcp: \"192.0.2.10:7000\", scheduler: rr, forward: direct, \
               destinations: [{address: \"127.0.0.1:7000\"}]}]\n";
    let file = folder.write("web.yaml", web);
    let watch = ["apply", "-y", "--watch", "--drain-deadline", "forever"];
    let mut running = Running::start(table_of(&watch, &file));
    running.says_at_last("nothing differed");
    fs::write(&file, NONE).unwrap();
    running.says(": TCP 192.0.2.10:7000");
    // A bad version does not end the wait.
    fs::write(&file, "services: [").unwrap();
    running.says("the drain continues");
    assert_eq!(held.weight(), 0);
    // This version wants the draining destination back.
    fs::write(&file, web).unwrap();
    running.says_at_last("still draining");
    running.says_at_last("web.yaml: not finished");
    running.says_at_last("web.yaml: applied");
    assert_eq!(held.weight(), 1);
    // A signal ends the wait.
    fs::write(&file, NONE).unwrap();
    running.says_at_last(": TCP 192.0.2.10:7000");
    interrupt(&running);
    running.says_at_last("interrupted: ");
    running.child.wait().unwrap();
    assert_eq!(held.weight(), 0);
}

#[test]
fn a_destination_that_is_wanted_again_while_it_drains_gets_its_weight_back() {
    let mut held = Held::new();
    ipvsadm("-e -t 192.0.2.10:7000 -r 127.0.0.1:7000 -g -w 5");
    let folder = Folder::new("weights");
    let web = "services: [{tcp: \"192.0.2.10:7000\", scheduler: rr, forward: direct, \
               destinations: [{address: \"127.0.0.1:7000\"}]}]\n";
    let file = folder.write("web.yaml", web);
    let watch = ["apply", "-y", "--watch", "--keep-weights", "--drain-deadline", "forever"];
    let mut running = Running::start(table_of(&watch, &file));
    running.says_at_last("nothing differed");
    assert_eq!(held.weight(), 5);
    fs::write(&file, NONE).unwrap();
    running.says(": TCP 192.0.2.10:7000");
    assert_eq!(held.weight(), 0);
    fs::write(&file, web).unwrap();
    running.says_at_last("web.yaml: not finished");
    running.says_at_last("web.yaml: applied");
    assert_eq!(held.weight(), 5);
}

#[test]
fn a_new_version_is_taken_over_while_a_drain_goes_on_to_its_deadline() {
    let mut held = Held::new();
    let folder = Folder::new("takeover");
    let web = "services: [{tcp: \"192.0.2.10:7000\", scheduler: rr, forward: direct, \
               destinations: [{address: \"127.0.0.1:7000\"}]}]\n";
    let file = folder.write("web.yaml", web);
    let watch = ["apply", "-y", "--watch", "--drain-deadline", "10s"];
    let mut running = Running::start(table_of(&watch, &file));
    running.says_at_last("nothing differed");
    fs::write(&file, NONE).unwrap();
    running.says(": TCP 192.0.2.10:7000");
    let begun = Instant::now();
    sleep(Duration::from_secs(5));
    fs::write(&file, "services: [{tcp: \"192.0.2.11:80\"}]\n").unwrap();
    running.says_at_last("web.yaml: not finished");
    let other: ServiceId = "TCP 192.0.2.11:80".parse().unwrap();
    while held.ipvs.service(other).is_err() {
        assert!(begun.elapsed() < Duration::from_secs(30), "the new version is not applied");
        sleep(Duration::from_millis(50));
    }
    assert_eq!(held.weight(), 0, "the drain goes on");
    running.says_at_last("web.yaml: applied, connections were cut");
    // A deadline that began anew would end 15 s after the beginning at least.
    let time = begun.elapsed();
    assert!((9..15).contains(&time.as_secs()), "{time:?}");
    assert_eq!(there(&mut held.ipvs).services().next().unwrap().id(), other);
}

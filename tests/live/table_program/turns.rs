//! Programs that would write one table at the same time.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Stdio;

use ipvs_netlink::{Destination, Service, ServiceId};
use rustix::fs::{FlockOperation, flock};

use super::{Folder, LESS, Running, WEB, run, table_of, there};
use crate::namespace::fresh;

#[test]
fn two_programs_take_turns() {
    let mut ipvs = fresh();
    let folder = Folder::new("lock");
    let web = folder.write("web.yaml", WEB);
    let namespace = fs::File::open("/proc/thread-self/ns/net").unwrap();
    flock(&namespace, FlockOperation::LockExclusive).unwrap();
    assert_eq!(run(&["plan"], &web).0, 3, "looking needs no turn");
    let mut running = Running::start(table_of(&["apply", "-y"], &web));
    let holder = format!("table: process {} (", std::process::id());
    running.says_so(|line| {
        line.starts_with(&holder)
            && line.ends_with(") has the lock on /proc/self/ns/net; waiting 60 s for it")
    });
    assert!(there(&mut ipvs).is_empty());
    flock(&namespace, FlockOperation::Unlock).unwrap();
    running.says("table: 3 done");
    assert_eq!(running.child.wait().unwrap().code(), Some(0));
}

#[test]
fn what_the_file_says_when_it_is_the_turn_is_applied() {
    let mut ipvs = fresh();
    let folder = Folder::new("last");
    let web = folder.write("web.yaml", WEB);
    let namespace = fs::File::open("/proc/thread-self/ns/net").unwrap();
    for options in [&["apply", "-y"][..], &["apply", "-y", "--watch"]] {
        fs::write(&web, WEB).unwrap();
        flock(&namespace, FlockOperation::LockExclusive).unwrap();
        let mut running = Running::start(table_of(options, &web));
        running.says("waiting 60 s for it");
        fs::write(&web, LESS).unwrap();
        flock(&namespace, FlockOperation::Unlock).unwrap();
        running.says("table: 2 done");
        assert_eq!(there(&mut ipvs).services().next().unwrap().destinations().len(), 1);
        ipvs.flush().unwrap();
    }
    flock(&namespace, FlockOperation::LockExclusive).unwrap();
    let mut running = Running::start(table_of(&["apply", "-y"], &web));
    running.says("waiting 60 s for it");
    fs::remove_file(&web).unwrap();
    flock(&namespace, FlockOperation::Unlock).unwrap();
    running.says("No such file");
    assert_eq!(running.child.wait().unwrap().code(), Some(1));
    assert!(there(&mut ipvs).is_empty());
}

#[test]
fn a_pipe_is_read_once() {
    let mut ipvs = fresh();
    for path in ["-", "/dev/stdin"] {
        let mut command = table_of(&["apply", "-y", "--format", "yaml"], Path::new(path));
        let mut running = Running::start({
            command.stdin(Stdio::piped());
            command
        });
        running.child.stdin.take().unwrap().write_all(WEB.as_bytes()).unwrap();
        running.says("table: 3 done");
        ipvs.flush().unwrap();
    }
}

#[test]
fn who_keeps_the_lock_is_not_waited_for_without_end() {
    let mut ipvs = fresh();
    ipvs.add_service(&Service::tcp(([192, 0, 2, 10], 80).into())).unwrap();
    let server = Destination::masquerade(([10, 0, 0, 2], 8080).into());
    ipvs.add_destination(ServiceId::tcp(([192, 0, 2, 10], 80).into()), &server).unwrap();
    let before = there(&mut ipvs);
    let folder = Folder::new("keep");
    let web = folder.write("web.yaml", WEB);
    let namespace = fs::File::open("/proc/thread-self/ns/net").unwrap();
    // To read is enough for it, which takes no privilege.
    flock(&namespace, FlockOperation::LockShared).unwrap();
    for (arguments, last) in [
        (&["apply", "-y", "--wait", "1s"][..], web.as_path()),
        (&["apply", "-y", "--wait", "0"], &web),
        (&["drain", "-y", "--wait", "1s", "TCP 192.0.2.10:80"], Path::new("10.0.0.2:8080")),
    ] {
        let (code, _, errors) = run(arguments, last);
        assert_eq!(code, 1, "{errors}");
        let end = " keeps the lock on /proc/self/ns/net; nothing was changed\n";
        assert!(errors.ends_with(end), "{errors}");
        assert!(errors.contains(&format!("process {}", std::process::id())), "{errors}");
    }
    assert_eq!(there(&mut ipvs), before);
    let mut watching = Running::start(table_of(&["apply", "--watch", "-y", "--wait", "0"], &web));
    watching.says_at_last("keeps the lock");
    watching.says(": failed");
}

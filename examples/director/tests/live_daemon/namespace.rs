//! The daemon works in the network namespace of the file.

use std::fs::{self, File};
use std::thread;

use ipvs_netlink::Client;
use nix::sched::{CloneFlags, unshare};

use crate::daemon::{Daemon, id, ports, service, wait_for};

#[test]
fn table_and_checks_are_in_the_namespace_of_the_file() {
    // A thread stays in it as long as the test runs.
    let (here, there) = std::sync::mpsc::channel();
    let (end, ended) = std::sync::mpsc::channel::<()>();
    let stays = thread::spawn(move || {
        unshare(CloneFlags::CLONE_NEWNET).unwrap();
        let own = fs::read_link("/proc/thread-self").unwrap();
        here.send(format!("/proc/{}/ns/net", own.display())).unwrap();
        let _ = ended.recv();
    });
    let path = there.recv().unwrap();
    let mut daemon = Daemon::new("");
    daemon.write_all(&format!("namespace: {path}\nservices:\n{}", service(1301, 9)));
    daemon.start();
    let namespace = File::open(&path).unwrap();
    let mut client = Client::in_namespace_fd(&namespace).unwrap();
    wait_for("the service", || client.snapshot().unwrap().service(id(1301)).is_some());
    assert!(!ports().contains(&1301));
    // All threads are there.
    let wanted = fs::read_link(&path).unwrap();
    for task in fs::read_dir(format!("/proc/{}/task", daemon.pid())).unwrap() {
        assert_eq!(fs::read_link(task.unwrap().path().join("ns/net")).unwrap(), wanted);
    }
    // Another one needs a restart.
    daemon.write(&service(1301, 9));
    let said = daemon.order(&["reload"]);
    assert!(said.contains("`namespace` cannot change while the daemon runs"), "{said}");
    daemon.stop();
    drop(end);
    stays.join().unwrap();
}

#[test]
fn a_namespace_that_is_not_there_is_told() {
    let daemon = Daemon::new("");
    daemon.write_all(&format!("namespace: nowhere\nservices:\n{}", service(1302, 9)));
    let (code, said) = daemon.fail(|_| ());
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.contains("namespace /run/netns/nowhere cannot be entered: No such file"),
        "{said}"
    );
}

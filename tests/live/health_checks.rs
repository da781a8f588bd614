//! Single checks on a real kernel: namespaces, marks, interfaces, refusals by ICMP.

use std::net::{SocketAddr, TcpListener};
use std::thread;

use ipvs_netlink::health::Outcome;
use ipvs_netlink::health::probe::{CommandCheck, Origin, Probe};
use nix::sched::{CloneFlags, unshare};

use crate::namespace::{fresh, ip};

fn own_namespace() -> String {
    std::fs::read_link("/proc/thread-self/ns/net").unwrap().display().to_string()
}

fn check(probe: &Probe, target: SocketAddr) -> Result<(), String> {
    match probe.once(target).unwrap() {
        Outcome::Passed(_) => Ok(()),
        Outcome::Failed(reason) => Err(reason),
        other => panic!("{other:?}"),
    }
}

/// Runs `work` on another thread in a network namespace without any route, and gives it the path of
/// this thread's namespace.
fn elsewhere(work: impl FnOnce(&str) + Send) {
    let path = format!("/proc/self/task/{}/ns/net", rustix::thread::gettid());
    let work = || {
        unshare(CloneFlags::CLONE_NEWNET).unwrap();
        let before = own_namespace();
        work(&path);
        assert_eq!(own_namespace(), before, "the caller's thread stays where it is");
    };
    thread::scope(|scope| scope.spawn(work).join()).unwrap();
}

#[test]
fn a_check_comes_from_the_namespace_that_is_asked_for() {
    let _ipvs = fresh();
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let target = server.local_addr().unwrap();
    elsewhere(|path| {
        let there = Origin::new().namespace(path);
        assert!(check(&Probe::tcp(), target).is_err(), "nobody listens here");
        assert_eq!(check(&Probe::tcp().origin(there.clone()), target), Ok(()));
        let link = std::fs::read_link(path).unwrap().display().to_string();
        let is_there = format!("test $(readlink /proc/self/ns/net) = '{link}'");
        let command = Probe::command(CommandCheck::new("sh", ["-c", &is_there]));
        assert!(check(&command, target).is_err());
        assert_eq!(check(&command.origin(there), target), Ok(()));
        for (path, reason) in [
            ("/run/netns/nosuch", "No such file"),
            ("/dev/null", "no network namespace"),
            ("/proc/self/ns/uts", "no network namespace"),
        ] {
            let origin = Origin::new().namespace(path);
            let message = check(&Probe::tcp().origin(origin.clone()), target).unwrap_err();
            assert!(message.contains(path) && message.contains(reason), "{message}");
            let command = Probe::command(CommandCheck::new("true", [""; 0])).origin(origin);
            let message = check(&command, target).unwrap_err();
            assert!(message.contains(path) && message.contains(reason), "{message}");
        }
    });
}

#[test]
fn a_mark_and_an_interface_choose_the_way() {
    let _ipvs = fresh();
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let target = server.local_addr().unwrap();
    let with = |origin| check(&Probe::tcp().origin(origin), target);
    assert_eq!(with(Origin::new().interface("lo").mark(5)), Ok(()));
    assert!(with(Origin::new().interface("nosuch")).unwrap_err().contains("No such device"));
    // The rule for local addresses comes first, unless one comes before it.
    ip("rule add pref 2 lookup local");
    ip("rule add pref 1 fwmark 7 prohibit");
    ip("rule del pref 0");
    assert!(with(Origin::new().mark(7)).is_err());
    assert_eq!(with(Origin::new().mark(6)), Ok(()));
}

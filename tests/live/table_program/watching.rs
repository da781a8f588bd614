//! `apply --watch`.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use ipvs_netlink::Service;
use nix::sys::signal::{Signal, kill};
use nix::sys::stat::Mode;
use nix::unistd::{Pid, mkfifo};

use super::{Folder, LESS, Running, WEB, run, table_of, there};
use crate::namespace::fresh;

fn watch(options: &[&str], file: &Path) -> Running {
    let arguments = [&["apply", "--watch", "-y"], options].concat();
    Running::start(table_of(&arguments, file))
}

impl Running {
    /// It says how much is done, and that it has applied the file.
    #[track_caller]
    fn applies(&mut self, done: &str) {
        self.says(done);
        self.says(": applied");
    }
}

#[test]
fn a_file_that_changes_is_applied_again() {
    let mut ipvs = fresh();
    let folder = Folder::new("watch");
    let web = folder.write("web.yaml", WEB);
    let mut running = watch(&[], &web);
    running.applies("table: 3 done");
    assert_eq!(there(&mut ipvs).services().next().unwrap().destinations().len(), 2);
    fs::write(&web, WEB.replace("192.0.2.10", "192.0.2.11")).unwrap();
    running.applies(" done");
    let services = there(&mut ipvs);
    let only = services.services().next().unwrap().id();
    assert_eq!((services.len(), only.to_string().as_str()), (1, "TCP 192.0.2.11:80"));
    fs::write(&web, WEB).unwrap();
    running.applies(" done");

    fs::write(&web, "services: [").unwrap();
    running.says("line");
    assert_eq!(there(&mut ipvs).len(), 1, "a bad file changes nothing");

    // As editors do it: another file in its place.
    let other = folder.write("new.yaml", WEB.replace("10.0.0.3", "10.0.0.4"));
    fs::rename(other, &web).unwrap();
    running.says_at_last(": applied");
    let servers = ipvs.destinations(ipvs_netlink::ServiceId::tcp(([192, 0, 2, 10], 80).into()));
    assert!(
        servers.unwrap().iter().any(|entry| entry.destination.id.to_string() == "10.0.0.4:8080")
    );
}

#[test]
fn what_has_left_the_file_and_the_table_is_ours_no_more() {
    let mut ipvs = fresh();
    let folder = Folder::new("former");
    let web = folder.write("web.yaml", WEB);
    let mut running = watch(&[], &web);
    running.applies("table: 3 done");
    fs::write(&web, WEB.replace("192.0.2.10", "192.0.2.11")).unwrap();
    running.applies(" done");
    let theirs = Service::tcp(([192, 0, 2, 10], 80).into());
    ipvs.add_service(&theirs).unwrap();
    fs::write(&web, LESS.replace("192.0.2.10", "192.0.2.11")).unwrap();
    running.applies(" done");
    assert!(ipvs.service(theirs.id).is_ok());
    assert_eq!(there(&mut ipvs).len(), 2);
}

#[test]
fn what_is_gone_is_ours_no_more_while_something_else_fails() {
    let mut ipvs = fresh();
    let folder = Folder::new("partly");
    let other = WEB.replace("services:", "").replace("192.0.2.10", "192.0.2.11");
    let web = folder.write("web.yaml", format!("{WEB}{other}"));
    let mut running = watch(&[], &web);
    running.applies("table: 6 done");
    // 127.255.255.255 is a broadcast address.
    let failing = WEB.replace("10.0.0.3:8080", "127.255.255.255:80");
    fs::write(&web, &failing).unwrap();
    running.says_at_last(": applied in part");
    let theirs = Service::tcp(([192, 0, 2, 11], 80).into());
    ipvs.add_service(&theirs).unwrap();
    fs::write(&web, failing.replace("wrr", "lc")).unwrap();
    running.says_at_last(": applied in part");
    assert!(ipvs.service(theirs.id).is_ok());
}

#[test]
fn what_is_left_of_a_deletion_stays_ours() {
    let mut ipvs = fresh();
    let folder = Folder::new("left");
    let other = WEB.replace("services:", "").replace("192.0.2.10", "192.0.2.11");
    let web = folder.write("web.yaml", format!("{WEB}{other}"));
    let mut running = watch(&["--stop-on-failure"], &web);
    running.applies("table: 6 done");
    fs::write(&web, WEB.replace("10.0.0.3:8080", "127.255.255.255:80")).unwrap();
    running.says_at_last(": applied in part");
    assert_eq!(there(&mut ipvs).len(), 2);
    fs::write(&web, WEB).unwrap();
    running.says_at_last(": applied");
    assert_eq!(there(&mut ipvs).len(), 1);
}

#[test]
fn a_file_that_cannot_be_used_at_the_start_is_an_error() {
    let mut ipvs = fresh();
    let folder = Folder::new("start");
    for (file, code, expected) in [
        (folder.join("missing.yaml"), 1, "No such file"),
        (folder.write("table", WEB), 1, "use --format"),
        (folder.write("bad.yaml", "services: ["), 5, "line 1"),
    ] {
        let (end, _, errors) = run(&["apply", "--watch", "-y"], &file);
        assert_eq!(end, code, "{errors}");
        assert!(errors.contains(expected), "{errors}");
    }
    assert!(there(&mut ipvs).is_empty());
}

#[test]
fn what_can_never_be_applied_at_the_start_is_an_error() {
    let mut ipvs = fresh();
    let folder = Folder::new("never");
    let web = folder.write("web.yaml", WEB);
    let odd = folder.write("odd.yaml", WEB.replace("scheduler: wrr", "scheduler: nosuch"));
    let missing = folder.join("missing.yaml");
    let missing = missing.to_str().unwrap();
    for (options, file, code) in [
        (&["--strict"][..], &odd, 5),
        (&["--only", "--own-ports", "443"], &web, 5),
        (&["--allow", "update-service"], &web, 5),
        (&["--formerly", missing], &web, 1),
    ] {
        let (end, _, errors) = run(&[&["apply", "--watch", "-y"], options].concat(), file);
        assert_eq!(end, code, "{options:?}: {errors}");
    }
    assert!(there(&mut ipvs).is_empty());
}

#[test]
fn a_file_that_cannot_be_read_any_more_is_told_once() {
    let mut ipvs = fresh();
    let folder = Folder::for_fifos("gone");
    let web = folder.write("web.yaml", WEB);
    let mut running = watch(&[], &web);
    running.applies("table: 3 done");
    fs::remove_file(&web).unwrap();
    running.says("web.yaml: No such file");
    sleep(Duration::from_secs(2));
    fs::create_dir(&web).unwrap();
    running.says("web.yaml: Is a directory");
    assert_eq!(there(&mut ipvs).len(), 1);
    fs::remove_dir(&web).unwrap();
    // To open this waits for whoever opens the other end.
    mkfifo(&web, Mode::S_IRUSR | Mode::S_IWUSR).unwrap();
    running.says("web.yaml: not a regular file");
    sleep(Duration::from_secs(2));
    fs::remove_file(&web).unwrap();
    fs::write(&web, LESS).unwrap();
    running.says_at_last(": applied");
}

#[test]
fn a_file_that_asks_for_no_services_is_applied() {
    let mut ipvs = fresh();
    let folder = Folder::new("none");
    let theirs = Service::tcp(([192, 0, 2, 1], 80).into());
    ipvs.add_service(&theirs).unwrap();
    for (name, some, none) in [
        ("web.yaml", WEB, "services: []\n"),
        (
            "web.toml",
            "[[services]]\ntcp = \"192.0.2.10:80\"\nforward = \"masquerade\"\n\
             destinations = [{address = \"10.0.0.2:80\"}]\n",
            "services = []\n",
        ),
    ] {
        let web = folder.write(name, some);
        let mut running = watch(&[], &web);
        running.applies(" done");
        assert_eq!(there(&mut ipvs).len(), 2, "{name}");
        // Half of it is there.
        fs::write(&web, "").unwrap();
        running.says_at_last(": refused");
        assert_eq!(there(&mut ipvs).len(), 2, "{name}");
        fs::write(&web, none).unwrap();
        running.says_at_last(": applied");
        assert_eq!(there(&mut ipvs).services().next().unwrap().id(), theirs.id, "{name}");
    }
}

#[test]
fn what_others_have_changed_is_undone_when_the_file_is_written_again() {
    let mut ipvs = fresh();
    let folder = Folder::new("again");
    let web = folder.write("web.yaml", WEB);
    let mut running = watch(&[], &web);
    running.applies("table: 3 done");
    ipvs.flush().unwrap();
    // As it was. Some file systems count in seconds, as that of the test's kernel.
    sleep(Duration::from_millis(1100));
    fs::write(&web, WEB).unwrap();
    running.applies("table: 3 done");
    ipvs.flush().unwrap();
    sleep(Duration::from_millis(1100));
    fs::rename(folder.write("new.yaml", WEB), &web).unwrap();
    running.applies("table: 3 done");
    ipvs.flush().unwrap();
    let process = Pid::from_raw(running.child.id().try_into().unwrap());
    kill(process, Signal::SIGHUP).unwrap();
    running.applies("table: 3 done");
    assert_eq!(there(&mut ipvs).len(), 1);
    // Nothing waits: the signal ends it at once.
    kill(process, Signal::SIGTERM).unwrap();
    assert_eq!(running.child.wait().unwrap().signal(), Some(Signal::SIGTERM as i32));
    drop(running);
    ipvs.flush().unwrap();

    let mut running = watch(&["--every", "1s"], &web);
    running.applies("table: 3 done");
    ipvs.flush().unwrap();
    running.says_at_last("table: 3 done");
    assert_eq!(there(&mut ipvs).len(), 1);
}

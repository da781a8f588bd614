//! The example `table`, as a person runs it.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use ipvs_netlink::table::Table;
use ipvs_netlink::{Client, Destination, Service};
use rustix::fs::{FlockOperation, flock};

use crate::ipvsadm::example;
use crate::namespace::{fresh, ipvsadm};

const WEB: &str = "
services:
  - tcp: 192.0.2.10:80
    scheduler: rr
    forward: masquerade
    destinations:
      - {address: \"10.0.0.2:8080\", weight: 3}
      - {address: \"10.0.0.3:8080\"}
";

const LESS: &str = "
services:
  - tcp: 192.0.2.10:80
    scheduler: rr
    forward: masquerade
    destinations:
      - {address: \"10.0.0.2:8080\", weight: 3}
";

/// A folder of this test's own.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("table-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, text).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).ok();
    }
}

fn table(arguments: &[&str]) -> Command {
    let mut command = Command::new(example("table"));
    command.args(arguments).stdin(Stdio::null());
    command
}

/// Runs the program on a file. Returns its exit code and what it prints.
fn run(arguments: &[&str], file: &Path) -> (i32, String, String) {
    let Output { status, stdout, stderr } = table(arguments).arg(file).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code().unwrap(), text(stdout), text(stderr))
}

fn there(ipvs: &mut Client) -> Table {
    Table::from(&ipvs.snapshot().unwrap())
}

#[test]
fn from_a_running_table_to_a_file_and_back() {
    let mut ipvs = fresh();
    let folder = Folder::new("export");
    ipvsadm("-A -t 192.0.2.10:80 -s wrr -p 300");
    ipvsadm("-a -t 192.0.2.10:80 -r 10.0.0.2:8080 -m -w 3 -x 100 -y 80");
    ipvsadm("-A -f 5 -6 -s sh -b sh-fallback");
    ipvsadm("-a -f 5 -6 -r [2001:db8::2]:0 -i --tun-type gre --tun-csum -w 0");
    let before = there(&mut ipvs);
    for format in ["yaml", "toml", "json", "ipvsadm"] {
        let output = table(&["export", "--format", format]).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let file = folder.write(&format!("table.{format}"), output.stdout);
        let (code, plan, _) = run(&["plan", "--all"], &file);
        assert_eq!((code, plan.as_str()), (0, "no changes\n"), "{format}");
        ipvs.flush().unwrap();
        let (code, _, errors) = run(&["apply", "--all", "--yes"], &file);
        assert_eq!(code, 3, "{format}: {errors}");
        assert_eq!(there(&mut ipvs), before, "{format}");
    }
}

#[test]
fn exit_codes_tell_what_happened() {
    let mut ipvs = fresh();
    let folder = Folder::new("codes");
    let web = folder.write("web.yaml", WEB);
    assert_eq!(run(&["validate"], &web).0, 0);
    let (code, plan, _) = run(&["plan"], &web);
    assert_eq!(code, 3);
    assert!(
        plan.starts_with("+ TCP 192.0.2.10:80 rr\n+   10.0.0.2:8080 Masq weight 3\n"),
        "{plan}"
    );
    assert!(there(&mut ipvs).is_empty(), "a plan changes nothing");

    let (code, _, errors) = run(&["apply"], &web);
    assert_eq!((code, errors.as_str()), (1, "table: nobody is there to confirm; say --yes\n"));
    assert!(there(&mut ipvs).is_empty());
    let (code, _, notes) = run(&["apply", "-y"], &web);
    assert_eq!((code, notes.as_str()), (3, "table: 3 done\n"));
    assert_eq!(run(&["apply", "-y"], &web).0, 0);

    // 127.255.255.255 is a broadcast address.
    let partly = WEB.replace("10.0.0.3:8080", "127.255.255.255:80");
    let (code, _, errors) = run(&["apply", "-y"], &folder.write("partly.yaml", partly));
    assert_eq!(code, 4, "{errors}");
    assert!(errors.contains("127.255.255.255:80"), "{errors}");
    assert!(errors.ends_with("table: 1 failed, 2 skipped\n"), "{errors}");
    let other = "  - tcp: 192.0.2.11:80\n    scheduler: roundrobin\n";
    let both =
        folder.write("both.yaml", WEB.replace("10.0.0.3:8080", "127.255.255.255:80") + other);
    let (code, _, errors) = run(&["apply", "-y", "--stop-on-failure"], &both);
    assert_eq!(code, 4, "{errors}");
    assert!(
        errors.starts_with(
            "table: TCP 192.0.2.11:80: no Linux known here has a scheduler roundrobin\n"
        ),
        "{errors}"
    );
    assert!(errors.ends_with("table: 1 failed, 3 skipped\n"), "{errors}");
    assert_eq!(
        ipvs.destinations(ipvs_netlink::ServiceId::tcp(([192, 0, 2, 10], 80).into()))
            .unwrap()
            .len(),
        2
    );

    assert_eq!(run(&["apply", "-y"], &folder.0.join("missing.yaml")).0, 1);
    assert_eq!(run(&["plan", "--no-such-option"], &web).0, 2);
    let forbidden = WEB.replace("rr", "lc");
    let forbidden = folder.write("forbidden.yaml", forbidden);
    let (code, _, errors) = run(&["apply", "-y", "--allow", "add-destination"], &forbidden);
    assert_eq!(code, 5, "{errors}");
    assert!(errors.contains("not allowed: ipvsadm -E"), "{errors}");
    assert_eq!(run(&["apply", "--yes", "--commands"], &web).0, 2, "no dry run that writes");
}

#[test]
fn only_what_is_ours_goes_away() {
    let mut ipvs = fresh();
    let folder = Folder::new("scope");
    for host in [10, 11, 12] {
        ipvs.add_service(&Service::tcp(([192, 0, 2, host], 80).into())).unwrap();
    }
    let web = folder.write("web.yaml", WEB);
    assert_eq!(run(&["apply", "-y"], &web).0, 3);
    assert_eq!(there(&mut ipvs).len(), 3);
    let formerly = folder.write("old.ipvsadm", "-A -t 192.0.2.11:80 -s rr\n");
    let option = format!("--formerly={}", formerly.display());
    assert_eq!(run(&["apply", "-y", &option], &web).0, 3);
    assert_eq!(there(&mut ipvs).len(), 2);
    let own =
        ["apply", "-y", "--own-networks", "192.0.2.0/24", "--except-networks", "192.0.2.12/32"];
    assert_eq!(run(&own, &web).0, 0);
    assert_eq!(run(&own[..4], &web).0, 3);
    assert_eq!(there(&mut ipvs).len(), 1);
}

#[test]
fn bad_files_are_refused_precisely_and_change_nothing() {
    let mut ipvs = fresh();
    ipvs.add_service(&Service::tcp(([192, 0, 2, 1], 80).into())).unwrap();
    let before = there(&mut ipvs);
    let folder = Folder::new("bad");
    let laughs = "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\n\
        c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nservices: [*c,*c,*c,*c,*c,*c,*c,*c]\n";
    let twice = "services: [{tcp: 1.2.3.4:80}, {tcp: 1.2.3.4:80}]";
    let cases: &[(&str, &[u8], &str)] = &[
        ("unknown.yaml", b"services:\n  - tcp: 1.2.3.4:80\n    wieght: 3\n", "line 3 column 5: unknown field `wieght`"),
        ("unknown.toml", b"[[services]]\ntcp = \"1.2.3.4:80\"\nwieght = 3\n", "line 3"),
        ("unknown.json", b"{\"services\": [{\"tcp\": \"1.2.3.4:80\",\n\"wieght\": 3}]}", "line 2"),
        ("twice.yaml", twice.as_bytes(), "TCP 1.2.3.4:80"),
        ("key.yaml", b"services: [{tcp: 1.2.3.4:80, tcp: 1.2.3.4:81}]", "duplicate"),
        ("type.yaml", b"services: 5", "line 1"),
        ("weight.yaml", b"services: [{tcp: 1.2.3.4:80, forward: direct, destinations: [{address: 10.0.0.1:80, weight: -1}]}]", "weight"),
        ("range.yaml", b"services: [{tcp: 1.2.3.4:80, forward: direct, destinations: [{address: 10.0.0.1:80, weight: 4294967295}]}]", "at most 2147483647"),
        ("empty.yaml", b"", "line 1"),
        ("utf8.yaml", b"services:\n  - tcp: \xff\n", "line 2: not UTF-8"),
        ("nul.toml", b"\0", "line 1"),
        ("laughs.yaml", laughs.as_bytes(), "line"),
        ("word.ipvsadm", b"-A -t 192.0.2.1:80 -s rr\n-a -t 192.0.2.1:80 -r 10.0.0.1:80 -m -w x\n", "line 2, column 41"),
        ("order.ipvsadm", b"-a -t 192.0.2.1:80 -r 10.0.0.1:80\n", "line 1"),
        ("flush.ipvsadm", b"-C\n", "line 1"),
        ("empty.ipvsadm", b"# nothing\n", "there is no service in it"),
    ];
    for (name, text, expected) in cases {
        let file = folder.write(name, text);
        for command in [&["plan", "--all"][..], &["apply", "--all", "-y"], &["validate"]] {
            let (code, _, errors) = run(command, &file);
            assert_eq!(code, 5, "{name}: {errors}");
            assert!(errors.contains(expected), "{name}: {errors}");
            assert!(errors.len() < 3000, "{name}: {}", errors.len());
        }
    }
    for (name, piece) in
        [("deep.yaml", "["), ("deep.json", "["), ("deep.toml", "a=["), ("long.ipvsadm", "x")]
    {
        let file = folder.write(name, piece.repeat(100_000));
        assert_eq!(run(&["apply", "--all", "-y"], &file).0, 5, "{name}");
    }
    // More than is read of any file.
    let zeros = Path::new("/dev/zero");
    for format in ["yaml", "toml", "json", "ipvsadm"] {
        let (code, _, errors) = run(&["apply", "-y", "--format", format], zeros);
        assert_eq!(code, 5, "{errors}");
        assert!(errors.contains("longer than 16 MiB"), "{errors}");
    }
    assert_eq!(there(&mut ipvs), before);
}

#[test]
fn a_destination_is_drained() {
    let mut ipvs = fresh();
    let web = Service::tcp(([192, 0, 2, 10], 80).into());
    let server = Destination::masquerade(([10, 0, 0, 2], 8080).into());
    ipvs.add_service(&web).unwrap();
    ipvs.add_destination(web.id, &server).unwrap();
    let arguments = ["drain", "-y", "--drain-deadline", "1s", "TCP 192.0.2.10:80"];
    let (code, text, notes) = run(&arguments, Path::new("10.0.0.2:8080"));
    assert_eq!((code, text.as_str()), (3, "deleted, with no connection left\n"));
    let last = "table: no other destination of TCP 192.0.2.10:80 takes connections\n";
    assert!(notes.starts_with(last), "{notes}");
    assert!(ipvs.destinations(web.id).unwrap().is_empty());
    let (code, _, errors) = run(&arguments, Path::new("10.0.0.2:8080"));
    assert_eq!(code, 1);
    assert!(errors.contains("10.0.0.2:8080"), "{errors}");
}

#[test]
fn two_programs_take_turns() {
    let mut ipvs = fresh();
    let folder = Folder::new("lock");
    let web = folder.write("web.yaml", WEB);
    let namespace = fs::File::open("/proc/thread-self/ns/net").unwrap();
    flock(&namespace, FlockOperation::LockExclusive).unwrap();
    assert_eq!(run(&["plan"], &web).0, 3, "looking needs no turn");
    let mut command = table(&["apply", "-y"]);
    let mut running =
        Running(command.arg(&web).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap());
    let mut lines = BufReader::new(running.0.stderr.take().unwrap()).lines().map(Result::unwrap);
    let waiting = "table: another `table` is at work here; waiting for it";
    assert_eq!(lines.next().as_deref(), Some(waiting));
    assert!(there(&mut ipvs).is_empty());
    flock(&namespace, FlockOperation::Unlock).unwrap();
    assert_eq!(lines.next().as_deref(), Some("table: 3 done"));
    assert_eq!(running.0.wait().unwrap().code(), Some(3));
}

#[test]
fn what_cannot_be_told_is_done_all_the_same() {
    let mut ipvs = fresh();
    let folder = Folder::new("full");
    let web = folder.write("web.yaml", WEB);
    let full = || fs::File::options().write(true).open("/dev/full").unwrap();
    let mut apply = table(&["apply", "-y"]);
    let status = apply.arg(&web).stdout(Stdio::null()).stderr(full()).status().unwrap();
    assert_eq!(status.code(), Some(3));
    // Something was changed, which the exit code for `nothing was` would not say.
    for (words, last, left) in [
        (&["apply", "-y", "--json"][..], folder.write("less.yaml", LESS), 1),
        (&["drain", "-y", "TCP 192.0.2.10:80"], "10.0.0.2:8080".into(), 0),
    ] {
        let status = table(words).arg(last).stdout(full()).stderr(Stdio::null()).status();
        assert_eq!(status.unwrap().code(), Some(4), "{words:?}");
        let servers = there(&mut ipvs).services().next().unwrap().destinations().len();
        assert_eq!(servers, left, "{words:?}");
    }
}

/// Kills the program when the test is over.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

#[test]
fn a_file_that_changes_is_applied_again() {
    let mut ipvs = fresh();
    let folder = Folder::new("watch");
    let web = folder.write("web.yaml", WEB);
    let mut command = table(&["apply", "--watch", "-y"]);
    let mut running =
        Running(command.arg(&web).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap());
    let mut lines = BufReader::new(running.0.stderr.take().unwrap()).lines().map(Result::unwrap);
    let mut next = |expected: &str| {
        let line = lines.next().unwrap();
        assert!(line.contains(expected), "{line}");
    };
    next("table: 3 done");
    next("Changed");
    assert_eq!(there(&mut ipvs).services().next().unwrap().destinations().len(), 2);
    fs::write(&web, WEB.replace("192.0.2.10", "192.0.2.11")).unwrap();
    next(" done");
    next("Changed");
    let services = there(&mut ipvs);
    let only = services.services().next().unwrap().id();
    assert_eq!((services.len(), only.to_string().as_str()), (1, "TCP 192.0.2.11:80"));
    fs::write(&web, WEB).unwrap();
    next(" done");
    next("Changed");

    fs::write(&web, "services: [").unwrap();
    next("line");
    assert_eq!(there(&mut ipvs).len(), 1, "a bad file changes nothing");

    // As editors do it: another file in its place.
    let other = folder.write("new.yaml", WEB.replace("10.0.0.3", "10.0.0.4"));
    fs::rename(other, &web).unwrap();
    let mut changed = lines.find(|line| line.contains("Changed"));
    assert!(changed.take().is_some());
    let servers = ipvs.destinations(ipvs_netlink::ServiceId::tcp(([192, 0, 2, 10], 80).into()));
    assert!(
        servers.unwrap().iter().any(|entry| entry.destination.id.to_string() == "10.0.0.4:8080")
    );
}

#[test]
fn a_reader_that_leaves_is_no_error() {
    let mut ipvs = fresh();
    for port in 1..=2000 {
        ipvs.add_service(&Service::tcp(([192, 0, 2, 10], port).into())).unwrap();
    }
    let mut child =
        table(&["export"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert!(output.stderr.is_empty(), "{output:?}");
    std::io::stderr().flush().unwrap();
}

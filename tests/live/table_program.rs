//! Tests that run the example program `table`.

mod commands;
mod confirming;
mod draining;
mod files;
mod planning;
mod settings;
mod told;
mod turns;
mod watching;

use std::io::{BufRead, BufReader, Lines};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Output, Stdio};

use ipvs_netlink::table::{Table, TableService};
use ipvs_netlink::{Client, Destination, Service};

use crate::examples::example;
use crate::folder::Folder;
use crate::namespace::{fresh, ipvsadm};

const WEB: &str = "
services:
  - tcp: 192.0.2.10:80
    scheduler: wrr
    forward: masquerade
    destinations:
      - {address: \"10.0.0.2:8080\", weight: 3}
      - {address: \"10.0.0.3:8080\"}
";

const LESS: &str = "
services:
  - tcp: 192.0.2.10:80
    scheduler: wrr
    forward: masquerade
    destinations:
      - {address: \"10.0.0.2:8080\", weight: 3}
";

fn table(arguments: &[&str]) -> Command {
    let mut command = Command::new(example("table"));
    command.args(arguments).stdin(Stdio::null());
    command
}

fn table_of(arguments: &[&str], file: &Path) -> Command {
    let mut command = table(arguments);
    command.arg(file);
    command
}

/// Runs the program on a file with `--detailed-exitcode`. Returns exit code and output.
fn run(arguments: &[&str], file: &Path) -> (i32, String, String) {
    let detailed = matches!(arguments.first(), Some(&("plan" | "apply" | "drain")));
    let detailed = if detailed { &["--detailed-exitcode"][..] } else { &[] };
    run_plainly(&[arguments, detailed].concat(), file)
}

/// Runs the program on a file without `--detailed-exitcode`.
fn run_plainly(arguments: &[&str], file: &Path) -> (i32, String, String) {
    let Output { status, stdout, stderr } = table_of(arguments, file).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code().unwrap(), text(stdout), text(stderr))
}

fn there(ipvs: &mut Client) -> Table {
    Table::from(&ipvs.snapshot().unwrap())
}

/// A running program and its output. It ends with the test.
struct Running {
    child: Child,
    lines: Lines<BufReader<ChildStderr>>,
}

impl Running {
    fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        Self { child, lines }
    }

    /// Waits for the next line, which must contain `expected`.
    #[track_caller]
    fn says(&mut self, expected: &str) {
        self.says_so(|line| line.contains(expected));
    }

    /// Waits for the next line, which must satisfy `is_expected`.
    #[track_caller]
    fn says_so(&mut self, is_expected: impl FnOnce(&str) -> bool) {
        let line = self.lines.next().unwrap().unwrap();
        assert!(is_expected(&line), "{line}");
    }

    /// Waits for a line that contains `expected`.
    #[track_caller]
    fn says_at_last(&mut self, expected: &str) {
        assert!(self.lines.any(|line| line.unwrap().contains(expected)), "never {expected}");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
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
fn no_file_is_exported_that_could_not_be_read() {
    let mut ipvs = fresh();
    let folder = Folder::new("long");
    let server = |n: u16| Destination::masquerade(([10, 0, 0, 2], n).into());
    let service = TableService::new(Service::tcp(([192, 0, 2, 10], 80).into()));
    let web: Table =
        [(1..=3500).map(server).fold(service, TableService::with)].into_iter().collect();
    for (format, done) in [("yaml", true), ("toml", false), ("json", true), ("ipvsadm", true)] {
        let file = folder.write("web.ipvsadm", web.to_string());
        run(&["apply", "-y"], &file);
        let output = table(&["export", "--format", format]).output().unwrap();
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.success(), done, "{format}: {errors}");
        if done {
            let file = folder.write(&format!("web.{format}"), output.stdout);
            assert_eq!(run(&["plan", "--all"], &file).0, 0, "{format}");
        } else {
            assert!(
                errors.ends_with("a service of more than 256 KiB; use another format\n"),
                "{errors}"
            );
            assert!(output.stdout.is_empty());
        }
    }
    assert_eq!(there(&mut ipvs).len(), 1);
}

#[test]
fn what_no_kernel_takes_anew_is_valid_where_the_file_says_so() {
    fresh();
    let folder = Folder::new("unchecked");
    crate::suite::raw::add_persistent([192, 0, 2, 9], 80, 5_184_000);
    let rule = "TCP 192.0.2.9:80: persistence timeout 5184000 s: must be at most 4294967 s";
    for (format, valid) in [("yaml", 0), ("toml", 0), ("json", 0), ("ipvsadm", 5)] {
        let output = table(&["export", "--format", format]).output().unwrap();
        let notes = String::from_utf8(output.stderr).unwrap();
        assert!(notes.contains(rule) && output.status.code() == Some(7), "{format}: {notes}");
        let file = folder.write(&format!("table.{format}"), output.stdout);
        let (code, _, notes) = run(&["validate"], &file);
        assert_eq!(code, valid, "{format}: {notes}");
        assert!(notes.contains(rule), "{format}: {notes}");
        assert_eq!(run(&["plan", "--all"], &file).0, 0, "{format}");
    }
    let foreign = folder.write("esp.yaml", "services: [{service: \"IP_50 192.0.2.1:0\"}]");
    let (code, _, notes) = run(&["validate"], &foreign);
    assert_eq!(code, 0, "{notes}");
    assert!(notes.contains("IPVS balances TCP, UDP and SCTP only"), "{notes}");
    // What it does not say is a mistake.
    let long = "services: [{tcp: 192.0.2.9:80, persistence: 60d}]";
    assert_eq!(run(&["validate"], &folder.write("long.yaml", long)).0, 5);
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
        plan.starts_with("+ TCP 192.0.2.10:80 wrr\n+   10.0.0.2:8080 Masq weight 3\n"),
        "{plan}"
    );
    assert!(there(&mut ipvs).is_empty(), "a plan changes nothing");

    let (code, _, errors) = run(&["apply"], &web);
    assert_eq!(
        (code, errors.as_str()),
        (1, "table: standard input is no terminal, so nobody can confirm: use --yes\n")
    );
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
    let other = "  - tcp: 192.0.2.11:80\n    scheduler: roundrobin\n    forward: masquerade\n\
                 \x20   destinations: [{address: \"10.0.0.2:8080\"}]\n";
    let both =
        folder.write("both.yaml", WEB.replace("10.0.0.3:8080", "127.255.255.255:80") + other);
    let (code, _, errors) = run(&["apply", "-y", "--stop-on-failure"], &both);
    assert_eq!(code, 4, "{errors}");
    assert!(
        errors.starts_with(
            "table: TCP 192.0.2.11:80: no known kernel has a scheduler roundrobin; \
             did you mean rr?\n"
        ),
        "{errors}"
    );
    assert!(errors.ends_with("table: 1 failed, 4 skipped\n"), "{errors}");
    assert_eq!(
        ipvs.destinations(ipvs_netlink::ServiceId::tcp(([192, 0, 2, 10], 80).into()))
            .unwrap()
            .len(),
        2
    );

    assert_eq!(run(&["apply", "-y"], &folder.join("missing.yaml")).0, 1);
    assert_eq!(run(&["plan", "--no-such-option"], &web).0, 2);
    let forbidden = WEB.replace("wrr", "lc");
    let forbidden = folder.write("forbidden.yaml", forbidden);
    let (code, _, errors) = run(&["apply", "-y", "--allow", "add-destination"], &forbidden);
    assert_eq!(code, 5, "{errors}");
    assert!(errors.contains("change-scheduler is not allowed, but needed: ipvsadm -E"), "{errors}");
    assert_eq!(run(&["apply", "--yes", "--commands"], &web).0, 2, "no dry run that writes");
}

#[test]
fn success_ends_with_0_unless_details_are_asked_for() {
    let mut ipvs = fresh();
    let folder = Folder::new("success");
    let web = folder.write("web.yaml", WEB);
    let script = "set -e; table=$1; file=$2; $table plan $file; $table apply -y $file; \
                  $table apply -y $file; $table drain -y 'TCP 192.0.2.10:80' 10.0.0.3:8080; \
                  echo done";
    let table = example("table");
    let arguments = ["-c", script, "sh", table.to_str().unwrap(), web.to_str().unwrap()];
    let printed = crate::namespace::run("sh", &arguments);
    assert!(printed.ends_with("done\n"), "{printed}");
    assert_eq!(there(&mut ipvs).services().next().unwrap().destinations().len(), 1);
    // A failure never has the exit code of a success.
    let partly = folder.write("partly.yaml", WEB.replace("10.0.0.3:8080", "127.255.255.255:80"));
    assert_eq!(run_plainly(&["apply", "-y"], &partly).0, 4);
    assert_eq!(run_plainly(&["plan"], &folder.write("bad.yaml", "services: [")).0, 5);
    assert_eq!(run_plainly(&["plan"], &folder.join("missing.yaml")).0, 1);
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
fn a_destination_is_drained() {
    let mut ipvs = fresh();
    let web = Service::tcp(([192, 0, 2, 10], 80).into());
    let server = Destination::masquerade(([10, 0, 0, 2], 8080).into());
    ipvs.add_service(&web).unwrap();
    ipvs.add_destination(web.id, &server).unwrap();
    let arguments = ["drain", "-y", "--drain-deadline", "1s", "TCP 192.0.2.10:80"];
    let (code, text, notes) = run(&arguments, Path::new("10.0.0.2:8080"));
    assert_eq!((code, text.as_str()), (3, "deleted: its connections had ended\n"));
    let last = "table: no other destination of TCP 192.0.2.10:80 takes connections\n";
    assert!(notes.starts_with(last), "{notes}");
    assert!(ipvs.destinations(web.id).unwrap().is_empty());
    let (code, _, errors) = run(&arguments, Path::new("10.0.0.2:8080"));
    assert_eq!(code, 1);
    assert!(errors.contains("10.0.0.2:8080"), "{errors}");
}

//! Files in the format of ipvsadm, and plans as commands of ipvsadm.

use std::io::Write;
use std::process::{Command, Stdio};

use super::{Folder, run, there};
use crate::namespace::{fresh, ipvsadm};

/// Destinations at ports of their own, by every method.
const SAVED: &str = "\
-A -t 192.0.2.10:80 -s rr
-a -t 192.0.2.10:80 -r 10.0.0.2:8080 -g -w 1
-a -t 192.0.2.10:80 -r 10.0.0.3:8080 -i -w 1
-a -t 192.0.2.10:80 -r 10.0.0.4:8080 -m -w 1
-A -f 3 -s wrr
-a -f 3 -r 10.0.0.2:443 -g -w 1
";

/// Runs a program with a text as standard input. Returns `true` if it succeeded.
fn feed(program: &[&str], text: &str) -> bool {
    let [name, arguments @ ..] = program else { panic!("no program") };
    let mut child =
        Command::new(name).args(arguments).stdin(Stdio::piped()).stderr(Stdio::null()).spawn();
    let child = child.as_mut().unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    child.wait().unwrap().success()
}

#[test]
fn a_file_means_the_table_that_ipvsadm_makes_of_it() {
    let mut ipvs = fresh();
    let folder = Folder::new("same");
    let file = folder.write("s.ipvsadm", SAVED);
    assert!(feed(&["ipvsadm", "-R"], SAVED));
    let made = there(&mut ipvs);
    let (code, plan, _) = run(&["plan"], &file);
    assert_eq!((code, plan.as_str()), (0, "no changes\n"));
    ipvs.flush().unwrap();
    run(&["apply", "-y"], &file);
    assert_eq!(there(&mut ipvs), made);
}

#[test]
fn the_commands_of_a_plan_do_the_same_when_ipvsadm_runs_them() {
    let mut ipvs = fresh();
    let folder = Folder::new("commands");
    assert!(feed(&["ipvsadm", "-R"], SAVED));
    let wanted = SAVED.replace("-w 1", "-w 7").replace("10.0.0.3:8080", "10.0.0.5:8080");
    let file = folder.write("w.ipvsadm", &wanted);
    let (_, commands, _) = run(&["plan", "--commands", "--no-drain"], &file);
    assert!(feed(&["sh", "-e"], &commands), "{commands}");
    assert_eq!(run(&["plan"], &file).0, 0, "{}", ipvsadm("-S -n"));
    assert_eq!(there(&mut ipvs), wanted.parse().unwrap());
}

#[test]
fn commands_that_ipvsadm_would_not_do_so_are_not_printed() {
    let mut ipvs = fresh();
    let folder = Folder::new("unsaid");
    assert!(feed(&["ipvsadm", "-R"], SAVED));
    let before = there(&mut ipvs);
    let own_port = "services:\n- {tcp: \"192.0.2.10:80\", scheduler: rr, forward: direct, \
                    destinations: [{address: \"10.0.0.2:8080\"}]}\n";
    let refused = "services:\n- {tcp: \"192.0.2.11:0\"}\n";
    for (name, text, what) in [
        ("own.yaml", own_port, "10.0.0.2:8080: ipvsadm cannot say port 8080 with -g"),
        ("zero.yaml", refused, "TCP 192.0.2.11:0: ipvsadm refuses port 0 without persistence"),
    ] {
        let (code, commands, errors) = run(&["plan", "--commands"], &folder.write(name, text));
        assert_ne!(code, 0, "{errors}");
        assert_eq!(commands, "");
        assert!(errors.contains(what), "{errors}");
    }
    assert_eq!(there(&mut ipvs), before);
    // The kernel can hold such a destination, and text says so when it is saved.
    let file = folder.write("own.yaml", own_port);
    run(&["apply", "-y", "--no-drain"], &file);
    assert_eq!(run(&["plan"], &file).0, 0);
    let output = super::table(&["export", "--format", "ipvsadm"]).output().unwrap();
    assert_ne!(output.status.code(), Some(0));
    assert!(output.stdout.is_empty() && !output.stderr.is_empty());
}

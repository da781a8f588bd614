//! What is asked before it is done.

use std::fs::File;
use std::io::{BufReader, Read, Write};
use std::path::Path;
use std::process::Stdio;

use ipvs_netlink::{Destination, Service};
use nix::pty::openpty;
use serde_json::Value;

use super::{Folder, LESS, WEB, table_of, there};
use crate::namespace::fresh;

/// Runs the program where somebody answers on a terminal, after `meanwhile`. Returns its exit
/// code and what it prints.
pub(super) fn answered(
    arguments: &[&str],
    last: &Path,
    meanwhile: impl FnOnce(),
    answer: &str,
) -> (i32, String, String) {
    let terminal = openpty(None, None).unwrap();
    let mut command = table_of(arguments, last);
    let command = command.stdin(terminal.slave).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let (mut printed, mut said) = (String::new(), Vec::new());
    let mut errors = BufReader::new(child.stderr.take().unwrap()).bytes();
    while !said.ends_with(b" [y/N] ") {
        said.push(errors.next().expect("a question").unwrap());
    }
    meanwhile();
    File::from(terminal.master).write_all(answer.as_bytes()).unwrap();
    child.stdout.take().unwrap().read_to_string(&mut printed).unwrap();
    said.extend(errors.map(Result::unwrap));
    let code = child.wait().unwrap().code().unwrap();
    (code, printed, String::from_utf8(said).unwrap())
}

#[test]
fn nothing_is_done_without_a_yes() {
    let mut ipvs = fresh();
    let folder = Folder::new("asks");
    let web = folder.write("web.yaml", WEB);
    for answer in ["n\n", "\n", "yy\n"] {
        let (code, diff, said) = answered(&["apply"], &web, || (), answer);
        assert_eq!(code, 1, "{said}");
        assert!(diff.starts_with("+ TCP 192.0.2.10:80 wrr\n"), "{diff}");
        assert_eq!(said, "Apply? [y/N] table: not confirmed; nothing was changed\n");
        assert!(there(&mut ipvs).is_empty(), "{answer:?}");
    }
    let (code, _, said) = answered(&["apply"], &web, || (), "y\n");
    assert_eq!((code, said.as_str()), (0, "Apply? [y/N] table: 3 done\n"));
    assert_eq!(there(&mut ipvs).len(), 1);

    let drain = ["drain", "TCP 192.0.2.10:80"];
    let server = Path::new("10.0.0.2:8080");
    let (code, _, said) = answered(&drain, server, || (), "n\n");
    assert_eq!(code, 1, "{said}");
    let question = "Take 10.0.0.2:8080 out of TCP 192.0.2.10:80? [y/N] ";
    assert!(said.starts_with(question), "{said}");
    assert_eq!(answered(&drain, server, || (), "yes\n").0, 0);
    assert_eq!(there(&mut ipvs).services().next().unwrap().destinations().len(), 1);
}

#[test]
fn what_was_confirmed_is_what_is_done() {
    let mut ipvs = fresh();
    let folder = Folder::new("meanwhile");
    let web = folder.write("web.yaml", WEB);
    let service = Service::tcp(([192, 0, 2, 10], 80).into());
    let meanwhile = || ipvs.add_service(&service).unwrap();
    let (code, _, said) = answered(&["apply"], &web, meanwhile, "y\n");
    assert_eq!(code, 1, "{said}");
    let now = "table: the table or the file has changed since the question; the plan would now be:\n\
               ~ TCP 192.0.2.10:80 scheduler wlc -> wrr";
    assert!(said.contains(now), "{said}");
    assert!(said.ends_with("table: nothing was changed; try again\n"), "{said}");
    assert!(ipvs.destinations(service.id).unwrap().is_empty());

    let meanwhile = || drop(folder.write("web.yaml", LESS));
    let (code, _, said) = answered(&["apply"], &web, meanwhile, "y\n");
    assert_eq!(code, 1, "{said}");
    assert!(said.ends_with("table: nothing was changed; try again\n"), "{said}");
    assert!(ipvs.destinations(service.id).unwrap().is_empty());
}

#[test]
fn what_is_asked_about_is_shown_beside_json_too() {
    let mut ipvs = fresh();
    let folder = Folder::new("both");
    let web = Service::tcp(([192, 0, 2, 10], 80).into());
    ipvs.add_service(&web).unwrap();
    let server = Destination::masquerade(([10, 0, 0, 2], 8080).into());
    ipvs.add_destination(web.id, &server).unwrap();
    let less = folder.write("less.yaml", LESS.replace("wrr", "wlc"));
    let (code, json, said) = answered(&["apply", "--json"], &less, || (), "y\n");
    assert_eq!(code, 0, "{said}");
    let diff = "  TCP 192.0.2.10:80\n~   10.0.0.2:8080 weight 1 -> 3\nApply? [y/N] ";
    assert!(said.starts_with(diff), "{said}");
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["done"], true);
    assert_eq!(json["steps"].as_array().unwrap().len(), 1);
}

//! What is printed, and where.

use std::fs;
use std::process::Stdio;

use ipvs_netlink::Service;

use super::{Folder, LESS, WEB, table, there};
use crate::namespace::fresh;

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
}

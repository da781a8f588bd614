//! Programs that would write one table at the same time.

use std::fs;

use rustix::fs::{FlockOperation, flock};

use super::{Folder, Running, WEB, run, table_of, there};
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
    running.says("table: another `table` is at work here; waiting for it");
    assert!(there(&mut ipvs).is_empty());
    flock(&namespace, FlockOperation::Unlock).unwrap();
    running.says("table: 3 done");
    assert_eq!(running.child.wait().unwrap().code(), Some(3));
}

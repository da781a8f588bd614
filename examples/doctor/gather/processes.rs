//! Finds processes that are known to write the table.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;

use super::files;
use super::programs::{COMMON_NAMES, PROGRAMS, talks_to_the_kernel};
use crate::host::{Gaps, Part, Process};

/// The netlink sockets of the thread's network namespace.
const NETLINK: &str = "/proc/thread-self/net/netlink";

/// Returns the processes in the thread's network namespace that have the name of such a program.
pub(super) fn writers(unread: &mut Gaps) -> Vec<Process> {
    let Ok(own) = fs::read_link("/proc/thread-self/ns/net") else {
        let text = "/proc/thread-self/ns/net: whose processes to look for";
        unread.push(Part::Processes, text);
        return Vec::new();
    };
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().map_while(Result::ok) {
        let Some(id) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        // A process that ends meanwhile is none.
        let Ok(Some(name)) = files::text(&entry.path().join("comm")) else { continue };
        let name = name.trim_end_matches('\n');
        if !PROGRAMS.contains(&name) {
            continue;
        }
        let talks = || {
            let sockets = files::text(Path::new(NETLINK))?.unwrap_or_default();
            talks_to_the_kernel(&entry.path(), &sockets)
        };
        let is_writer = || -> io::Result<bool> {
            Ok(fs::read_link(entry.path().join("ns/net"))? == own
                && (!COMMON_NAMES.contains(&name) || talks()?))
        };
        match is_writer() {
            Ok(true) => found.push(Process { id, name: name.to_owned() }),
            Ok(false) => {}
            // It has ended.
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => {
                let text = format!("what {name} (process {id}) writes: {error}");
                unread.push(Part::Processes, text);
            }
        }
    }
    found.sort_by_key(|process| process.id);
    found
}

use std::fs::{self, File};
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use crate::reading::Source;
use crate::state::{Writer, Writers};

#[path = "../../../doctor/gather/programs.rs"]
mod programs;

use programs::{COMMON_NAMES, PROGRAMS, talks_to_the_kernel};

/// The longest list of sockets that is read. A socket beyond its end is not found.
const LONGEST: u64 = 16 << 20;

/// Finds processes in a namespace that are known to write the table. A process of such a name whose
/// namespace may not be looked at counts, too.
#[must_use]
pub fn writers(source: &Source) -> Writers {
    let mut found = Vec::new();
    if !source.is_of_this_host() {
        return Writers::default();
    }
    for entry in fs::read_dir("/proc").into_iter().flatten().map_while(Result::ok) {
        let Some(process) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        let path = entry.path();
        // A process that ends meanwhile is none.
        let Some(name) = text(&path.join("comm")) else { continue };
        let name = name.trim_end_matches('\n');
        let talks = || {
            let sockets = text(&path.join("net/netlink"))?;
            talks_to_the_kernel(&path, &sockets).ok()
        };
        if PROGRAMS.contains(&name)
            // What may not be looked at may write this table.
            && source.has(process) != Some(false)
            && (!COMMON_NAMES.contains(&name) || talks() != Some(false))
        {
            found.push(Writer { name: name.to_owned(), process });
        }
    }
    found.sort_by_key(|writer| writer.process);
    Writers { found, are_hidden: are_hidden() }
}

/// Whether `/proc` does not show all processes: it hides those of others, or is that of a container.
fn are_hidden() -> bool {
    // The first PID namespace has this number (include/linux/proc_ns.h).
    const FIRST: u64 = 0xefff_fffc;
    let own = fs::metadata("/proc/self/ns/pid").map(|it| it.ino());
    own.is_ok_and(|it| it != FIRST) || fs::metadata("/proc/1").is_err()
}

/// Reads a small file of `/proc`.
fn text(path: &Path) -> Option<String> {
    let mut text = String::new();
    File::open(path).ok()?.take(LONGEST).read_to_string(&mut text).ok()?;
    Some(text)
}

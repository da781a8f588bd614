//! Finds processes that are known to write the table.

use std::fs;
use std::io::ErrorKind;

use super::files;
use crate::checks::writers::PROGRAMS;
use crate::host::Process;

/// Returns the processes in the thread's network namespace that have the name of such a program.
pub(super) fn writers(unread: &mut Vec<String>) -> Vec<Process> {
    let Ok(own) = fs::read_link("/proc/thread-self/ns/net") else {
        unread.push("/proc/thread-self/ns/net: whose processes to look for".to_owned());
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
        match fs::read_link(entry.path().join("ns/net")) {
            Ok(namespace) if namespace == own => {
                found.push(Process { id, name: name.to_owned() });
            }
            Ok(_) => {}
            // It has ended.
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => {
                unread.push(format!("the network namespace of {name} (process {id}): {error}"));
            }
        }
    }
    found.sort_by_key(|process| process.id);
    found
}

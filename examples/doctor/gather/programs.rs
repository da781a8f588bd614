//! Programs that are known to write tables. The member `top` has this file, too.

use std::collections::HashSet;
use std::path::Path;
use std::{fs, io};

/// Programs that are known to write the table, by the names of their processes.
pub(super) const PROGRAMS: &[&str] = &[
    "kube-proxy",
    "kube-router",
    "keepalived",
    "ldirectord",
    "director",
    "node-proxy",
    "nanny",
    "seesaw_engine",
];

/// Those of them that other programs have, too, such as a process of Dovecot. They count only with
/// a socket of generic netlink.
pub(super) const COMMON_NAMES: &[&str] = &["director"];

/// The number of `NETLINK_GENERIC` in the list of netlink sockets.
const GENERIC: &str = "16";
/// The most open files of a process that are looked at.
const FILES: usize = 65_536;

/// Returns `true` if a process has a socket of generic netlink. `sockets` is the list of the netlink
/// sockets of its network namespace, `/proc/PID/net/netlink`.
pub(super) fn talks_to_the_kernel(process: &Path, sockets: &str) -> io::Result<bool> {
    let names: HashSet<String> = sockets.lines().filter_map(generic).collect();
    for (n, file) in fs::read_dir(process.join("fd"))?.enumerate() {
        if n >= FILES {
            return Err(io::Error::other(format!("it has more than {FILES} open files")));
        }
        // A file that is closed meanwhile is none.
        let open = fs::read_link(file?.path());
        if open.is_ok_and(|open| open.to_str().is_some_and(|name| names.contains(name))) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Returns the name of a socket of generic netlink as `/proc/PID/fd` shows it, from its line in
/// the list of netlink sockets.
fn generic(line: &str) -> Option<String> {
    let mut fields = line.split_ascii_whitespace();
    let protocol = fields.nth(1)?;
    let inode = fields.last()?;
    (protocol == GENERIC).then(|| format!("socket:[{inode}]"))
}

#[cfg(test)]
mod tests {
    use super::generic;

    #[test]
    fn sockets_of_generic_netlink_are_named_by_their_inodes() {
        let of = |protocol: &str| {
            format!("0000000000000000 {protocol:3} 4196304 00000000 0 0 0 2 0 20481   ")
        };
        assert_eq!(generic(&of("16")).as_deref(), Some("socket:[20481]"));
        assert_eq!(generic(&of("0")), None);
        assert_eq!(generic("sk Eth Pid Groups Rmem Wmem Dump Locks Drops Inode"), None);
        assert_eq!(generic(""), None);
    }
}

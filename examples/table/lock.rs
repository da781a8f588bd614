//! The lock on the file of a network namespace.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use rustix::fs::{FlockOperation, Mode, OFlags, flock, fstat, major, minor, open};
use rustix::io::Errno;

/// A lock. While it is taken and not dropped, other runs of this program do not write the table.
#[derive(Debug)]
pub(crate) struct Lock(File);

impl Lock {
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        // The path may name anything: opening it must not block.
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOCTTY | OFlags::NONBLOCK;
        Ok(Self(open(path, flags, Mode::empty())?.into()))
    }

    /// Takes the lock. Returns `false` if another process has it.
    pub(crate) fn take(&mut self) -> io::Result<bool> {
        loop {
            return match flock(&self.0, FlockOperation::NonBlockingLockExclusive) {
                Err(Errno::INTR) => continue,
                Err(Errno::WOULDBLOCK) => Ok(false),
                done => done.map(|()| true).map_err(io::Error::from),
            };
        }
    }

    /// Returns the process that has the lock, as `process 1234 (table apply web.yaml)`. Returns
    /// `None` if no process has it any more, or if it is in a PID namespace that is not visible here.
    pub(crate) fn holder(&self) -> Option<String> {
        let stat = fstat(&self.0).ok()?;
        let device = (u64::from(major(stat.st_dev)), u64::from(minor(stat.st_dev)));
        let locks = fs::read_to_string("/proc/locks").ok()?;
        let process = locks.lines().find_map(|line| process(line, device, stat.st_ino))?;
        Some(match command(process) {
            Some(command) => format!("process {process} ({command})"),
            // A process that has inherited the open file still has the lock.
            None => format!("process {process}, which has ended and left it to another one,"),
        })
    }
}

/// Returns the process of a line of `/proc/locks`, if the line is a lock on the file.
///
/// A line is `1: FLOCK  ADVISORY  WRITE 1234 00:04:4026531840 0 EOF`, with the numbers of the
/// device in hexadecimal. The line of a process that waits has `->` after its number.
fn process(line: &str, device: (u64, u64), inode: u64) -> Option<u32> {
    let words: Vec<_> = line.split_ascii_whitespace().collect();
    let [_, "FLOCK", _, _, process, file, ..] = words.as_slice() else { return None };
    let mut file = file.split(':');
    let mut hexadecimal = || u64::from_str_radix(file.next()?, 16).ok();
    let this = (hexadecimal()?, hexadecimal()?) == device && file.next()?.parse() == Ok(inode);
    // A process that is not visible in this PID namespace has the number 0 or -1.
    process.parse().ok().filter(|process| this && *process > 0)
}

/// Returns the command line of a process, shortened. A process can set it to any text.
fn command(process: u32) -> Option<String> {
    const LONGEST: usize = 80;
    let line = fs::read(format!("/proc/{process}/cmdline")).ok()?;
    let line = String::from_utf8_lossy(&line).trim_end_matches('\0').replace(['\0', '\n'], " ");
    let short: String = line.chars().take(LONGEST).collect();
    let dots = if short.len() < line.len() { "..." } else { "" };
    Some(short + dots).filter(|line| !line.is_empty())
}

#[cfg(test)]
mod tests {
    use super::process;

    #[test]
    fn lines_of_the_kernel_are_understood() {
        let of = |line| process(line, (0, 4), 4_026_531_840);
        assert_eq!(of("1: FLOCK  ADVISORY  WRITE 1234 00:04:4026531840 0 EOF"), Some(1234));
        for other in [
            "1: -> FLOCK  ADVISORY  WRITE 1234 00:04:4026531840 0 EOF",
            "1: POSIX  ADVISORY  WRITE 1234 00:04:4026531840 0 EOF",
            "1: FLOCK  ADVISORY  WRITE 1234 00:05:4026531840 0 EOF",
            "1: FLOCK  ADVISORY  WRITE 1234 00:04:4026531841 0 EOF",
            "1: FLOCK  ADVISORY  WRITE 0 00:04:4026531840 0 EOF",
            "1: FLOCK  ADVISORY  WRITE -1 00:04:4026531840 0 EOF",
            "1: FLOCK",
            "",
        ] {
            assert_eq!(of(other), None, "{other}");
        }
        assert_eq!(process("7: FLOCK ADVISORY READ 5 103:1a:9 0 EOF", (0x103, 0x1a), 9), Some(5));
    }
}

//! The error of everything that this module does.

use std::io;
use std::path::{Path, PathBuf};

use rustix::io::Errno;

use crate::procfs::handle::OWN_NAMESPACE;

/// The bytes of a line that an error shows at most.
const SHOWN: usize = 200;

/// The failure of a read or write of a file under `/proc`.
///
/// Two errors are equal if all they say is equal.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProcfsError {
    /// The kernel has no such file. The module `ip_vs` is not loaded (`modprobe ip_vs` loads it),
    /// or the kernel is older than the file.
    #[error(
        "{path}: no such file: the module ip_vs is not loaded, or this kernel has no such file"
    )]
    #[non_exhaustive]
    Absent {
        /// The file.
        path: Box<str>,
    },
    /// The caller may not open the file, or may not write to it.
    #[error("{path}: permission denied")]
    #[non_exhaustive]
    PermissionDenied {
        /// The file.
        path: Box<str>,
    },
    /// `/proc` is not mounted, or belongs to a PID namespace that does not have this process.
    #[error("/proc is not mounted, or has no entry for this process")]
    NoProc,
    /// The file of the network namespace does not exist.
    #[error("{}: no such network namespace", path.display())]
    #[non_exhaustive]
    NoSuchNamespace {
        /// The file of the network namespace.
        path: PathBuf,
    },
    /// The file is not a network namespace.
    #[error("not a network namespace")]
    NotANamespace,
    /// The caller may not enter the network namespace.
    #[error("entering another network namespace takes CAP_SYS_ADMIN")]
    MayNotEnter,
    /// The client's network namespace cannot be entered: a fake kernel has no `/proc`, and the
    /// sockets of `Client::from_sockets` do not tell their namespace.
    #[error("the network namespace of the client is not known: {reason}")]
    #[non_exhaustive]
    UnknownNamespace {
        /// Why it is not known.
        reason: &'static str,
    },
    /// A line is not what the kernel writes.
    #[error("{path}: line {number}: {reason}: \"{line}\"")]
    #[non_exhaustive]
    Malformed {
        /// The file.
        path: Box<str>,
        /// The number of the line. The first line is 1.
        number: u64,
        /// The line, its first 200 bytes. Bytes that are not printable ASCII are escaped, as in
        /// `\xff`.
        line: Box<str>,
        /// What is wrong with the line.
        reason: &'static str,
    },
    /// A system call failed.
    #[error("{path}: {}", io::Error::from_raw_os_error(*errno))]
    #[non_exhaustive]
    System {
        /// The file, or what was opened.
        path: Box<str>,
        /// The errno.
        errno: i32,
    },
}

impl ProcfsError {
    /// Opening, reading or writing the file at `path` failed.
    pub(crate) fn of_file(path: &str, errno: Errno) -> Self {
        match errno {
            Errno::NOENT => Self::Absent { path: path.into() },
            Errno::ACCESS | Errno::PERM => Self::PermissionDenied { path: path.into() },
            _ => Self::System { path: path.into(), errno: errno.raw_os_error() },
        }
    }

    /// Opening the network namespace of the calling thread failed.
    pub(crate) fn of_own_namespace(errno: Errno) -> Self {
        match errno {
            Errno::NOENT => Self::NoProc,
            errno => Self::of_file(OWN_NAMESPACE, errno),
        }
    }

    /// Reading the file at `path` failed.
    pub(super) fn of_reading(path: &str, cause: &io::Error) -> Self {
        Self::of_file(path, Errno::from_io_error(cause).unwrap_or(Errno::IO))
    }

    /// Opening the file of a network namespace failed.
    pub(super) fn of_namespace(path: &Path, errno: Errno) -> Self {
        match errno {
            Errno::NOENT | Errno::NOTDIR => Self::NoSuchNamespace { path: path.into() },
            // The file is a socket, or a device without a driver.
            Errno::NXIO => Self::NotANamespace,
            _ => Self::of_file(&path.to_string_lossy(), errno),
        }
    }

    /// The line with this number is not what the kernel writes.
    pub(super) fn malformed(path: &str, number: u64, line: &[u8], reason: &'static str) -> Self {
        let shown = line.get(..SHOWN).unwrap_or(line);
        let line = shown.escape_ascii().to_string().into();
        Self::Malformed { path: path.into(), number, line, reason }
    }
}

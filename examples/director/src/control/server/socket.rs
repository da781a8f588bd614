//! The socket's file: made with the rights of few, and never in the place of a live one.

use std::fs::{self, File};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::UnixListener as StdListener;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, FlockOperation, Gid, Mode, OFlags};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};
use thiserror::Error;
use tokio::net::UnixListener;

use crate::control::server::folder;

/// What may be ordered on a socket. The kernel decides by the socket's file who may connect to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rights {
    /// All orders. The file has mode 0660: root, the daemon's user and the members of the group.
    All,
    /// Only orders that change nothing. The file has mode 0666: every user.
    Read,
}

/// A socket that clients can connect to. Its file is removed when it is dropped.
#[derive(Debug)]
pub struct Socket {
    pub(super) listener: UnixListener,
    pub(super) rights: Rights,
    path: PathBuf,
    /// Locked by this process for as long as the socket exists.
    _lock: File,
}

/// Why there is no socket.
#[derive(Debug, Error)]
pub enum SocketError {
    /// The path has no name of a file.
    #[error("{}: the path of a socket must end with a name", .0.display())]
    NoName(PathBuf),
    /// The folder cannot be read.
    #[error("{}: the folder of the socket: {}", .0.display(), .1)]
    Folder(PathBuf, #[source] io::Error),
    /// Others can write in the folder.
    #[error(
        "{}: the folder of the socket must belong to root or the daemon's user, and nobody else \
         may write in it", .0.display()
    )]
    Unsafe(PathBuf),
    /// Another process uses the socket.
    #[error("{}: another process serves this socket: is a director running?", .0.display())]
    InUse(PathBuf),
    /// Something else has the name.
    #[error("{}: this is no socket, so it is not replaced: remove it, or name another path", .0.display())]
    NoSocket(PathBuf),
    /// There is no such group.
    #[error("there is no group {0}")]
    NoGroup(String),
    /// The path is too long for the kernel.
    #[error("{}: the path of a socket has at most 103 bytes", .0.display())]
    TooLong(PathBuf),
    /// The system refused something.
    #[error("{}: {}: {}", .0.display(), .1, .2)]
    System(PathBuf, &'static str, #[source] io::Error),
}

/// The longest path of a socket is 107 bytes. The socket has a name of four more bytes at first.
const LONGEST: usize = 103;
/// The clients that may wait for the server, before they wait in their `connect`.
const BACKLOG: i32 = 128;

impl Socket {
    /// Makes a socket that clients can connect to, within a tokio runtime. The file of a daemon that
    /// has died is replaced; a live one's is not.
    ///
    /// # Errors
    ///
    /// See [`SocketError`].
    pub fn bind(path: &Path, rights: Rights, group: Option<u32>) -> Result<Self, SocketError> {
        folder::prepare(path)?;
        if path.file_name().is_none() {
            return Err(SocketError::NoName(path.to_owned()));
        }
        if path.as_os_str().as_bytes().len() > LONGEST {
            return Err(SocketError::TooLong(path.to_owned()));
        }
        let lock = lock(path)?;
        check_dead(path)?;
        let fail = |what| move |error: Errno| SocketError::System(path.into(), what, error.into());
        let new = with_ending(path, ".new");
        remove(&new, path)?;
        let socket = rustix::net::socket_with(
            AddressFamily::UNIX,
            SocketType::STREAM,
            SocketFlags::CLOEXEC | SocketFlags::NONBLOCK,
            None,
        )
        .map_err(fail("socket"))?;
        // The mode of a socket is that of its file. There is no moment in which others may connect.
        rustix::fs::fchmod(&socket, Mode::RUSR | Mode::WUSR).map_err(fail("fchmod"))?;
        let address = SocketAddrUnix::new(&new).map_err(fail("address"))?;
        rustix::net::bind(&socket, &address).map_err(fail("bind"))?;
        if let Some(group) = group {
            let group = Some(Gid::from_raw(group));
            rustix::fs::chownat(CWD, &new, None, group, AtFlags::SYMLINK_NOFOLLOW)
                .map_err(fail("the socket's group"))?;
        }
        let mode = match rights {
            Rights::All => Mode::RUSR | Mode::WUSR | Mode::RGRP | Mode::WGRP,
            Rights::Read => Mode::from_raw_mode(0o666),
        };
        rustix::net::listen(&socket, BACKLOG).map_err(fail("listen"))?;
        rustix::fs::chmod(&new, mode).map_err(fail("chmod"))?;
        // Clients find the old socket or the new one, and always one of them.
        rustix::fs::rename(&new, path).map_err(fail("rename"))?;
        let listener = UnixListener::from_std(StdListener::from(socket))
            .map_err(|error| SocketError::System(path.into(), "register", error))?;
        Ok(Self { listener, rights, path: path.to_owned(), _lock: lock })
    }

    /// Returns the path of the file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        // The lock is held, so nobody has put another socket there. Without the file clients learn
        // at once that no daemon runs; if it stays, they learn it when they connect.
        fs::remove_file(&self.path).ok();
    }
}

/// Locks the file beside the socket that tells whether its daemon lives.
fn lock(path: &Path) -> Result<File, SocketError> {
    let name = with_ending(path, ".lock");
    let fail =
        |error: Errno| SocketError::System(name.clone(), "the lock of the socket", error.into());
    let flags = OFlags::CREATE | OFlags::RDWR | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let file = rustix::fs::open(&name, flags, Mode::RUSR | Mode::WUSR).map_err(fail)?;
    match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(file.into()),
        Err(Errno::WOULDBLOCK) => Err(SocketError::InUse(path.to_owned())),
        Err(error) => Err(fail(error)),
    }
}

/// Refuses a name that a live program has, or that is no socket.
fn check_dead(path: &Path) -> Result<(), SocketError> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(SocketError::System(path.into(), "stat", error)),
        Ok(file) if !file.file_type().is_socket() => {
            return Err(SocketError::NoSocket(path.to_owned()));
        }
        Ok(_) => {}
    }
    // Another program than this one may listen there. A full queue is a live program, too.
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let fail = |error: Errno| SocketError::System(path.into(), "connect", error.into());
    let socket = rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)
        .map_err(fail)?;
    let address = SocketAddrUnix::new(path).map_err(fail)?;
    match rustix::net::connect(&socket, &address) {
        Err(Errno::CONNREFUSED | Errno::NOENT) => Ok(()),
        Ok(()) | Err(Errno::AGAIN) => Err(SocketError::InUse(path.to_owned())),
        Err(error) => Err(fail(error)),
    }
}

/// Removes what a daemon left that died while it made a socket.
fn remove(new: &Path, path: &Path) -> Result<(), SocketError> {
    match fs::symlink_metadata(new) {
        Ok(file) if file.file_type().is_socket() => {
            fs::remove_file(new).map_err(|error| SocketError::System(path.into(), "remove", error))
        }
        Ok(_) => Err(SocketError::NoSocket(new.to_owned())),
        Err(_) => Ok(()),
    }
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

//! The folder of a socket: nobody but root and the daemon may put something in its place.

use std::path::Path;

use rustix::fs::{FileType, Mode, Stat};
use rustix::io::Errno;
use rustix::process::geteuid;

use crate::control::server::socket::SocketError;

/// Makes the folder of a socket if there is none, and checks who can write there.
pub(super) fn prepare(socket: &Path) -> Result<(), SocketError> {
    let folder = match socket.parent() {
        Some(folder) if folder.as_os_str().is_empty() => Path::new("."),
        Some(folder) => folder,
        None => return Err(SocketError::NoName(socket.to_owned())),
    };
    let fail = |source: Errno| SocketError::Folder(folder.to_owned(), source.into());
    // If this fails and there is none, `stat` says so.
    rustix::fs::mkdir(folder, Mode::from_raw_mode(0o755)).ok();
    let stat = rustix::fs::stat(folder).map_err(fail)?;
    if !is_safe(&stat, geteuid().as_raw()) {
        return Err(SocketError::Unsafe(folder.to_owned()));
    }
    Ok(())
}

fn is_safe(stat: &Stat, user: u32) -> bool {
    let is_folder = FileType::from_raw_mode(stat.st_mode) == FileType::Directory;
    let is_ours = stat.st_uid == 0 || stat.st_uid == user;
    // Whoever may write there could replace the socket, and give root wrong answers.
    let group_may_write = stat.st_mode & 0o020 != 0 && stat.st_gid != 0;
    let all_may_write = stat.st_mode & 0o002 != 0;
    is_folder && is_ours && !group_may_write && !all_may_write
}

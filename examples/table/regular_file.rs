//! Opens files that others write.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

/// Opens a regular file, and refuses anything else. Opening a FIFO can wait for its other end,
/// opening a device can have effects, and reading either can take for ever.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    let check = |file: fs::Metadata| match file.is_file() {
        true => Ok(()),
        false if file.is_dir() => Err(Errno::ISDIR.into()),
        false => Err(io::Error::other("not a regular file")),
    };
    check(fs::metadata(path)?)?;
    // Check again after opening: the path may name another file by now.
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOCTTY | OFlags::NONBLOCK;
    let file = File::from(rustix::fs::open(path, flags, Mode::empty())?);
    check(file.metadata()?)?;
    Ok(file)
}

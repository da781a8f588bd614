//! The state file on the disk.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, Mode, OFlags, flock, open};
use rustix::io::Errno;
use rustix::process::{Uid, geteuid};

use crate::state::{Broken, Saved};

/// The most bytes of a state file. A maintenance takes some 200, a service some 30.
const LARGEST: u64 = 64 << 20;

/// Why a state file is not taken over.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file cannot be read.
    #[error("the state file {} cannot be read: {error}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The reason.
        error: io::Error,
    },
    /// The file is broken, and was set aside.
    #[error(
        "the state file {} is refused: {reason}; it was set aside as {}; no service leaves the table \
         because of the file, and maintenances and ordered weights of it are lost",
        path.display(), aside.display()
    )]
    Broken {
        /// The file.
        path: PathBuf,
        /// The reason.
        reason: String,
        /// Where the broken file is now.
        aside: PathBuf,
    },
}

/// The state file, and what it was last known to say.
#[derive(Debug)]
pub struct StateFile {
    path: PathBuf,
    written: Option<Saved>,
}

impl StateFile {
    /// Names the file. Nothing is read or written yet.
    #[must_use]
    pub const fn new(path: PathBuf) -> Self {
        Self { path, written: None }
    }

    /// Returns the path of the file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads the file. A file that is not there says nothing: `None`.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or is broken and was set aside. The daemon goes on without it.
    pub fn load(&mut self) -> Result<Option<Saved>, LoadError> {
        let path = self.path.clone();
        let text = match read(&path) {
            Ok(Some(text)) => text,
            Ok(None) => return Ok(None),
            Err(ReadError::Io(error)) => return Err(LoadError::Unreadable { path, error }),
            Err(ReadError::TooLarge) => {
                return Err(self.set_aside(format!("it has more than {LARGEST} bytes")));
            }
            // The commands in it run with the rights of the daemon.
            Err(ReadError::Unsafe(reason)) => return Err(self.set_aside(reason)),
        };
        match Saved::parse(&text) {
            Ok(saved) => {
                self.written = Some(saved.clone());
                Ok(Some(saved))
            }
            Err(reason @ (Broken::Text(_) | Broken::Version(_))) => {
                Err(self.set_aside(reason.to_string()))
            }
        }
    }

    /// Gives the broken file another name, so that nothing of it is lost.
    fn set_aside(&self, reason: String) -> LoadError {
        let path = self.path.clone();
        let aside = beside(&path, "broken");
        match fs::rename(&path, &aside) {
            Ok(()) => LoadError::Broken { path, reason, aside },
            Err(error) => {
                let error =
                    io::Error::other(format!("{reason}; and it cannot be renamed: {error}"));
                LoadError::Unreadable { path, error }
            }
        }
    }

    /// Writes the file if it does not say this already. Who reads it sees the old or the new text,
    /// never a part.
    ///
    /// # Errors
    ///
    /// The old text stays.
    pub fn save(&mut self, saved: &Saved) -> io::Result<()> {
        if self.written.as_ref() == Some(saved) {
            return Ok(());
        }
        let new = beside(&self.path, "new");
        write_durably(&new, saved.text().as_bytes())
            .and_then(|()| fs::rename(&new, &self.path))
            .and_then(|()| sync_folder(&self.path))
            .inspect_err(|_| drop(fs::remove_file(&new)))?;
        self.written = Some(saved.clone());
        Ok(())
    }
}

enum ReadError {
    Io(io::Error),
    TooLarge,
    Unsafe(String),
}

/// Returns why others than the daemon's user `own` and root may have written a file.
fn is_unsafe(mode: u32, owner: u32, own: Uid) -> Option<String> {
    if mode & 0o022 != 0 {
        return Some("others than the daemon may write it".to_owned());
    }
    let is_foreign = owner != 0 && owner != own.as_raw();
    is_foreign.then(|| format!("it belongs to the user {owner}, who may write it"))
}

fn read(path: &Path) -> Result<Option<Vec<u8>>, ReadError> {
    // The path may name anything: opening it must not block.
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOCTTY | OFlags::NONBLOCK;
    let file = match open(path, flags, Mode::empty()) {
        Ok(file) => File::from(file),
        Err(Errno::NOENT) => return Ok(None),
        Err(error) => return Err(ReadError::Io(error.into())),
    };
    let metadata = file.metadata().map_err(ReadError::Io)?;
    if let Some(reason) = is_unsafe(metadata.mode(), metadata.uid(), geteuid()) {
        return Err(ReadError::Unsafe(reason));
    }
    let mut text = Vec::new();
    file.take(LARGEST + 1).read_to_end(&mut text).map_err(ReadError::Io)?;
    let length = u64::try_from(text.len()).unwrap_or(u64::MAX);
    if length > LARGEST { Err(ReadError::TooLarge) } else { Ok(Some(text)) }
}

fn write_durably(path: &Path, text: &[u8]) -> io::Result<()> {
    // What a crash has left may belong to somebody else, or be a link.
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let mut file = File::from(open(path, flags, Mode::RUSR | Mode::WUSR)?);
    file.write_all(text)?;
    file.sync_all()
}

fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    File::open(folder)?.sync_all()
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    PathBuf::from(name)
}

/// A lock on a file beside another one. While it is not dropped, no other daemon takes it.
#[derive(Debug)]
pub struct Lock(#[expect(dead_code, reason = "the open file is the lock")] File);

impl Lock {
    /// Takes the lock of a file. Returns `None` if another process has it.
    ///
    /// # Errors
    ///
    /// The file of the lock cannot be made or opened.
    pub fn take(path: &Path) -> io::Result<Option<Self>> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let path = beside(path, "lock");
        let file = match open(&path, flags, Mode::RUSR | Mode::WUSR) {
            // A disk that has failed is read-only, and has the file from an earlier start.
            Err(Errno::ROFS) => open(&path, flags - OFlags::RDWR - OFlags::CREATE, Mode::empty()),
            other => other,
        };
        let file = File::from(file?);
        loop {
            return match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => Ok(Some(Self(file))),
                Err(Errno::INTR) => continue,
                Err(Errno::WOULDBLOCK) => Ok(None),
                Err(error) => Err(error.into()),
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_daemon_and_root_may_have_written_the_file() {
        let own = Uid::from_raw(900);
        assert!([0, 900].iter().all(|owner| is_unsafe(0o100_644, *owner, own).is_none()));
        assert!(is_unsafe(0o100_600, 1000, own).unwrap().contains("belongs to the user 1000"));
        assert!(is_unsafe(0o100_600, 900, Uid::ROOT).is_some());
        assert!([0o100_620, 0o100_602].iter().all(|mode| is_unsafe(*mode, 900, own).is_some()));
    }
}

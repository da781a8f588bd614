//! Files that outlive the program: written as a whole or at the end, and read with distrust.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags, open};
use rustix::process::geteuid;

use super::state_folder::StateFolder;

/// A file in a folder of this program.
#[derive(Clone, Debug)]
pub(crate) struct StateFile {
    folder: StateFolder,
    path: PathBuf,
}

/// The failure to read or to write a file.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StateFileError {
    /// The file or its folder belongs to another user, others can write it, or it is of another kind.
    #[error(
        "{}: is not trusted: it must be a {kind} of this user that no other user can write", .path.display()
    )]
    Distrusted {
        /// The file or folder.
        path: PathBuf,
        /// What it should be.
        kind: &'static str,
    },
    /// The file is longer than anything that this program writes.
    #[error("{}: is longer than {most} bytes", .path.display())]
    TooLong {
        /// The file.
        path: PathBuf,
        /// The limit.
        most: usize,
    },
    /// The system refuses.
    #[error("{}: {error}", .path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The reason.
        error: io::Error,
    },
}

impl StateFile {
    /// Names a file in a folder. Touches neither.
    pub(super) const fn new(folder: StateFolder, path: PathBuf) -> Self {
        Self { folder, path }
    }

    /// Returns the path of the file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Reads the file. `None` means that there is none. What is no UTF-8 is replaced.
    ///
    /// # Errors
    ///
    /// The file or its folder is not to be trusted, the file is longer than `most` bytes, or cannot be read.
    pub(crate) fn read(&self, most: usize) -> Result<Option<String>, StateFileError> {
        self.folder.check()?;
        // A FIFO would block the opening.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = match open(&self.path, flags, Mode::empty()) {
            Ok(file) => File::from(file),
            Err(rustix::io::Errno::NOENT) => return Ok(None),
            Err(rustix::io::Errno::LOOP) => return Err(distrusted(&self.path, "file")),
            Err(errno) => return Err(failed(&self.path)(errno.into())),
        };
        let metadata = file.metadata().map_err(failed(&self.path))?;
        if !metadata.is_file() || !is_trusted(&metadata) {
            return Err(distrusted(&self.path, "file"));
        }
        let mut bytes = Vec::new();
        let limit = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
        file.take(limit).read_to_end(&mut bytes).map_err(failed(&self.path))?;
        if bytes.len() > most {
            return Err(StateFileError::TooLong { path: self.path.clone(), most });
        }
        Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
    }

    /// Adds a text at the end of the file.
    ///
    /// # Errors
    ///
    /// There is no file, or it cannot be written.
    pub(crate) fn append(&self, text: &str) -> Result<(), StateFileError> {
        let flags = OFlags::WRONLY | OFlags::APPEND;
        let flags = flags | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        open(&self.path, flags, Mode::empty())
            .map_err(io::Error::from)
            .and_then(|file| File::from(file).write_all(text.as_bytes()))
            .map_err(failed(&self.path))
    }

    /// Replaces the file as a whole, so that a crash leaves the old text or the new one. Creates the folder.
    ///
    /// # Errors
    ///
    /// The folder is not to be trusted, or the file cannot be written.
    pub(crate) fn replace(&self, text: &str) -> Result<(), StateFileError> {
        self.folder.make()?;
        let mut new = OsString::from(&self.path);
        new.push(".new");
        let new = PathBuf::from(new);
        // What a crash left.
        let _ = fs::remove_file(&new);
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let written = open(&new, flags, Mode::RUSR | Mode::WUSR)
            .map_err(io::Error::from)
            .map(File::from)
            .and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()))
            .map_err(failed(&new));
        let renamed =
            written.and_then(|()| fs::rename(&new, &self.path).map_err(failed(&self.path)));
        if renamed.is_err() {
            let _ = fs::remove_file(&new);
        }
        renamed
    }

    /// Removes the file, and the folder if nothing else is in it. It is no error if there is none.
    ///
    /// # Errors
    ///
    /// The file cannot be removed.
    pub(crate) fn remove(&self) -> Result<(), StateFileError> {
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed(&self.path)(error)),
            _ => {
                self.folder.remove_if_empty();
                Ok(())
            }
        }
    }
}

/// Returns `true` if a file or folder belongs to this user and no other user can write it.
pub(super) fn is_trusted(metadata: &fs::Metadata) -> bool {
    metadata.uid() == geteuid().as_raw() && metadata.mode() & 0o022 == 0
}

pub(super) fn distrusted(path: &Path, kind: &'static str) -> StateFileError {
    StateFileError::Distrusted { path: path.to_owned(), kind }
}

pub(super) fn failed(path: &Path) -> impl Fn(io::Error) -> StateFileError {
    move |error| StateFileError::Io { path: path.to_owned(), error }
}

#[cfg(test)]
mod tests {
    use std::fs::DirBuilder;
    use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _, symlink};

    use super::*;

    /// A folder that is removed when the test ends.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let path =
                std::env::temp_dir().join(format!("node-proxy-{name}-{}", std::process::id()));
            DirBuilder::new().mode(0o700).create(&path).unwrap();
            Self(path)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            fs::remove_dir_all(&self.0).ok();
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let folder = Folder::new("written");
        let file = StateFolder::new(&folder.0.join("state")).file("values");
        assert_eq!(file.read(10).unwrap(), None);
        file.remove().unwrap();
        file.replace("one").unwrap();
        file.replace("0123456789").unwrap();
        assert_eq!(file.read(10).unwrap().as_deref(), Some("0123456789"));
        assert!(matches!(file.read(9), Err(StateFileError::TooLong { .. })));
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(file.path()), 0o600);
        assert_eq!(mode(&folder.0.join("state")), 0o700);
        file.remove().unwrap();
        assert_eq!(file.read(10).unwrap(), None);
        assert!(!folder.0.join("state").exists());
    }

    #[test]
    fn a_text_grows_where_there_is_one() {
        let folder = Folder::new("grown");
        let file = StateFolder::new(&folder.0).file("values");
        assert!(matches!(file.append("one\n"), Err(StateFileError::Io { .. })));
        file.replace("one\n").unwrap();
        file.append("two\n").unwrap();
        assert_eq!(file.read(10).unwrap().as_deref(), Some("one\ntwo\n"));
        // A link is replaced, and what it names stays.
        fs::write(folder.0.join("target"), "secret").unwrap();
        fs::remove_file(file.path()).unwrap();
        symlink(folder.0.join("target"), file.path()).unwrap();
        assert!(file.append("more\n").is_err());
        file.replace("text\n").unwrap();
        assert_eq!(file.read(10).unwrap().as_deref(), Some("text\n"));
        assert_eq!(fs::read_to_string(folder.0.join("target")).unwrap(), "secret");
    }

    #[test]
    fn one_program_at_a_time_has_the_lock() {
        let folder = Folder::new("lock");
        let state = StateFolder::new(&folder.0);
        assert!(state.lock().unwrap().is_none(), "no program has used the folder");
        let lock = state.make_lock().unwrap();
        assert!(lock.claim().unwrap());
        let other = state.lock().unwrap().unwrap();
        assert!(!other.claim().unwrap());
        drop(lock);
        assert!(other.claim().unwrap());
    }

    #[test]
    fn what_a_crash_left_does_not_matter() {
        let folder = Folder::new("crash");
        let file = StateFolder::new(&folder.0).file("values");
        fs::write(folder.0.join("values.new"), "half").unwrap();
        file.replace("whole").unwrap();
        assert_eq!(file.read(10).unwrap().as_deref(), Some("whole"));
        assert_eq!(fs::read_dir(&folder.0).unwrap().count(), 1);
    }

    #[test]
    fn what_others_can_write_is_not_trusted() {
        let folder = Folder::new("others");
        let file = StateFolder::new(&folder.0).file("values");
        file.replace("text").unwrap();
        let permit = |path: &Path, mode| {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        };
        permit(file.path(), 0o662);
        assert!(matches!(file.read(10), Err(StateFileError::Distrusted { .. })));
        permit(file.path(), 0o600);
        permit(&folder.0, 0o777);
        assert!(matches!(file.read(10), Err(StateFileError::Distrusted { .. })));
        assert!(matches!(file.replace("text"), Err(StateFileError::Distrusted { .. })));
    }

    #[test]
    fn links_folders_and_devices_are_not_read() {
        let folder = Folder::new("links");
        fs::write(folder.0.join("target"), "secret").unwrap();
        symlink(folder.0.join("target"), folder.0.join("link")).unwrap();
        fs::create_dir(folder.0.join("folder")).unwrap();
        for odd in ["link", "folder"] {
            let read = StateFolder::new(&folder.0).file(odd).read(10);
            assert!(matches!(read, Err(StateFileError::Distrusted { .. })), "{odd}: {read:?}");
        }
        symlink(&folder.0, folder.0.join("state")).unwrap();
        let through = StateFolder::new(&folder.0.join("state")).file("values");
        assert!(matches!(through.replace("text"), Err(StateFileError::Distrusted { .. })));
        fs::write(folder.0.join("binary"), b"\xff\xfe").unwrap();
        let read = StateFolder::new(&folder.0).file("binary").read(10).unwrap();
        assert_eq!(read.as_deref(), Some("\u{fffd}\u{fffd}"));
    }
}

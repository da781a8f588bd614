//! The folder for what outlives the program.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, Mode, OFlags, flock, open};
use rustix::io::Errno;

use super::state_file::{StateFile, StateFileError, distrusted, failed, is_trusted};

/// The file that the program locks which uses a folder.
const LOCK: &str = "lock";

/// A folder of this program. Others who could write it could choose what the program deletes and puts back.
#[derive(Clone, Debug)]
pub(crate) struct StateFolder(PathBuf);

/// The file of a folder that a program locks while it uses the folder.
#[derive(Debug)]
pub(crate) struct StateLock(File);

impl StateFolder {
    /// Names a folder. Does not touch it.
    pub(crate) fn new(path: &Path) -> Self {
        Self(path.to_owned())
    }

    /// Returns the path of the folder.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Names a file of the folder. Does not touch it.
    pub(crate) fn file(&self, name: &str) -> StateFile {
        StateFile::new(self.clone(), self.0.join(name))
    }

    /// Makes the folder for this user alone, if it is absent.
    ///
    /// # Errors
    ///
    /// The folder cannot be made, or is not to be trusted.
    pub(crate) fn make(&self) -> Result<(), StateFileError> {
        DirBuilder::new().recursive(true).mode(0o700).create(&self.0).map_err(failed(&self.0))?;
        self.check()
    }

    /// Checks that no other user can write the folder. One that is absent is right.
    ///
    /// # Errors
    ///
    /// The folder is not to be trusted.
    pub(crate) fn check(&self) -> Result<(), StateFileError> {
        match fs::symlink_metadata(&self.0) {
            Ok(metadata) if metadata.is_dir() && is_trusted(&metadata) => Ok(()),
            Ok(_) => Err(distrusted(&self.0, "folder")),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(failed(&self.0)(error)),
        }
    }

    /// Removes the folder, if nothing is in it.
    pub(crate) fn remove_if_empty(&self) {
        let _ = fs::remove_dir(&self.0);
    }

    /// Opens the file that is locked, and makes it.
    ///
    /// # Errors
    ///
    /// It cannot be opened, such as a link.
    pub(crate) fn make_lock(&self) -> Result<StateLock, StateFileError> {
        self.open_lock(OFlags::CREATE).map_err(failed(&self.0.join(LOCK)))
    }

    /// Opens the file that is locked. Returns `None` if no program has ever used the folder.
    ///
    /// # Errors
    ///
    /// As for [`make_lock`](Self::make_lock).
    pub(crate) fn lock(&self) -> Result<Option<StateLock>, StateFileError> {
        match self.open_lock(OFlags::empty()) {
            Ok(lock) => Ok(Some(lock)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed(&self.0.join(LOCK))(error)),
        }
    }

    fn open_lock(&self, create: OFlags) -> io::Result<StateLock> {
        let flags = OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let lock = open(self.0.join(LOCK), flags | create, Mode::RUSR | Mode::WUSR)?;
        Ok(StateLock(lock.into()))
    }
}

impl StateLock {
    /// Locks the file until this is dropped. Returns `false` if another program has locked it.
    ///
    /// # Errors
    ///
    /// The system cannot lock it.
    pub(crate) fn claim(&self) -> io::Result<bool> {
        match flock(&self.0, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(true),
            Err(Errno::WOULDBLOCK) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

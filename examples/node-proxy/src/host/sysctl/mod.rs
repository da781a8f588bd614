//! The sysctls that a node proxy needs: told, changed, and put back.

mod files;
mod saved;
mod wanted;

use std::path::PathBuf;

use self::files::Files;
pub(crate) use self::files::SysctlError;
use self::saved::{Changed, InvalidLine, Return, Saved};
use self::wanted::wanted;
pub(crate) use self::wanted::{Needs, version};
use super::state_file::{StateFile, StateFileError};

/// The longest text of saved values, in bytes.
const LONGEST: usize = 4096;

/// The failure to set a sysctl, or to put it back.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SysctlsError {
    /// A sysctl cannot be read or written.
    #[error(transparent)]
    Sysctl(#[from] SysctlError),
    /// The values from before cannot be stored or read.
    #[error(transparent)]
    Stored(#[from] StateFileError),
    /// The stored values are not what this program writes.
    #[error("{}: {error}", .path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// The line.
        error: InvalidLine,
    },
}

/// The sysctls of the own network namespace, and the file with the values that they had before.
#[derive(Debug)]
pub(crate) struct Sysctls {
    files: Files,
    stored: StateFile,
    /// Only tell what is wrong.
    keep: bool,
}

impl Sysctls {
    /// Opens the sysctls of the network namespace of this thread. With `keep` nothing is changed.
    ///
    /// # Errors
    ///
    /// `/proc` is not mounted.
    pub(crate) fn open(stored: StateFile, keep: bool) -> Result<Self, SysctlsError> {
        Ok(Self { files: Files::open()?, stored, keep })
    }

    /// Sets what is needed and is not so. Tells each before it is changed, and stores the values from before
    /// ahead of the first change.
    ///
    /// # Errors
    ///
    /// A sysctl cannot be read or written, or the values from before cannot be stored. Those before it are set.
    pub(crate) fn set(
        &self,
        needs: Needs,
        mut tell: impl FnMut(String),
    ) -> Result<(), SysctlsError> {
        let mut changes = Vec::new();
        for (sysctl, set) in wanted(needs) {
            match self.files.read(sysctl)? {
                None => {
                    tell(format!("sysctl {sysctl}: the kernel does not have it; {set} is needed"))
                }
                Some(before) if before == set => {}
                Some(before) if self.keep => {
                    tell(format!("sysctl {sysctl}: is {before}; {set} is needed"));
                }
                Some(before) => changes.push((sysctl, Changed { before, set })),
            }
        }
        if changes.is_empty() {
            return Ok(());
        }
        let mut saved = self.read_saved()?;
        for (sysctl, changed) in &changes {
            saved.note(*sysctl, *changed);
        }
        self.stored.replace(&saved.to_string())?;
        for (sysctl, Changed { before, set }) in changes {
            tell(format!("sysctl {sysctl}: {before} becomes {set}"));
            self.files.write(sysctl, set)?;
        }
        Ok(())
    }

    /// Tells what [`set`](Self::set) would change.
    ///
    /// # Errors
    ///
    /// A sysctl cannot be read.
    pub(crate) fn compare(
        &self,
        needs: Needs,
        mut tell: impl FnMut(String),
    ) -> Result<(), SysctlsError> {
        for (sysctl, set) in wanted(needs) {
            if let Some(before) = self.files.read(sysctl)?.filter(|before| *before != set) {
                tell(format!("sysctl {sysctl}: {before} would become {set}"));
            }
        }
        Ok(())
    }

    /// Puts all values back that this program changed and nobody else since, and removes the file. Tells each
    /// before it is changed.
    ///
    /// # Errors
    ///
    /// The file is not what this program writes, or a sysctl cannot be read or written. The file stays then.
    pub(crate) fn put_back(&self, mut tell: impl FnMut(String)) -> Result<(), SysctlsError> {
        for (sysctl, changed) in self.read_saved()?.iter() {
            let Some(now) = self.files.read(sysctl)? else { continue };
            let before = changed.before;
            match changed.at_end(now) {
                Return::Nothing => {}
                Return::PutBack => {
                    tell(format!("sysctl {sysctl}: {now} becomes {before} again"));
                    self.files.write(sysctl, before)?;
                }
                Return::LeaveAlone => tell(format!(
                    "sysctl {sysctl}: stays {now}, which another program has set; it was {before}"
                )),
            }
        }
        Ok(self.stored.remove()?)
    }

    fn read_saved(&self) -> Result<Saved, SysctlsError> {
        let text = self.stored.read(LONGEST)?.unwrap_or_default();
        Saved::parse(&text)
            .map_err(|error| SysctlsError::Invalid { path: self.stored.path().to_owned(), error })
    }
}

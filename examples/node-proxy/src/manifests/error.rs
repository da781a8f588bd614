use std::fmt;
use std::io;
use std::path::PathBuf;

use crate::exit::Exit;

/// Why a file, or a folder of files, cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// A file or folder cannot be read.
    #[error("{}: {source}", .path.display())]
    Unreadable {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A file has something else than objects of the API.
    #[error("{}: {message}", .path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// What is wrong, with line and column where they are known.
        message: String,
    },
    /// There is no object of the API at all, as after a failed `kubectl get >file`. A plan from that would delete
    /// everything.
    #[error("{}: no object of Kubernetes in {}", .path.display(), match .is_folder {
        true => "its .yaml, .yml and .json files",
        false => "it",
    })]
    Empty {
        /// The file or folder.
        path: PathBuf,
        /// It is a folder.
        is_folder: bool,
    },
    /// There is more than is read.
    #[error("{}: more than {limit}", .path.display())]
    TooMuch {
        /// The file or folder at which the limit was reached.
        path: PathBuf,
        /// The limit, such as `512 MiB in all files`.
        limit: String,
    },
}

/// Everything that is wrong with some files.
#[derive(Debug)]
pub struct ManifestErrors(pub(super) Vec<ManifestError>);

impl ManifestErrors {
    /// Returns the errors, at least one, in the order of the files.
    pub fn iter(&self) -> impl Iterator<Item = &ManifestError> {
        self.0.iter()
    }

    /// Returns how the program ends.
    #[must_use]
    pub fn exit(&self) -> Exit {
        let unreadable = |error: &ManifestError| matches!(error, ManifestError::Unreadable { .. });
        if self.0.iter().any(unreadable) { Exit::Failed } else { Exit::Invalid }
    }
}

impl fmt::Display for ManifestErrors {
    /// One line an error.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.0.iter().enumerate() {
            let line_break = if index == 0 { "" } else { "\n" };
            write!(f, "{line_break}{error}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ManifestErrors {}

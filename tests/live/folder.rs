//! A temporary folder for a test.

use std::fs;
use std::path::{Path, PathBuf};

use nix::unistd::mkdtemp;

/// A folder that is removed when the test ends.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Self {
        Self::below(&std::env::temp_dir(), name)
    }

    /// A folder that can hold FIFOs. The files of the host cannot in QEMU (9p).
    pub(crate) fn for_fifos(name: &str) -> Self {
        Self::below(Path::new("/run"), name)
    }

    fn below(folder: &Path, name: &str) -> Self {
        // Process ids do not suffice: two guests of one host may have the same.
        Self(mkdtemp(&folder.join(format!("{name}-XXXXXX"))).unwrap())
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Returns the path of a file in this folder.
    pub(crate) fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.join(name);
        fs::write(&path, text).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).ok();
    }
}

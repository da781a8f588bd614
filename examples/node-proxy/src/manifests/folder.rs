//! Finds the files of a folder.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::ManifestError;

/// The most entries of all folders together.
const MOST_ENTRIES: usize = 100_000;

/// The most folders in each other.
const DEEPEST: usize = 16;

/// Returns the files with a known extension in a folder and its subfolders, in the order of their
/// names. What begins with a dot is left out, and links to folders are not followed.
pub(super) fn files(folder: &Path) -> Result<Vec<PathBuf>, ManifestError> {
    let mut walk = Walk { found: Vec::new(), entries: 0 };
    walk.enter(folder, 1)?;
    walk.found.sort_unstable();
    Ok(walk.found)
}

struct Walk {
    found: Vec<PathBuf>,
    entries: usize,
}

impl Walk {
    fn enter(&mut self, folder: &Path, depth: usize) -> Result<(), ManifestError> {
        let unreadable = |source: io::Error| {
            let path = folder.to_owned();
            ManifestError::Unreadable { path, source }
        };
        let too_much = |limit: String| {
            let path = folder.to_owned();
            Err(ManifestError::TooMuch { path, limit })
        };
        if depth > DEEPEST {
            return too_much(format!("{DEEPEST} folders in each other"));
        }
        for entry in fs::read_dir(folder).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            self.entries += 1;
            if self.entries > MOST_ENTRIES {
                return too_much(format!("{MOST_ENTRIES} files and folders"));
            }
            if entry.file_name().as_encoded_bytes().starts_with(b".") {
                continue;
            }
            let path = entry.path();
            if entry.file_type().map_err(unreadable)?.is_dir() {
                self.enter(&path, depth + 1)?;
            } else if is_manifest(&path) {
                self.found.push(path);
            }
        }
        Ok(())
    }
}

fn is_manifest(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    matches!(extension, Some("yaml" | "yml" | "json"))
}

//! Reads files with bounds: regular files below the folder of the first one.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};

use crate::convert::limits::{LARGEST, MOST_ENTRIES, MOST_FILES};

/// Why a file is not read.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The operating system refused.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// It is a folder, a device, a pipe or a socket.
    #[error("it is no regular file")]
    NotRegular,
    /// It lies elsewhere.
    #[error("it is not below the folder of the file that is converted: copy it there")]
    Elsewhere,
    /// All files together are larger than what is read.
    #[error("all files together are larger than {} MiB", LARGEST >> 20)]
    TooLarge,
    /// There are too many files.
    #[error("more than {MOST_FILES} files are included")]
    TooMany,
    /// A line is no text.
    #[error("line {0} is not UTF-8")]
    NotText(usize),
    /// The pattern has wildcards in a folder's name, or braces.
    #[error("wildcards are read only in the last part of a path, and braces not at all")]
    Pattern,
}

/// What has been read, and what may be.
#[derive(Debug)]
pub(super) struct Files {
    folder: PathBuf,
    left: usize,
    files: usize,
}

/// A file that was read.
#[derive(Debug)]
pub(super) struct Text {
    /// The path without links.
    pub(super) path: PathBuf,
    pub(super) lines: Vec<String>,
}

impl Files {
    /// Reads the first file.
    pub(super) fn open(path: &Path) -> Result<(Self, Text), FileError> {
        let path = fs::canonicalize(path)?;
        let folder = path.parent().unwrap_or(Path::new("/")).to_owned();
        let mut files = Self { folder, left: LARGEST, files: MOST_FILES };
        let text = files.read(path)?;
        Ok((files, text))
    }

    /// Returns the files that a pattern stands for, in order. The pattern is relative to `folder`.
    pub(super) fn find(&self, folder: &Path, pattern: &str) -> Result<Vec<PathBuf>, FileError> {
        let path = folder.join(pattern);
        let is_wild = |text: &str| text.contains(['*', '?', '[']);
        let (Some(parent), Some(name)) = (path.parent(), path.file_name().and_then(OsStr::to_str))
        else {
            return Err(FileError::NotRegular);
        };
        if pattern.contains(['{', '}']) || parent.to_str().is_none_or(is_wild) {
            return Err(FileError::Pattern);
        }
        if !is_wild(name) {
            return Ok(vec![path]);
        }
        let pattern = glob::Pattern::new(name).map_err(|_| FileError::Pattern)?;
        let options =
            glob::MatchOptions { require_literal_leading_dot: true, ..Default::default() };
        let parent = self.inside(parent)?;
        let mut found = BTreeSet::new();
        for (at, entry) in fs::read_dir(parent)?.enumerate() {
            if at >= MOST_ENTRIES {
                return Err(FileError::TooMany);
            }
            let entry = entry?;
            if entry.file_name().to_str().is_some_and(|it| pattern.matches_with(it, options)) {
                found.insert(entry.path());
            }
        }
        Ok(found.into_iter().collect())
    }

    /// Reads a file that another one includes.
    pub(super) fn include(&mut self, path: &Path) -> Result<Text, FileError> {
        let path = self.inside(path)?;
        self.read(path)
    }

    /// Returns the path without links, if it is below the folder of the first file.
    fn inside(&self, path: &Path) -> Result<PathBuf, FileError> {
        let path = fs::canonicalize(path)?;
        if path.starts_with(&self.folder) { Ok(path) } else { Err(FileError::Elsewhere) }
    }

    fn read(&mut self, path: PathBuf) -> Result<Text, FileError> {
        self.files = self.files.checked_sub(1).ok_or(FileError::TooMany)?;
        // Opening a pipe must not wait, and the last part of the path is no link any more.
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let opened = rustix::fs::open(&path, flags, Mode::empty()).map_err(io::Error::from)?;
        let file = File::from(opened);
        if !file.metadata()?.is_file() {
            return Err(FileError::NotRegular);
        }
        let mut bytes = Vec::new();
        let most = u64::try_from(self.left).unwrap_or(u64::MAX).saturating_add(1);
        file.take(most).read_to_end(&mut bytes)?;
        self.left = self.left.checked_sub(bytes.len()).ok_or(FileError::TooLarge)?;
        let lines = bytes.split(|byte| *byte == b'\n').enumerate().map(|(at, line)| {
            let line = std::str::from_utf8(line).map_err(|_| FileError::NotText(at + 1))?;
            Ok(line.to_owned())
        });
        Ok(Text { path, lines: lines.collect::<Result<_, FileError>>()? })
    }
}

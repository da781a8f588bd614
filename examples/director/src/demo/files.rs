//! The folder of the daemon: its configuration, socket, state and log.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::PathBuf;
use std::process;

/// The configuration of the beginning.
pub(super) const WEB: &str = include_str!("web.yaml");

/// A folder that is removed at the end.
#[derive(Debug)]
pub(super) struct Folder(PathBuf);

impl Folder {
    /// Makes a folder that only this user can open.
    pub(super) fn new() -> io::Result<Self> {
        // In user-mode Linux, folders on the host's disk belong to the host's user, and the daemon wants
        // the folder of its socket to be root's.
        let path = PathBuf::from(format!("/run/director-demo-{}", process::id()));
        DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Self(path))
    }

    pub(super) fn configuration(&self) -> PathBuf {
        self.0.join("web.yaml")
    }

    pub(super) fn socket(&self) -> PathBuf {
        self.0.join("control.socket")
    }

    pub(super) fn state(&self) -> PathBuf {
        self.0.join("state.json")
    }

    fn log(&self) -> PathBuf {
        self.0.join("log")
    }

    /// Opens the log, which all runs of the daemon continue.
    pub(super) fn open_log(&self) -> io::Result<File> {
        File::options().append(true).create(true).open(self.log())
    }

    /// Returns the last lines of the log.
    pub(super) fn end_of_log(&self) -> String {
        let log = fs::read_to_string(self.log()).unwrap_or_default();
        let lines: Vec<_> = log.lines().collect();
        let end = lines.len().saturating_sub(20);
        lines.get(end..).unwrap_or_default().join("\n")
    }

    /// Writes the configuration in place of the former one.
    pub(super) fn write(&self, text: &str) -> io::Result<()> {
        let new = self.0.join("web.yaml.new");
        fs::write(&new, text)?;
        fs::rename(new, self.configuration())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

//! The users' labels of services, from a table file.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use ipvs_netlink::metrics::ServiceLabels;
use rustix::fs::{Mode, OFlags};

use crate::text;
use crate::values::Format;

/// Why a table file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LabelsError {
    /// The extension of the file is not one of a format that has labels.
    #[error("{}: unknown extension; labels are in .yaml, .yml, .toml and .json", .0.display())]
    Extension(PathBuf),
    /// The file cannot be read.
    #[error("{}: {source}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The file is not a table.
    #[error("{}: {message}", .path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// What is wrong, with line and column where they are known.
        message: String,
    },
}

/// Reads the labels of all services in a table file that have some.
///
/// # Errors
///
/// The file has another extension than `.yaml`, `.yml`, `.toml` or `.json`, is not a regular file, cannot be
/// read, or is not a table. Files of more than 32 MiB, or with more than 250,000 services and destinations,
/// are refused.
pub fn read(path: &Path) -> Result<ServiceLabels, LabelsError> {
    let format = match path.extension().and_then(|extension| extension.to_str()) {
        Some("yaml" | "yml") => Format::Yaml,
        Some("toml") => Format::Toml,
        Some("json") => Format::Json,
        _ => return Err(LabelsError::Extension(path.to_owned())),
    };
    let bytes =
        load(path).map_err(|source| LabelsError::Unreadable { path: path.to_owned(), source })?;
    let table = text::parse(&bytes, format, false)
        .map_err(|message| LabelsError::Invalid { path: path.to_owned(), message })?;
    Ok(ServiceLabels::of(&table))
}

/// Reads one byte more than is allowed, so that the parser refuses what is longer.
fn load(path: &Path) -> io::Result<Vec<u8>> {
    // Opening a FIFO would wait for its writer.
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOCTTY | OFlags::NONBLOCK;
    let file = File::from(rustix::fs::open(path, flags, Mode::empty())?);
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("not a regular file"));
    }
    let mut bytes = Vec::new();
    file.take(text::LONGEST as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

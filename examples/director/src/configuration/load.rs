//! Loads configurations from files.

use std::io;
use std::path::{Path, PathBuf};

use clap::ValueEnum;

use super::document::{self, Files, Findings};
use super::findings::{Problems, printable};
use super::{Configuration, file, tree};
use crate::exit::Exit;

/// The longest file, in bytes.
const LONGEST: usize = 16 << 20;

/// The format of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// YAML, of which JSON is a part
    Yaml,
    /// TOML
    Toml,
}

impl Format {
    /// Returns the format that the extension of a file names: `yaml`, `yml`, `json` or `toml`.
    #[must_use]
    pub fn of(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()? {
            "yaml" | "yml" | "json" => Some(Self::Yaml),
            "toml" => Some(Self::Toml),
            _ => None,
        }
    }
}

/// A configuration that was loaded.
#[derive(Clone, Debug, PartialEq)]
pub struct Loaded {
    /// The configuration.
    pub configuration: Configuration,
    /// What is allowed, and cannot work or has no effect.
    pub warnings: Problems,
}

/// Why a configuration cannot be loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The file cannot be read.
    #[error("{}: {error}", printable(.path))]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The reason.
        error: io::Error,
    },
    /// Neither the extension of the file nor an option names a format.
    #[error("{}: unknown extension, expected .yaml, .yml, .json or .toml, or --format", printable(.0))]
    UnknownFormat(PathBuf),
    /// The content is wrong: everything that is.
    #[error("{0}")]
    Invalid(Problems),
}

impl LoadError {
    /// Returns how the program ends because of it. A file that cannot be read may come back by itself;
    /// one that is wrong does not.
    #[must_use]
    pub const fn exit(&self) -> Exit {
        match self {
            Self::Unreadable { .. } => Exit::Failed,
            Self::UnknownFormat(_) | Self::Invalid(_) => Exit::Invalid,
        }
    }

    /// Returns what is wrong, one line each.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        self.to_string().lines().map(str::to_owned).collect()
    }
}

/// Loads a configuration. `format` is that of the file's extension if it is `None`.
///
/// Nothing is asked of the kernel or of the network. Certificates are read where the file names
/// them.
///
/// # Errors
///
/// The file is not a regular file that can be read, its format is not known, or its content is
/// wrong.
pub fn load(path: &Path, format: Option<Format>) -> Result<Loaded, LoadError> {
    let format = format.or_else(|| Format::of(path));
    let format = format.ok_or_else(|| LoadError::UnknownFormat(path.to_owned()))?;
    let bytes = file::load(path, LONGEST)
        .map_err(|error| LoadError::Unreadable { path: path.to_owned(), error })?;
    parse(&bytes, format, path).map_err(LoadError::Invalid)
}

/// Parses the content of a file. The path is for messages, and for the names of other files, which
/// begin at its directory.
///
/// # Errors
///
/// The content is wrong. The error has everything that is, in the order of the file.
pub fn parse(bytes: &[u8], format: Format, path: &Path) -> Result<Loaded, Problems> {
    if bytes.len() > LONGEST {
        let text = format!("longer than {} MiB", LONGEST >> 20);
        return Err(Problems::one(path, bytes, LONGEST, &text));
    }
    let text = std::str::from_utf8(bytes)
        .map_err(|error| Problems::one(path, bytes, error.valid_up_to(), "not UTF-8"))?;
    let read = match format {
        Format::Yaml => tree::read_yaml(text).map_err(|finding| vec![finding]),
        Format::Toml => tree::read_toml(text),
    };
    let invalid = |findings| Problems::new(path, text, findings);
    let (tree, root, found) = read.map_err(|found| {
        let mut findings = Findings::default();
        found.into_iter().for_each(|finding| findings.push(finding));
        invalid(findings)
    })?;
    let files = Files::new(path.parent().unwrap_or(Path::new("")));
    let (configuration, warnings) = document::read(tree, root, found, files).map_err(invalid)?;
    Ok(Loaded { configuration, warnings: invalid(warnings) })
}

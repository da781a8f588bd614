//! Reads small files of `/proc`, with a limit.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use crate::host::{Gaps, Part};

/// The longest file that is read.
const LIMIT: u64 = 16 * 1024 * 1024;

/// Reads a file, or returns `None` if there is none. Bytes that are not UTF-8 are replaced.
///
/// # Errors
///
/// Returns an error that names the file if it cannot be read or is longer than 16 MiB.
pub(super) fn text(path: &Path) -> io::Result<Option<String>> {
    let named =
        |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file.map_err(named)?,
    };
    let mut bytes = Vec::new();
    file.take(LIMIT + 1).read_to_end(&mut bytes).map_err(named)?;
    if bytes.len() as u64 > LIMIT {
        return Err(named(io::Error::other("longer than 16 MiB")));
    }
    Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
}

/// Reads a file of a part of the host as [`text`] does. Reports an error in `unread`.
pub(super) fn text_or_report(part: Part, path: &Path, unread: &mut Gaps) -> Option<String> {
    text(path).unwrap_or_else(|error| {
        unread.push(part, error);
        None
    })
}

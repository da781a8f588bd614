//! Reads files that others write.

use std::io::{self, Read};
use std::path::Path;

use super::regular_file::open;

/// Reads a regular file, up to one byte more than `longest`.
pub(super) fn load(path: &Path, longest: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open(path)?.take(longest as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

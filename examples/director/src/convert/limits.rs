//! What a file may cost.

/// The bytes of all files together.
pub(super) const LARGEST: usize = 16 << 20;
/// The files that are read.
pub(super) const MOST_FILES: usize = 1000;
/// The entries of a folder that are looked at for a pattern.
pub(super) const MOST_ENTRIES: usize = 10_000;
/// How deep files may include one another.
pub(super) const DEEPEST_INCLUDE: usize = 16;
/// The bytes of a line after its parameters are replaced.
pub(super) const LONGEST_LINE: usize = 8192;
/// The bytes of the definition of a parameter.
pub(super) const LONGEST_DEFINITION: usize = 1 << 20;
/// The definitions of parameters.
pub(super) const MOST_DEFINITIONS: usize = 10_000;
/// The parameters that are replaced in one line.
pub(super) const MOST_REPLACEMENTS: usize = 100;
/// The lines after definitions and sequences are expanded.
pub(super) const MOST_LINES: usize = 500_000;
/// The bytes of all these lines.
pub(super) const MOST_BYTES: usize = 64 << 20;
/// How deep blocks may hold one another.
pub(super) const DEEPEST_BLOCK: usize = 16;
/// The services of the converted file.
pub(super) const MOST_SERVICES: usize = 65_536;
/// The destinations of all its services together.
pub(super) const MOST_DESTINATIONS: usize = 1_000_000;

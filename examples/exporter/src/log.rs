use std::fmt;
use std::io::{self, Write as _};

/// Writes a line to standard error. A log that nobody reads any more must not end the program.
pub(crate) fn line(text: impl fmt::Display) {
    let _ = writeln!(io::stderr(), "exporter: {text}");
}

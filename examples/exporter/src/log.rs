use std::fmt;
use std::io::{self, Write as _};
use std::sync::OnceLock;

static LOG: OnceLock<fn(&dyn fmt::Display)> = OnceLock::new();

/// Has lines of the log handed to a function from now on, for the rest of the process. Without this call they
/// are written to standard error. Only the first call counts.
pub fn log_to(write: fn(&dyn fmt::Display)) {
    let _ = LOG.set(write);
}

/// Logs a line. A log that nobody reads any more must not end the program.
pub(crate) fn line(text: impl fmt::Display) {
    match LOG.get() {
        Some(write) => write(&text),
        None => {
            let _ = writeln!(io::stderr(), "exporter: {text}");
        }
    }
}

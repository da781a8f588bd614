//! Why the program ends early, and its exit code.

use std::io;
use std::process::ExitCode;

use ipvs_netlink::ErrorKind;

/// A message for standard error, and the exit code.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) code: u8,
    pub(crate) message: String,
}

impl Failure {
    /// A syntax error: an unknown option, or a missing value.
    pub(crate) fn syntax(message: impl Into<String>) -> Self {
        Self { code: 255, message: message.into() }
    }

    /// A command line without meaning: a bad value, or options that do not go together.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self { code: 2, message: message.into() }
    }

    /// A list that could not be read or written.
    pub(crate) fn list(message: impl Into<String>) -> Self {
        Self { code: 1, message: message.into() }
    }

    /// A list that was printed although entries may be missing. The example `table` has the same
    /// exit code for this.
    pub(crate) fn incomplete() -> Self {
        let message = "entries may be missing: others changed the table while it was read";
        Self { code: 6, message: message.to_owned() }
    }

    /// A change that the kernel refused.
    pub(crate) fn refused(message: impl Into<String>) -> Self {
        Self { code: 255, message: message.into() }
    }

    /// A kernel without IPVS, or a caller who may not use it. `None` for other errors.
    pub(crate) fn unusable(error: &ipvs_netlink::Error) -> Option<Self> {
        matches!(error.kind(), ErrorKind::Unavailable | ErrorKind::PermissionDenied)
            .then(|| Self::usage(error.to_string()))
    }

    /// Puts a place before the message, such as `line 3`.
    pub(crate) fn prefixed(self, place: &str) -> Self {
        Self { message: format!("{place}: {}", self.message), ..self }
    }

    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.code)
    }
}

impl From<ipvs_netlink::Error> for Failure {
    /// Converts the error of a read.
    fn from(error: ipvs_netlink::Error) -> Self {
        Self::unusable(&error).unwrap_or_else(|| Self::list(error.to_string()))
    }
}

impl From<io::Error> for Failure {
    /// Converts an error of writing to standard output. A reader that closed the pipe, such as
    /// `head`, gets no message, and the exit code of a death by `SIGPIPE`.
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self { code: 141, message: String::new() },
            _ => Self::list(format!("standard output: {error}")),
        }
    }
}

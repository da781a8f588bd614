//! Why the program ends, and the exit code that goes with it.

use std::io;
use std::process::ExitCode;

use ipvs_netlink::ErrorKind;

/// The end of a program that could not do what it was asked to.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) code: u8,
    pub(crate) message: String,
}

impl Failure {
    /// Words that are no command line at all: an unknown option, a missing value.
    pub(crate) fn syntax(message: impl Into<String>) -> Self {
        Self { code: 255, message: message.into() }
    }

    /// A command line that means nothing: a bad value, options that do not go together.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self { code: 2, message: message.into() }
    }

    /// A list that could not be read or written.
    pub(crate) fn list(message: impl Into<String>) -> Self {
        Self { code: 1, message: message.into() }
    }

    /// A list in which something may be missing, which was written all the same. The example
    /// `table` has the same code for it.
    pub(crate) fn inconsistent() -> Self {
        let message = "others kept writing the table while it was read; something may be missing";
        Self { code: 6, message: message.to_owned() }
    }

    /// A change that the kernel refused.
    pub(crate) fn refused(message: impl Into<String>) -> Self {
        Self { code: 255, message: message.into() }
    }

    /// A kernel without IPVS, or one that does not let the caller use it.
    pub(crate) fn unusable(error: &ipvs_netlink::Error) -> Option<Self> {
        matches!(error.kind(), ErrorKind::Unavailable | ErrorKind::PermissionDenied)
            .then(|| Self::usage(error.to_string()))
    }

    /// Says where it was.
    pub(crate) fn prefixed(self, place: &str) -> Self {
        Self { message: format!("{place}: {}", self.message), ..self }
    }

    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.code)
    }
}

impl From<ipvs_netlink::Error> for Failure {
    /// An error of reading.
    fn from(error: ipvs_netlink::Error) -> Self {
        Self::unusable(&error).unwrap_or_else(|| Self::list(error.to_string()))
    }
}

impl From<io::Error> for Failure {
    /// An error of writing to standard output. Whoever has closed it, as `head` does,
    /// wants no more and no message: the code is that of a death by `SIGPIPE`.
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self { code: 141, message: String::new() },
            _ => Self::list(format!("standard output: {error}")),
        }
    }
}

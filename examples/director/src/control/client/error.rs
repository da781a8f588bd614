//! Why an order came to nothing, and what people can do about it.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::control::protocol::VERSION;
use crate::exit::Exit;

/// Why an order came to nothing, or why it is not known what it came to.
#[derive(Debug, Error)]
pub enum ClientError {
    /// There is no socket.
    #[error(
        "no daemon answers on {}: {error}. Is the daemon running? --socket or DIRECTOR_SOCKET name \
         another socket", path.display()
    )]
    NoDaemon {
        /// The socket.
        path: PathBuf,
        /// The reason.
        error: io::Error,
    },
    /// The file of the socket does not allow it.
    #[error(
        "{}: permission denied. Orders need root, the daemon's user or a member of the socket's \
         group (--socket-group of the daemon)", .0.display()
    )]
    NoPermission(PathBuf),
    /// The daemon refused the order.
    #[error("refused, nothing was changed: {}", .0.join("\n  "))]
    Refused(Vec<String>),
    /// The daemon's server did not take the request.
    #[error("{text} ({name})")]
    Problem {
        /// The name of the problem.
        name: String,
        /// Why, for people.
        text: String,
    },
    /// The daemon speaks another version.
    #[error("the daemon speaks version {0} of the protocol, and this program version {VERSION}")]
    Version(String),
    /// The daemon ended the connection before it answered.
    #[error("the daemon has ended the connection before it answered{}", unknown(*.changes))]
    Ended {
        /// Whether the order changes something.
        changes: bool,
    },
    /// The daemon did not answer in time.
    #[error("the daemon did not answer within {seconds} s{}", unknown(*.changes))]
    Late {
        /// How long the client waited.
        seconds: u64,
        /// Whether the order changes something.
        changes: bool,
    },
    /// What the daemon says cannot be understood.
    #[error("the daemon's answer is malformed: {0}")]
    Malformed(String),
    /// The connection failed.
    #[error("the connection to the daemon: {0}")]
    Connection(#[source] io::Error),
}

/// Says what is known of an order without an answer.
const fn unknown(changes: bool) -> &'static str {
    if changes {
        "; it is not known whether the order was carried out: see `director status`"
    } else {
        ""
    }
}

impl ClientError {
    /// Returns how the program ends.
    #[must_use]
    pub fn exit(&self) -> Exit {
        match self {
            Self::NoDaemon { .. } => Exit::NoDaemon,
            Self::Refused(_) => Exit::Refused,
            Self::Ended { .. } | Self::Late { .. } => Exit::Unknown,
            Self::Problem { name, .. } => match name.as_str() {
                "stopping" | "no-answer" => Exit::Unknown,
                "busy" => Exit::NoDaemon,
                _ => Exit::Failed,
            },
            _ => Exit::Failed,
        }
    }

    /// Returns `true` if the order was not carried out and another attempt may succeed soon.
    pub(super) fn is_busy(&self) -> bool {
        matches!(self, Self::Problem { name, .. } if name == "busy")
    }
}

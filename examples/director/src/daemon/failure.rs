//! Why the daemon does not start, or ends by itself.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use ipvs_netlink::health::through::ForeignServices;

use crate::configuration::LoadError;
use crate::control::server::SocketError;
use crate::exit::Exit;

/// Why the daemon does not start, or ends by itself.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The configuration cannot be loaded.
    #[error("{0}")]
    Configuration(#[from] LoadError),
    /// The configuration is wrong.
    #[error("{}", .0.join("\n"))]
    Invalid(Vec<String>),
    /// The namespace cannot be entered.
    #[error("the network namespace {} cannot be entered: {error}", path.display())]
    Namespace {
        /// The file of the namespace.
        path: PathBuf,
        /// The reason.
        error: io::Error,
    },
    /// The folder of the state file or of the socket cannot be made.
    #[error("the folder {} cannot be made: {error}{}", path.display(), whose(error))]
    Folder {
        /// The folder.
        path: PathBuf,
        /// The reason.
        error: io::Error,
    },
    /// The lock of the state file cannot be taken.
    #[error("the lock {}.lock cannot be taken: {error}{}", path.display(), whose(error))]
    Lock {
        /// The file that is locked.
        path: PathBuf,
        /// The reason.
        error: io::Error,
    },
    /// Another daemon has the state file.
    #[error(
        "another daemon uses the state file {}: stop it first, or name another file", .0.display()
    )]
    Locked(PathBuf),
    /// The state file cannot be written at the start.
    #[error("the state file {} cannot be written: {error}{}", path.display(), whose(error))]
    State {
        /// The file.
        path: PathBuf,
        /// The reason.
        error: io::Error,
    },
    /// The control socket cannot be made.
    #[error("{0}")]
    Socket(#[from] SocketError),
    /// Metrics cannot be served.
    #[error("metrics cannot be served on {address}: {error}")]
    Metrics {
        /// The address.
        address: SocketAddr,
        /// The reason.
        error: io::Error,
    },
    /// The system refuses something that the daemon cannot do without.
    #[error("{what}: {error}")]
    System {
        /// What is refused.
        what: &'static str,
        /// The reason.
        error: io::Error,
    },
    /// The kernel has no IPVS, or refuses commands.
    #[error("{0}")]
    Kernel(#[from] ipvs_netlink::Error),
    /// The table has services of others with the marks for checks.
    #[error("`marks`: {0}")]
    Marks(#[from] ForeignServices),
    /// The thread of the checks has ended by itself.
    #[error("the thread of the checks has ended; the table stays as it is")]
    ChecksEnded,
    /// The time for the withdrawal at the end is over.
    #[error(
        "the withdrawal has not ended in time: {services} services are in the table; these may be \
         announced still: {}",
        list(announced)
    )]
    NotWithdrawn {
        /// The number of services that have not left the table.
        services: usize,
        /// The services whose command has not succeeded.
        announced: Vec<String>,
    },
}

/// Says what to do where a daemon of another user, such as root, has made a file before.
fn whose(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::PermissionDenied => {
            "; start the daemon as the user to whom the file and its folder belong, or name another path"
        }
        _ => "",
    }
}

fn list(all: &[String]) -> String {
    if all.is_empty() { "none".to_owned() } else { all.join(", ") }
}

impl Failure {
    /// Returns how the program ends.
    #[must_use]
    pub fn exit(&self) -> Exit {
        match self {
            Self::Configuration(error) => error.exit(),
            Self::Invalid(_) => Exit::Invalid,
            Self::Locked(_) | Self::Socket(SocketError::InUse(_)) => Exit::Locked,
            _ => Exit::Failed,
        }
    }
}

//! What the program ends with.

use std::error::Error;
use std::fmt;
use std::process::ExitCode;

use ipvs_netlink::table::PlanError;

/// How it went. The numbers are in `table --help`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    /// There was nothing to change.
    NoChange,
    /// Everything was changed, or would be.
    Changed,
    /// Something was changed, or was to be, and something else could not be.
    PartlyFailed,
    /// The input was refused and nothing was changed.
    Invalid,
    /// The kernel, a file or the lock could not be had, or somebody said no. Nothing was
    /// changed.
    Failed,
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoChange => "nothing differed",
            Self::Changed => "applied",
            Self::PartlyFailed => "applied in part",
            Self::Invalid => "refused, the table stays as it is",
            Self::Failed => "failed, the table stays as it is",
        })
    }
}

impl From<Status> for ExitCode {
    fn from(status: Status) -> Self {
        Self::from(match status {
            Status::NoChange => 0,
            Status::Failed => 1,
            Status::Changed => 3,
            Status::PartlyFailed => 4,
            Status::Invalid => 5,
        })
    }
}

/// Why nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) status: Status,
    pub(crate) text: String,
}

impl Failure {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self { status: Status::Failed, text: text.into() }
    }

    pub(crate) fn invalid(text: impl Into<String>) -> Self {
        Self { status: Status::Invalid, text: text.into() }
    }

    pub(crate) fn kernel(error: impl Error) -> Self {
        Self::new(error.to_string())
    }

    pub(crate) fn plan(error: PlanError) -> Self {
        Self::invalid(error.to_string())
    }
}

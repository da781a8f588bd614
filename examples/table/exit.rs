//! Exit codes and failures.

use std::error::Error;
use std::fmt;
use std::process::ExitCode;

use ipvs_netlink::table::PlanError;

/// The result of a command. `table --help` lists the exit codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    /// Nothing differed.
    NoChange,
    /// Everything was changed, or would be.
    Changed,
    /// Everything was changed, and connections broke.
    Cut,
    /// Everything was changed, but standard output did not take the result.
    Untold,
    /// A change failed.
    PartlyFailed,
    /// A signal ended the work. Nothing failed; destinations still drain or steps are missing.
    Unfinished,
    /// Other programs kept writing the table, so objects may be missing in what was read.
    Inconsistent,
    /// The file is valid, but no known kernel accepts what it asks for.
    Doubtful,
    /// The input was refused and nothing was changed.
    Invalid,
    /// The kernel, a file, the lock or the consent is missing. Nothing was changed.
    Failed,
}

impl Status {
    /// Returns the exit code. Every success is 0 unless `detailed` is set, so a script with
    /// `set -e` continues.
    pub(crate) fn code(self, detailed: bool) -> ExitCode {
        ExitCode::from(match self {
            Self::NoChange => 0,
            Self::Failed => 1,
            Self::Changed => u8::from(detailed) * 3,
            Self::PartlyFailed => 4,
            Self::Invalid => 5,
            Self::Inconsistent => 6,
            Self::Doubtful => 7,
            Self::Untold => 8,
            Self::Cut => u8::from(detailed) * 9,
            Self::Unfinished if detailed => 10,
            Self::Unfinished => 4,
        })
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoChange => "nothing differed",
            Self::Changed => "applied",
            Self::Cut => "applied, connections were cut",
            Self::Untold => "applied, but the result could not be written",
            Self::PartlyFailed => "applied in part",
            Self::Unfinished => "not finished",
            Self::Inconsistent => "other programs kept writing the table, objects may be missing",
            Self::Doubtful => "valid, but no known kernel accepts it",
            Self::Invalid => "refused, the table stays as it is",
            Self::Failed => "failed, the table stays as it is",
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

//! Exit codes of the program.

use std::process::ExitCode;

/// How the program ends. `node-proxy --help` lists the codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// All was done. What was left out is on standard error.
    Done,
    /// A file or folder cannot be read, or standard output cannot be written.
    Failed,
    /// A manifest or another file is wrong, or lacks what was asked for. Nothing was printed.
    Invalid,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0_u8,
            Exit::Failed => 1,
            // 2 is a wrong command line, which clap refuses.
            Exit::Invalid => 3,
        })
    }
}

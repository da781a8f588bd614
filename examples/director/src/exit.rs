//! Exit codes of the program.

use std::process::ExitCode;

/// How the program ends. `director --help` lists the codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// All was done.
    Done,
    /// The kernel, a privilege, a file or the socket is missing, or the daemon failed while it ran.
    Failed,
    /// The command line is wrong.
    Usage,
    /// The configuration, or another file, is wrong. Nothing was changed.
    Invalid,
    /// Another daemon has the lock. Nothing was changed.
    Locked,
    /// The daemon refused the order. Nothing was changed.
    Refused,
    /// No daemon answers on the socket.
    NoDaemon,
    /// The daemon took the order and did not answer. It is not known whether it was carried out.
    Unknown,
    /// The order was carried out, and connections have not ended in the time that was given.
    NotDrained,
    /// A configuration was converted, and something of it was left out or changed.
    Unsaid,
    /// The order was carried out, and could not be saved: a restart of the daemon forgets it.
    NotSaved,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0_u8,
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::Invalid => 3,
            Exit::Locked => 4,
            Exit::Refused => 5,
            Exit::NoDaemon => 6,
            Exit::Unknown => 7,
            Exit::NotDrained => 8,
            Exit::Unsaid => 9,
            Exit::NotSaved => 10,
        })
    }
}

//! Commands that announce a service when it is available, and withdraw it when it is not.
//!
//! [`Announcements`] decides which command is due. It has no clock and starts nothing. The
//! [`Executor`](executor::Executor) runs what is due.

mod address;
mod announcements;
mod deciding;
pub mod environment;
pub mod executor;
mod service;
mod status;
mod told;

#[cfg(test)]
mod tests;

use std::fmt;
use std::time::Duration;

use ipvs_netlink::ServiceId;

use crate::configuration::Commands;

pub use self::announcements::{Announcements, Watch};
pub use self::status::AnnouncementStatus;
pub use self::told::Told;

/// What a command tells the network of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// The service takes clients.
    Available,
    /// The service takes no clients, or is about to leave.
    Unavailable,
}

impl State {
    /// Returns the word in files and in the environment of commands: `available` or `unavailable`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Available => "available",
            Self::Unavailable => "unavailable",
        }
    }

    const fn opposite(self) -> Self {
        match self {
            Self::Available => Self::Unavailable,
            Self::Unavailable => Self::Available,
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why a command runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// Enough destinations are live, and the table has the service.
    Serves,
    /// Another service of the address has changed.
    Shared,
    /// Too few destinations are live.
    Dead,
    /// An operator takes the last live destination out.
    Maintenance,
    /// The table has no usable destination of the service.
    NotServing,
    /// The service is not in the file any more, or the daemon withdraws it.
    Leaves,
    /// No destination was found live since the daemon began.
    NeverAvailable,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Serves => "enough destinations are live and in the table",
            Self::Shared => "another service of the address has changed",
            Self::Dead => "too few destinations are live",
            Self::Maintenance => "an operator takes the last live destination out",
            Self::NotServing => "the table has no usable destination",
            Self::Leaves => "the service leaves the table",
            Self::NeverAvailable => "too few destinations were live since the start",
        })
    }
}

/// A command to be started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// The number of the run. No other run has it.
    pub number: u64,
    /// The service.
    pub service: ServiceId,
    /// What the command tells.
    pub state: State,
    /// Why.
    pub reason: Reason,
    /// How often the command was started for this state, this time included.
    pub attempt: u32,
    /// The program and its arguments. Never empty.
    pub arguments: Vec<String>,
    /// The longest time that the command may take.
    pub timeout: Duration,
}

/// What the program is to do now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Start a command, and call [`Announcements::ended`] when it has ended.
    Start(Run),
    /// Kill the command of the run with this number, because a newer state has replaced its. Its end
    /// is awaited as before.
    Stop(u64),
}

/// How a command ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It exited with 0. The text is what it said, one line.
    Succeeded(String),
    /// It did not do its work, for this reason, one line.
    Failed(String),
    /// It was killed by [`Action::Stop`].
    Stopped,
}

/// What is added to the timeout of a command, for what comes before its start.
const MARGIN: Duration = Duration::from_secs(1);

/// Returns how long the withdrawal of a service may take. A live destination that is the last one
/// stays in the table so long.
#[must_use]
pub fn hold(commands: Option<&Commands>) -> Duration {
    let unavailable = commands.filter(|commands| !commands.unavailable.is_empty());
    unavailable.map_or(Duration::ZERO, |commands| hold_of(commands.timeout))
}

/// Returns how long the withdrawal by a command with this timeout may take.
pub(crate) const fn hold_of(timeout: Duration) -> Duration {
    timeout.saturating_add(MARGIN)
}

//! What is announced of a service, for people.

use std::fmt;
use std::time::{Duration, Instant};

use crate::announcement::State;
use crate::announcement::service::Service;

/// What is announced of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnnouncementStatus {
    /// What the last command has told. `None` if that is not known: none has succeeded yet, or one
    /// runs or has failed since.
    pub told: Option<State>,
    /// What is to be told. `None`: what there is stays.
    pub wanted: Option<State>,
    /// The command that runs, and for how long.
    pub running: Option<(State, Duration)>,
    /// Whether that command was killed, and runs still.
    pub is_stuck: bool,
    /// The last failure.
    pub failure: Option<Failure>,
}

/// A command that failed, and has not succeeded since.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The command.
    pub state: State,
    /// How many times in a row it failed.
    pub times: u32,
    /// Why it failed last, one line.
    pub reason: String,
    /// When it is tried again.
    pub again: Duration,
}

impl AnnouncementStatus {
    pub(super) fn of(service: &Service, wanted: Option<State>, now: Instant) -> Self {
        let running = service.running.as_ref();
        let failure = service.trouble.as_ref().map(|trouble| Failure {
            state: trouble.state,
            times: trouble.failures,
            reason: trouble.reason.clone(),
            again: trouble.retry.saturating_duration_since(now),
        });
        Self {
            told: service.told,
            wanted,
            running: running.map(|it| (it.state, now.saturating_duration_since(it.begun))),
            is_stuck: running.is_some_and(|it| it.is_stuck),
            failure,
        }
    }
}

impl fmt::Display for AnnouncementStatus {
    /// Prints `announced`, `withdrawn; available command failed 3 times, next in 5 s: exit code 1`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.running, self.told) {
            (Some((State::Available, time)), _) => {
                write!(f, "being announced for {} s", time.as_secs())?;
            }
            (Some((State::Unavailable, time)), _) => {
                write!(f, "being withdrawn for {} s", time.as_secs())?;
            }
            (None, Some(State::Available)) => f.write_str("announced")?,
            (None, Some(State::Unavailable)) => f.write_str("withdrawn")?,
            (None, None) => f.write_str("announcement unknown")?,
        }
        if self.is_stuck {
            f.write_str(", the command was killed and runs still")?;
        }
        let Some(Failure { state, times, reason, again }) = &self.failure else { return Ok(()) };
        let s = if *times == 1 { "" } else { "s" };
        write!(f, "; {state} command failed {times} time{s}")?;
        if self.wanted == Some(*state) && self.running.is_none() {
            write!(f, ", next attempt in {} s", again.as_secs())?;
        }
        write!(f, ": {reason}")
    }
}

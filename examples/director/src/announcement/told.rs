//! What there is to tell people.

use std::time::{Duration, SystemTime};

use ipvs_netlink::ServiceId;

use crate::announcement::{Reason, State};
use crate::event::{Event, Severity};

/// What has happened to the commands of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// A command begins.
    Began {
        /// The service.
        service: ServiceId,
        /// What the command tells.
        state: State,
        /// How often it was started for this state.
        attempt: u32,
        /// Why.
        reason: Reason,
    },
    /// A command has succeeded: the service is announced, or withdrawn.
    Succeeded {
        /// The service.
        service: ServiceId,
        /// What the command has told.
        state: State,
        /// How often it was started for this state.
        attempt: u32,
        /// How long it took.
        took: Duration,
        /// What it said.
        output: String,
    },
    /// A command has failed.
    Failed {
        /// The service.
        service: ServiceId,
        /// What the command was to tell.
        state: State,
        /// How often it was started for this state.
        attempt: u32,
        /// Why it failed.
        reason: String,
        /// When it is tried again. `None`: not before the next start of the program.
        again: Option<Duration>,
    },
    /// A command was killed, because a newer state has replaced its.
    Stopped {
        /// The service.
        service: ServiceId,
        /// What the command was to tell.
        state: State,
    },
    /// A command was killed, and runs still.
    Stuck {
        /// The service.
        service: ServiceId,
    },
}

impl Told {
    /// Makes an event of it.
    #[must_use]
    pub fn event(&self, time: SystemTime) -> Event {
        match self {
            Self::Began { service, state, attempt, reason } => {
                let text = format!("the {state} command begins{}: {reason}", nth(*attempt));
                Event::new(time, Severity::Detail, "command", &text).of(*service)
            }
            Self::Succeeded { service, state, attempt, took, output } => {
                let kind = match state {
                    State::Available => "announced",
                    State::Unavailable => "withdrawn",
                };
                let (took, colon) = (took.as_millis(), if output.is_empty() { "" } else { ": " });
                let nth = nth(*attempt);
                let text =
                    format!("the {state} command succeeded in {took} ms{nth}{colon}{output}");
                Event::new(time, Severity::Note, kind, &text).of(*service)
            }
            Self::Failed { service, state, attempt, reason, again } => {
                let nth = nth(*attempt);
                let again = match again {
                    Some(again) => format!("next attempt in {:.1} s", again.as_secs_f32()),
                    None => "not tried again before the next start".to_owned(),
                };
                let text = format!("the {state} command failed{nth}, {again}: {reason}");
                Event::new(time, Severity::Warning, "command-failed", &text).of(*service)
            }
            Self::Stopped { service, state } => {
                let text =
                    format!("the {state} command is stopped: the service is not {state} any more");
                Event::new(time, Severity::Note, "command-stopped", &text).of(*service)
            }
            Self::Stuck { service } => {
                let text =
                    "the command was killed and runs still; no other one runs before its end";
                Event::new(time, Severity::Error, "command-stuck", text).of(*service)
            }
        }
    }
}

fn nth(attempt: u32) -> String {
    if attempt > 1 { format!(" (attempt {attempt})") } else { String::new() }
}

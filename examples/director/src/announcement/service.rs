//! What is known of one service.

use std::time::{Duration, Instant};

use crate::announcement::address::{AddressKey, Standing};
use crate::announcement::{Reason, State};
use crate::configuration::Commands;

/// How long a service whose pool is available counts as serving after the table has lost its last
/// usable destination: another program may have taken it, and it comes back at once.
pub(super) const GRACE: Duration = Duration::from_secs(1);

/// The longest delay between two attempts, unless the first one is longer.
const LONGEST_RETRY: Duration = Duration::from_secs(60);

/// What is known of one service.
#[derive(Debug)]
pub(super) struct Service {
    /// `None`: what the service is announced as is nobody's business.
    pub(super) commands: Option<Commands>,
    /// The address that the service shares with others.
    pub(super) address: Option<AddressKey>,
    /// `false` once the program has forgotten the service.
    pub(super) is_watched: bool,
    /// What the pool said last.
    pub(super) is_available: bool,
    pub(super) serving: Serving,
    /// Why the service is down, or went down last.
    pub(super) down: Reason,
    /// Nothing is withdrawn before this time that was not announced by this program: its destinations
    /// may be live.
    pub(super) neutral: Option<Instant>,
    /// `true` once a command has run.
    pub(super) has_acted: bool,
    /// How the service was counted last.
    pub(super) standing: Standing,
    /// What the network knows. `None` if that is not known, also while a command runs.
    pub(super) told: Option<State>,
    pub(super) running: Option<Running>,
    pub(super) trouble: Option<Trouble>,
    /// When the service is to be looked at again.
    pub(super) timer: Option<Instant>,
    /// For which command the service waits for its turn.
    pub(super) ready: Option<State>,
}

/// What the controller said last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Serving {
    /// The table has no usable destination.
    No,
    /// The table has a usable destination.
    Yes,
    /// The last usable destination is gone, which counts from this time on.
    Lost(Instant),
    /// The service is about to leave.
    Leaving,
}

/// A command that runs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Running {
    pub(super) number: u64,
    pub(super) state: State,
    pub(super) address: Option<AddressKey>,
    pub(super) begun: Instant,
    pub(super) attempt: u32,
    pub(super) is_stopped: bool,
    /// It was killed and runs still.
    pub(super) is_stuck: bool,
}

/// A command that has failed.
#[derive(Clone, Debug)]
pub(super) struct Trouble {
    pub(super) state: State,
    /// How many times in a row.
    pub(super) failures: u32,
    pub(super) reason: String,
    /// When it is tried again.
    pub(super) retry: Instant,
}

impl Service {
    pub(super) const fn new(serving: Serving, neutral: Option<Instant>) -> Self {
        Self {
            commands: None,
            address: None,
            is_watched: true,
            is_available: false,
            serving,
            down: Reason::NeverAvailable,
            neutral,
            has_acted: false,
            standing: Standing::Gone,
            told: None,
            running: None,
            trouble: None,
            timer: None,
            ready: None,
        }
    }

    /// Returns how the service stands at the time `now`.
    pub(super) fn standing(&self, now: Instant) -> Standing {
        let serves = match self.serving {
            Serving::Yes => true,
            Serving::Lost(from) => now < from,
            Serving::No | Serving::Leaving => false,
        };
        match self.is_watched {
            false => Standing::Gone,
            true if self.is_available && serves => Standing::Up,
            true if self.neutral.is_some_and(|until| now < until) => Standing::Undecided,
            true => Standing::Down,
        }
    }

    /// Notes that something has withdrawn the service, so that nothing is to be waited for.
    pub(super) const fn goes_down(&mut self, reason: Reason) {
        self.down = reason;
        self.neutral = None;
    }

    /// Returns the command for a state. Empty if there is none.
    pub(super) fn command(&self, state: State) -> &[String] {
        let Some(commands) = &self.commands else { return &[] };
        match state {
            State::Available => &commands.available,
            State::Unavailable => &commands.unavailable,
        }
    }

    /// Returns when the service changes by itself, after `now`.
    pub(super) fn next(&self, now: Instant) -> Option<Instant> {
        let lost = match self.serving {
            Serving::Lost(from) => Some(from),
            _ => None,
        };
        let retry = self.trouble.as_ref().map(|trouble| trouble.retry);
        let times = [lost, self.neutral, retry];
        times.into_iter().flatten().filter(|time| *time > now).min()
    }

    /// Notes a failure, and returns when the command is tried again.
    pub(super) fn failed(&mut self, state: State, reason: String, now: Instant) -> Instant {
        let before = self.trouble.take().filter(|trouble| trouble.state == state);
        let failures = before.map_or(0, |trouble| trouble.failures).saturating_add(1);
        let first = self.commands.as_ref().map_or(Duration::ZERO, |commands| commands.retry);
        // Never at once: a command that fails quickly must not run all the time.
        let first = first.max(Duration::from_millis(10));
        let doubled = first.saturating_mul(1 << (failures - 1).min(20));
        let delay = doubled.min(LONGEST_RETRY.max(first));
        let retry = now.checked_add(delay).unwrap_or(now + LONGEST_RETRY);
        self.trouble = Some(Trouble { state, failures, reason, retry });
        retry
    }
}

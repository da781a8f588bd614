//! When servers are checked: keepalived's timers as a [`Pace`].

use std::time::Duration;

use ipvs_netlink::health::Pace;

use crate::convert::blocks::Statement;
use crate::convert::settings::Slot;
use crate::convert::unsaid::{Fate, Remarks};

/// The shortest time between two checks.
const SHORTEST: Duration = Duration::from_millis(1);

/// The longest time for a check.
const LONGEST_TIMEOUT: Duration = Duration::from_secs(86_400);

/// The timers of a virtual server, a real server or a checker. What an inner one does not say, the
/// outer one does.
#[derive(Debug, Default)]
pub(super) struct Timing {
    delay_loop: Slot<Duration>,
    delay_before_retry: Slot<Duration>,
    retry: Slot<u32>,
    connect_timeout: Slot<Duration>,
}

/// What keepalived takes where nothing is said.
#[derive(Clone, Copy, Debug)]
pub(super) struct Defaults {
    pub(super) retry: u32,
    /// `None` for the time of `delay_loop`.
    pub(super) delay_before_retry: Option<Duration>,
    /// Whether a server that is down is checked at the longer of both times.
    pub(super) longer_while_down: bool,
}

impl Defaults {
    /// Those of most checkers.
    pub(super) const USUAL: Self = Self {
        retry: 1,
        delay_before_retry: Some(Duration::from_secs(1)),
        longer_while_down: false,
    };
}

impl Timing {
    /// Takes a statement. Returns `false` if it is none of a timer.
    pub(super) fn take(
        &mut self,
        statement: &Statement,
        least_retry: u32,
        remarks: &mut Remarks,
    ) -> bool {
        let timer = match statement.keyword() {
            "delay_loop" => &mut self.delay_loop,
            "delay_before_retry" => &mut self.delay_before_retry,
            "connect_timeout" => &mut self.connect_timeout,
            "retry" | "nb_get_retry" => {
                if let Some(retry) = statement.number(least_retry..=u32::MAX, remarks) {
                    self.retry.set(statement, retry, remarks);
                }
                return true;
            }
            "warmup" => {
                if statement.time(remarks).is_some() {
                    let reason = "first checks are spread over time anyway";
                    statement.tell(Fate::NotNeeded, reason, remarks);
                }
                return true;
            }
            _ => return false,
        };
        if let Some(time) = statement.time(remarks) {
            timer.set(statement, time, remarks);
        }
        true
    }

    pub(super) fn tell_unused(&self, remarks: &mut Remarks) {
        self.delay_loop.tell_unused(remarks);
        self.delay_before_retry.tell_unused(remarks);
        self.retry.tell_unused(remarks);
        self.connect_timeout.tell_unused(remarks);
    }
}

/// The timers that hold for a checker.
#[derive(Clone, Debug)]
pub(super) struct Timers<'t> {
    /// Its own, those of the real server and those of the virtual server.
    pub(super) inner_first: Vec<&'t Timing>,
    pub(super) virtual_server: &'t Timing,
}

impl Timers<'_> {
    fn first<T: Copy>(&self, slot: impl Fn(&Timing) -> &Slot<T>) -> Option<T> {
        self.inner_first.iter().find_map(|timing| slot(timing).get()).copied()
    }

    fn interval(&self) -> Duration {
        self.first(|it| &it.delay_loop).unwrap_or(Duration::from_secs(60)).max(SHORTEST)
    }

    pub(super) fn pace(&self, defaults: Defaults) -> Pace {
        let interval = self.interval();
        let retry = self.first(|it| &it.retry).unwrap_or(defaults.retry);
        let changing = self.first(|it| &it.delay_before_retry);
        let changing = changing.or(defaults.delay_before_retry).unwrap_or(interval).max(SHORTEST);
        let down = if defaults.longer_while_down { interval.max(changing) } else { interval };
        Pace::new()
            .interval(interval)
            .changing(changing)
            .down(down)
            .rise(1)
            .fall(retry.saturating_add(1))
            .first_rise(1)
            .damping(None)
    }

    /// Returns the longest time for a check over the network.
    pub(super) fn timeout(&self) -> Duration {
        let timeout = self.first(|it| &it.connect_timeout).unwrap_or(Duration::from_secs(5));
        timeout.clamp(SHORTEST, LONGEST_TIMEOUT)
    }

    /// Returns the longest time for a program, if nothing is said of it: the virtual server's time
    /// between checks.
    pub(super) fn time_of_programs(&self) -> Duration {
        let time = self.virtual_server.delay_loop.get().copied();
        time.unwrap_or(Duration::from_secs(60)).clamp(SHORTEST, LONGEST_TIMEOUT)
    }
}

use std::time::Duration;

/// When a target is checked, and how many results in a row decide.
///
/// Results count in a row: one success among failures begins the count again. Times are 1 ms at
/// least, and count from the start of one check to the start of the next.
///
/// ```
/// use std::time::Duration;
///
/// use ipvs_netlink::health::Pace;
///
/// let pace = Pace::new().interval(Duration::from_secs(2)).fall(2);
/// // The longest time from a fault to the verdict, with checks that take up to half a second.
/// assert_eq!(pace.down_within(Duration::from_millis(500)), Duration::from_millis(3500));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[must_use]
pub struct Pace {
    /// The time from the start of one check to the next while the target is up, 5 s by default.
    pub interval: Duration,
    /// The same while the verdict is unknown, or while results contradict the verdict, 1 s by
    /// default.
    pub changing: Duration,
    /// The same while the target is down, 5 s by default.
    pub down: Duration,
    /// The successes in a row after which a target that is down is up, 2 by default, 1 at least.
    pub rise: u32,
    /// The failures in a row after which a target is down, 3 by default, 1 at least.
    pub fall: u32,
    /// The successes in a row after which a target of which nothing is known is up, 1 by default,
    /// 1 at least.
    pub first_rise: u32,
    /// How flapping targets are damped, [`Damping::new`] by default. `None` does not damp.
    pub damping: Option<Damping>,
}

/// How a target that goes down again and again is kept out longer.
///
/// For each time beyond the first `free` ones that the target went down within the last `window`,
/// the number of successes that it needs doubles, up to `most` times
/// [`Pace::rise`]: with the defaults 2 successes after the first and the second time, 4 after the
/// third, 8 after the fourth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[must_use]
pub struct Damping {
    /// The time that counts, 10 minutes by default.
    pub window: Duration,
    /// How many times a target may go down without a consequence, 2 by default, 65535 at most.
    pub free: u16,
    /// The largest factor, 16 by default, 1 at least, 65536 at most.
    pub most: u32,
}

impl Damping {
    /// Creates the default damping.
    pub const fn new() -> Self {
        Self { window: Duration::from_secs(600), free: 2, most: 16 }
    }

    /// Sets the time that counts.
    pub const fn window(mut self, window: Duration) -> Self {
        self.window = window;
        self
    }

    /// Sets how many times a target may go down without a consequence.
    pub const fn free(mut self, free: u16) -> Self {
        self.free = free;
        self
    }

    /// Sets the largest factor.
    pub const fn most(mut self, most: u32) -> Self {
        self.most = most;
        self
    }
}

impl Default for Damping {
    fn default() -> Self {
        Self::new()
    }
}

impl Pace {
    /// Creates the default pace.
    pub const fn new() -> Self {
        Self {
            interval: Duration::from_secs(5),
            changing: Duration::from_secs(1),
            down: Duration::from_secs(5),
            rise: 2,
            fall: 3,
            first_rise: 1,
            damping: Some(Damping::new()),
        }
    }

    /// Sets the time between checks while the target is up.
    pub const fn interval(mut self, interval: Duration) -> Self {
        self.interval = interval;
        self
    }

    /// Sets the time between checks while the verdict is about to change.
    pub const fn changing(mut self, changing: Duration) -> Self {
        self.changing = changing;
        self
    }

    /// Sets the time between checks while the target is down.
    pub const fn down(mut self, down: Duration) -> Self {
        self.down = down;
        self
    }

    /// Sets the successes in a row that bring a target back.
    pub const fn rise(mut self, rise: u32) -> Self {
        self.rise = rise;
        self
    }

    /// Sets the failures in a row that take a target out.
    pub const fn fall(mut self, fall: u32) -> Self {
        self.fall = fall;
        self
    }

    /// Sets the successes in a row that decide for a target of which nothing is known.
    pub const fn first_rise(mut self, first_rise: u32) -> Self {
        self.first_rise = first_rise;
        self
    }

    /// Sets how flapping targets are damped.
    pub const fn damping(mut self, damping: Option<Damping>) -> Self {
        self.damping = damping;
        self
    }

    /// Returns the longest time from a fault until the target is down, if a check takes at most
    /// `timeout`.
    ///
    /// A server that refuses connections fails its checks at once: its time is
    /// `down_within(Duration::ZERO)`. Checks that begin late, because the machine is busy or too
    /// many checks run, add to this time.
    #[must_use]
    pub fn down_within(&self, timeout: Duration) -> Duration {
        self.within(self.interval, self.fall, timeout)
    }

    /// Returns the longest time from the end of a fault until the target is up again, if a check
    /// takes at most `timeout` and the target is not [damped](Self::damping).
    #[must_use]
    pub fn up_within(&self, timeout: Duration) -> Duration {
        self.within(self.down, self.rise, timeout)
    }

    /// The last check with the old result began at the latest when the fault began or ended.
    fn within(&self, first: Duration, results: u32, timeout: Duration) -> Duration {
        let further = self.changing.max(timeout).saturating_mul(results.saturating_sub(1));
        first.max(timeout).saturating_add(further).saturating_add(timeout)
    }
}

impl Default for Pace {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::health::{Tracker, Verdict};

    const MS: Duration = Duration::from_millis(1);

    /// Returns how long after the time `fault` the target is down whose checks take `took` before
    /// and `timeout` after the fault.
    fn measure(pace: Pace, fault: Duration, took: Duration, timeout: Duration) -> Duration {
        let begin = Instant::now();
        let mut tracker = Tracker::new(pace, begin);
        loop {
            let began = tracker.next();
            let passed = began - begin <= fault;
            let ended = began + if passed { took } else { timeout };
            if tracker.record(passed, began, ended) == Some(Verdict::Down) {
                return ended - (begin + fault);
            }
        }
    }

    #[test]
    fn a_fault_is_noticed_within_the_stated_time_and_not_always_sooner() {
        for (interval, changing, fall) in [(500, 100, 3), (500, 100, 1), (90, 200, 2)] {
            let pace = Pace::new().interval(interval * MS).changing(changing * MS).fall(fall);
            for timeout in [0, 50, 300, 700].map(|timeout| timeout * MS) {
                let times = (0..2000).step_by(10).flat_map(|fault| {
                    [Duration::ZERO, timeout].map(|took| measure(pace, fault * MS, took, timeout))
                });
                let longest = times.max().unwrap();
                assert_eq!(longest, pace.down_within(timeout), "{pace:?} {timeout:?}");
            }
        }
    }

    #[test]
    fn times_do_not_overflow() {
        let pace = Pace::new().down(Duration::MAX).rise(u32::MAX);
        assert_eq!(pace.up_within(Duration::MAX), Duration::MAX);
        assert_eq!(Pace::new().rise(0).up_within(Duration::ZERO), Pace::new().down);
    }
}

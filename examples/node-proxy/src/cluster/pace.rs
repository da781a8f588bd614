//! How long a watch waits after a failure.

use std::time::{Duration, Instant};

/// How long a watch has to go on before its next failure counts as the first one.
const CALM: Duration = Duration::from_secs(15);

/// The pauses between attempts: each is twice the one before, until a watch has gone on for a while. That a list
/// succeeds does not count, because a server may answer each watch after it with 410 or 504.
#[derive(Debug)]
pub(super) struct Pace {
    first: Duration,
    longest: Duration,
    next: Duration,
    /// Since when objects come in.
    going: Option<Instant>,
}

impl Pace {
    /// Begins with this pause; none is longer than `longest`.
    pub(super) const fn new(first: Duration, longest: Duration) -> Self {
        Self { first, longest, next: first, going: None }
    }

    /// Notes that a list is complete, or that the watch has told a change.
    pub(super) fn goes(&mut self, now: Instant) {
        self.going.get_or_insert(now);
    }

    /// Notes a failure. Returns the pause before the next attempt. `random` from 0 to 1 takes up to a quarter of
    /// it away, so that the nodes of a cluster do not come back at the same moment.
    pub(super) fn pause(&mut self, now: Instant, random: f64) -> Duration {
        let going = self.going.take();
        if going.is_some_and(|since| now.saturating_duration_since(since) >= CALM) {
            self.next = self.first;
        }
        let pause = self.next;
        self.next = (pause * 2).min(self.longest);
        pause.mul_f64(1.0 - random.clamp(0.0, 1.0) / 4.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// The pauses after failures that each follow a list, `lives` later.
    fn pauses(lives: Duration) -> Vec<u64> {
        let mut pace = Pace::new(SECOND, 30 * SECOND);
        let mut now = Instant::now();
        let mut pause = || {
            pace.goes(now);
            pace.goes(now + lives / 2);
            now += lives;
            let pause = pace.pause(now, 0.0);
            now += pause;
            pause.as_secs()
        };
        (0..7).map(|_| pause()).collect()
    }

    #[test]
    fn pauses_grow_although_lists_succeed() {
        assert_eq!(pauses(Duration::ZERO), [1, 2, 4, 8, 16, 30, 30]);
        assert_eq!(pauses(CALM - SECOND), [1, 2, 4, 8, 16, 30, 30]);
        assert_eq!(pauses(CALM), [1; 7]);
    }

    /// Without a list or a change the watch has not gone on, however long it took to fail.
    #[test]
    fn a_slow_failure_is_no_success() {
        let mut pace = Pace::new(SECOND, 30 * SECOND);
        let begin = Instant::now();
        let pauses = [0, 100, 200].map(|at| pace.pause(begin + at * SECOND, 0.0).as_secs());
        assert_eq!(pauses, [1, 2, 4]);
    }

    #[test]
    fn chance_shortens_a_pause_by_a_quarter_at_most() {
        let mut pace = Pace::new(4 * SECOND, 30 * SECOND);
        assert_eq!(pace.pause(Instant::now(), 1.0), 3 * SECOND);
    }
}

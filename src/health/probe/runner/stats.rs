use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What a [`Runner`](crate::health::probe::Runner) has done, and whether it keeps up.
///
/// ```
/// use std::time::Duration;
///
/// use ipvs_netlink::health::probe::{Runner, RunnerOptions};
///
/// let runner = Runner::start(RunnerOptions::new())?;
/// let stats = runner.stats();
/// assert_eq!((stats.passed, stats.running), (0, 0));
/// // The thread lives: it works at least once a second.
/// assert!(stats.silent < Duration::from_secs(10));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RunnerStats {
    /// The checks that passed since the start.
    pub passed: u64,
    /// The checks that failed since the start.
    pub failed: u64,
    /// The checks since the start that could not be done, which says nothing about their targets.
    pub not_done: u64,
    /// The checks that run now, those by programs too.
    pub running: usize,
    /// The checks by programs that are due and wait until another program has ended.
    pub waiting: usize,
    /// How late the check is that has been due the longest and has not begun, without those by
    /// programs. More than a few milliseconds mean that the runner does not keep up, or that
    /// checks that hang have taken all of
    /// [`concurrency`](crate::health::probe::RunnerOptions::concurrency).
    pub behind: Duration,
    /// How late the checks that have ended began, since the start.
    pub lateness: Lateness,
    /// How long ago the thread last worked. It works at least once a second, so more than a few
    /// seconds mean that the thread stands still, such as in a check of the program's own that
    /// blocks it, or has ended.
    pub silent: Duration,
}

/// How late checks began, in classes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lateness {
    classes: [u64; BOUNDS.len() + 1],
    most: Duration,
}

/// The upper bounds of the classes, in milliseconds.
const BOUNDS: [u64; 12] = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000];

impl Lateness {
    pub(super) fn count(&mut self, late: Duration) {
        let above = |bound: &u64| late > Duration::from_millis(*bound);
        let class = BOUNDS.iter().take_while(|bound| above(bound)).count();
        if let Some(count) = self.classes.get_mut(class) {
            *count += 1;
        }
        self.most = self.most.max(late);
    }

    /// Returns the greatest lateness.
    #[must_use]
    pub const fn most(&self) -> Duration {
        self.most
    }

    /// Returns the classes, the smallest first: the upper bound, and the number of checks that began
    /// so late and later than the bound before. The last class has no bound.
    pub fn classes(&self) -> impl Iterator<Item = (Option<Duration>, u64)> {
        let bounds = BOUNDS.iter().map(|bound| Some(Duration::from_millis(*bound)));
        bounds.chain([None]).zip(self.classes)
    }

    /// Returns a time than which so many percent of the checks began no later: the bound of their
    /// class, or the greatest lateness. Returns zero if no check has ended.
    #[must_use]
    pub fn percentile(&self, percent: u8) -> Duration {
        let all: u64 = self.classes.iter().sum();
        let wanted = (u128::from(all) * u128::from(percent.min(100))).div_ceil(100);
        let mut sum = 0;
        for (bound, count) in self.classes() {
            sum += u128::from(count);
            if sum >= wanted {
                return bound.unwrap_or(self.most).min(self.most);
            }
        }
        self.most
    }
}

/// What the thread counts.
#[derive(Clone, Debug)]
pub(super) struct Counts {
    pub(super) passed: u64,
    pub(super) failed: u64,
    pub(super) not_done: u64,
    pub(super) running: usize,
    pub(super) waiting: usize,
    pub(super) behind: Duration,
    pub(super) lateness: Lateness,
    pub(super) seen: Instant,
}

/// The counts for other threads.
#[derive(Clone, Debug)]
pub(super) struct Published(Arc<Mutex<Counts>>);

impl Counts {
    pub(super) fn new(now: Instant) -> Self {
        let lateness = Lateness::default();
        let behind = Duration::ZERO;
        Self {
            passed: 0,
            failed: 0,
            not_done: 0,
            running: 0,
            waiting: 0,
            behind,
            lateness,
            seen: now,
        }
    }
}

impl Published {
    pub(super) fn new(counts: Counts) -> Self {
        Self(Arc::new(Mutex::new(counts)))
    }

    pub(super) fn set(&self, counts: &Counts) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone_from(counts);
    }

    pub(super) fn stats(&self, now: Instant) -> RunnerStats {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Counts { passed, failed, not_done, running, waiting, behind, lateness, seen } = counts;
        let silent = now.saturating_duration_since(seen);
        RunnerStats { passed, failed, not_done, running, waiting, behind, lateness, silent }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_bounds_of_classes() {
        let mut lateness = Lateness::default();
        assert_eq!(lateness.percentile(99), Duration::ZERO);
        (0..98).for_each(|_| lateness.count(Duration::from_micros(300)));
        lateness.count(Duration::from_millis(7));
        lateness.count(Duration::from_secs(9));
        let millis = |percent| lateness.percentile(percent).as_millis();
        assert_eq!([50, 98, 99, 100].map(millis), [1, 1, 10, 9000]);
        assert_eq!(lateness.classes().map(|(_, count)| count).sum::<u64>(), 100);
        assert_eq!(lateness.classes().last(), Some((None, 1)));
        let mut short = Lateness::default();
        short.count(Duration::from_micros(30));
        assert_eq!(short.percentile(99), Duration::from_micros(30));
    }
}

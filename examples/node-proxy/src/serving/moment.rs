use std::time::{Duration, Instant, SystemTime};

/// A time on both clocks: the monotonic one for durations, and that of the wall for what is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment {
    pub(crate) instant: Instant,
    pub(crate) time: SystemTime,
}

impl Moment {
    /// Reads both clocks.
    pub(crate) fn now() -> Self {
        Self { instant: Instant::now(), time: SystemTime::now() }
    }

    /// Returns how long after `earlier` this is, or zero if it is not.
    pub(crate) fn since(self, earlier: Self) -> Duration {
        self.instant.saturating_duration_since(earlier.instant)
    }
}

#[cfg(test)]
impl Moment {
    /// Returns the moment so many milliseconds after this one.
    pub(crate) fn after(self, milliseconds: u64) -> Self {
        let duration = Duration::from_millis(milliseconds);
        Self { instant: self.instant + duration, time: self.time + duration }
    }
}

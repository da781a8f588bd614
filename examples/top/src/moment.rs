use std::time::{Duration, Instant, SystemTime};

/// A moment, on the clock that only goes forward and on that of the wall.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// For the length of time between two moments.
    pub instant: Instant,
    /// For people.
    pub clock: SystemTime,
}

impl Moment {
    /// Reads both clocks.
    #[must_use]
    pub fn now() -> Self {
        Self { instant: Instant::now(), clock: SystemTime::now() }
    }

    /// Returns how long ago `earlier` was. It is 0 if `earlier` is not earlier.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Duration {
        self.instant.saturating_duration_since(earlier.instant)
    }

    /// Returns the moment so much later.
    #[must_use]
    pub fn after(&self, time: Duration) -> Self {
        let clock = self.clock.checked_add(time).unwrap_or(self.clock);
        Self { instant: self.instant.checked_add(time).unwrap_or(self.instant), clock }
    }
}

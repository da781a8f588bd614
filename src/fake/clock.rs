use std::time::{Duration, Instant};

/// The time of a fake kernel.
#[derive(Debug)]
pub(super) struct Clock {
    begin: Instant,
    elapsed: Duration,
    /// Whether clients wait in real time.
    real: bool,
    /// Whether a client has said what time it is.
    told: bool,
}

impl Clock {
    pub(super) fn new(real: bool) -> Self {
        Self { begin: Instant::now(), elapsed: Duration::ZERO, real, told: false }
    }

    pub(super) const fn elapsed(&self) -> Duration {
        self.elapsed
    }

    pub(super) fn now(&self) -> Instant {
        self.begin + self.elapsed
    }

    /// Returns how far the clock stands at `instant`, at least where it stands now.
    pub(super) fn until(&self, instant: Instant) -> Duration {
        instant.saturating_duration_since(self.begin).max(self.elapsed)
    }

    pub(super) fn set(&mut self, elapsed: Duration) {
        self.elapsed = self.elapsed.max(elapsed);
    }

    /// Makes up for time that passes for the kernel only, in real time: the clock began earlier.
    pub(super) fn set_back_begin(&mut self, time: Duration) {
        if self.real {
            self.begin = self.begin.checked_sub(time).unwrap_or(self.begin);
        }
    }

    /// Returns how far the clock stands when a client says what time it is, in real time. The
    /// clock begins when the first client does: a paused clock may be behind this thread's.
    pub(super) fn follow(&mut self, told: impl FnOnce() -> Instant) -> Option<Duration> {
        if !self.real {
            return None;
        }
        let told = told();
        if !std::mem::replace(&mut self.told, true) {
            self.begin = told.checked_sub(self.elapsed).unwrap_or(told);
        }
        Some(self.until(told))
    }
}

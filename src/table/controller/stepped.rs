use std::time::{Duration, Instant};

/// What is left to do after a step. See [`Client::step`](crate::Client::step).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "the table stays right only if the steps go on"]
pub enum Stepped {
    /// The controller has events, and more may be due now: take the events and step again.
    Again,
    /// Nothing is due before this time, unless a wish comes.
    Until(Instant),
    /// Nothing is due unless a wish comes.
    Idle,
}

impl Stepped {
    /// Returns how long to wait at `now` before the next step, unless a wish comes: zero after
    /// [`Again`](Self::Again), and [`Duration::MAX`] if nothing is due.
    ///
    /// `now` is the time of the client's clock: [`Instant::now`], or that of the runtime or of the
    /// fake kernel.
    ///
    /// ```
    /// use std::time::{Duration, Instant};
    ///
    /// use ipvs_netlink::table::controller::Stepped;
    ///
    /// let now = Instant::now();
    /// let minute = Duration::from_secs(60);
    /// assert_eq!(Stepped::Until(now + minute).pause(now), minute);
    /// assert_eq!(Stepped::Again.pause(now), Duration::ZERO);
    /// ```
    #[must_use]
    pub fn pause(self, now: Instant) -> Duration {
        match self {
            Self::Again => Duration::ZERO,
            Self::Until(time) => time.saturating_duration_since(now),
            Self::Idle => Duration::MAX,
        }
    }
}

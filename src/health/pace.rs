use std::time::Duration;

/// When a target is checked, and how many results in a row decide.
///
/// Results count in a row: one success among failures begins the count again.
///
/// ```
/// use std::time::Duration;
///
/// use ipvs_netlink::health::Pace;
///
/// let pace = Pace::new().interval(Duration::from_secs(2)).fall(2);
/// // The longest time from a fault to the verdict, beside the timeout of a check.
/// assert_eq!(pace.interval + pace.changing * (pace.fall - 1), Duration::from_secs(3));
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
    /// How flapping targets are damped. `None` does not damp.
    pub damping: Option<Damping>,
}

/// How a target that goes down again and again is kept out longer.
///
/// For each time beyond the first `free` ones that the target went down within the last `window`,
/// the number of successes that it needs doubles, up to `most` times
/// [`Pace::rise`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[must_use]
pub struct Damping {
    /// The time that counts, 10 minutes by default.
    pub window: Duration,
    /// How many times a target may go down without a consequence, 2 by default.
    pub free: u32,
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
    pub const fn free(mut self, free: u32) -> Self {
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
}

impl Default for Pace {
    fn default() -> Self {
        Self::new()
    }
}

use std::time::Duration;

use crate::model::Destination;

/// How a [`Pool`](crate::health::Pool) decides which destinations the table is to hold.
///
/// ```
/// use std::time::Duration;
///
/// use ipvs_netlink::Destination;
/// use ipvs_netlink::health::{PoolPolicy, SlowStart};
///
/// // Error pages while all are dead, and a minute for the caches of a server that comes back.
/// let policy = PoolPolicy::new()
///     .sorry(Some(Destination::masquerade("10.0.0.9:8080".parse()?)))
///     .slow_start(Some(SlowStart::new(Duration::from_secs(60))));
/// // Twenty servers that cannot do without half of them: rather a dead one than the load on the rest.
/// let many = PoolPolicy::new().quorum(10).panic(50);
/// # assert_ne!(policy, many);
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[must_use]
pub struct PoolPolicy {
    /// The live destinations that make the pool available, 1 by default, 1 at least.
    pub quorum: u32,
    /// The pool becomes available at `quorum + hysteresis` live destinations, and unavailable
    /// below `quorum - hysteresis`, 0 by default. It is never available without a live one.
    pub hysteresis: u32,
    /// The panic share in percent of the destinations, 0 by default, 100 at most. Dead destinations
    /// leave only while at least this part stays in rotation, whether they die one by one or
    /// together. Destinations that an operator has stopped, or whose desired weight is 0, are not
    /// among them.
    pub panic: u8,
    /// Keeps the last destination although it is dead, `true` by default. Destinations of a former
    /// table stay likewise while none of the new table is live. An operator's decision
    /// takes out also the last one, and no dead destination comes back for it; when the maintenance
    /// ends, the policy keeps the destination as before.
    pub keep_last: bool,
    /// The destination that the table has while no other is live, such as a server of error pages; none
    /// by default.
    /// With a sorry server all dead destinations leave, whatever [`panic`](Self::panic) and
    /// [`keep_last`](Self::keep_last) say.
    ///
    /// One wish adds it and takes the last dead destination out, and a controller adds first, so
    /// the service is never without a destination. Nobody checks it. It may be one of the desired
    /// destinations, and then serves as the last one although it is dead. Its weight is at least 1.
    pub sorry: Option<Destination>,
    /// How the weight of a destination that comes back grows. `None`, the default, gives the whole
    /// weight at once.
    pub slow_start: Option<SlowStart>,
    /// How dead destinations leave, [`WhenDead::Auto`] by default.
    pub when_dead: WhenDead,
    /// The time that an operator's maintenance or a new table waits if it makes the pool unavailable,
    /// counted from [`PoolEvent::Unavailable`](crate::health::PoolEvent::Unavailable), 0 by default.
    pub hold: Duration,
}

/// How a dead destination leaves the rotation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WhenDead {
    /// It gets weight 0 where that keeps clients away from it. It is deleted at once where weight 0
    /// does not: with the schedulers `dh`, and `sh` and `mh` without their fallback, in UDP
    /// services, and in persistent ones, whose clients would come back to it.
    #[default]
    Auto,
    /// It gets weight 0. Its connections stay in the kernel.
    WeightZero,
    /// It is deleted at once.
    Delete,
}

/// How the weight of a destination that comes back grows.
///
/// The weight grows in steps. So that each step is a whole number, the pool multiplies all weights
/// of the service by one factor; their ratios stay.
///
/// A destination gets its whole weight at once, and nothing is multiplied, with schedulers for which
/// a weight is no share of the connections: `rr`, `lc`, `dh` and `none` ignore it, `fo` takes it for
/// a rank, and `ovf` for a number of connections. So it is with `sh`, where each change of a weight
/// moves clients of other destinations, and with schedulers that this crate does not know.
///
/// No slow start begins when nobody else is live, and none for what the first checks of the program
/// find.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[must_use]
pub struct SlowStart {
    /// The time until the whole weight is reached.
    pub time: Duration,
    /// The number of steps, 10 by default, 2 to 100.
    pub steps: u32,
}

impl SlowStart {
    /// Creates a slow start with 10 steps.
    pub const fn new(time: Duration) -> Self {
        Self { time, steps: 10 }
    }

    /// Sets the number of steps.
    pub const fn steps(mut self, steps: u32) -> Self {
        self.steps = steps;
        self
    }
}

impl PoolPolicy {
    /// Creates the default policy.
    pub const fn new() -> Self {
        Self {
            quorum: 1,
            hysteresis: 0,
            panic: 0,
            keep_last: true,
            sorry: None,
            slow_start: None,
            when_dead: WhenDead::Auto,
            hold: Duration::ZERO,
        }
    }

    /// Sets how many live destinations make the pool available.
    pub const fn quorum(mut self, quorum: u32) -> Self {
        self.quorum = quorum;
        self
    }

    /// Sets the hysteresis of the quorum.
    pub const fn hysteresis(mut self, hysteresis: u32) -> Self {
        self.hysteresis = hysteresis;
        self
    }

    /// Sets the panic share in percent.
    pub const fn panic(mut self, percent: u8) -> Self {
        self.panic = percent;
        self
    }

    /// Sets whether the last destination is kept although it is dead.
    pub const fn keep_last(mut self, keep: bool) -> Self {
        self.keep_last = keep;
        self
    }

    /// Sets the sorry server.
    pub fn sorry(mut self, sorry: Option<Destination>) -> Self {
        self.sorry = sorry;
        self
    }

    /// Sets how the weight of a destination that comes back grows.
    pub const fn slow_start(mut self, slow_start: Option<SlowStart>) -> Self {
        self.slow_start = slow_start;
        self
    }

    /// Sets how dead destinations leave.
    pub const fn when_dead(mut self, when_dead: WhenDead) -> Self {
        self.when_dead = when_dead;
        self
    }

    /// Sets the time between the announcement and the maintenance that makes the pool unavailable.
    pub const fn hold(mut self, hold: Duration) -> Self {
        self.hold = hold;
        self
    }
}

impl Default for PoolPolicy {
    fn default() -> Self {
        Self::new()
    }
}

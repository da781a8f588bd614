use std::time::Duration;

use crate::table::controller::Controller;
use crate::table::{DrainPolicy, PlanOptions};

/// The shortest time from one reading of the whole table to the next.
pub(super) const SHORTEST_RESYNC: Duration = Duration::from_millis(100);

/// The options of a [`Controller`](crate::table::controller::Controller).
///
/// ```
/// use std::time::Duration;
///
/// use ipvs_netlink::table::controller::ControllerOptions;
/// use ipvs_netlink::table::{PlanOptions, Scope};
///
/// let options = ControllerOptions::new()
///     .plan(PlanOptions::new().scope(Scope::new().network("192.0.2.0/24".parse()?)))
///     .hold(Duration::from_secs(5));
/// assert_eq!(options.resync, Duration::from_secs(60));
/// # Ok::<(), ipvs_netlink::InvalidValue>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
#[must_use]
pub struct ControllerOptions {
    /// The scope, the rules about weights, the allowed changes, and how destinations leave,
    /// [`PlanOptions::new`] by default.
    ///
    /// A service that was wished and is not wished any more leaves, even if the scope does not
    /// name it, unless the scope excludes it. With
    /// [`OnFailure::Stop`](crate::table::OnFailure::Stop) a refused change delays all services
    /// instead of its own.
    pub plan: PlanOptions,
    /// The time from one reading of the whole table to the next, 60 s by default, 100 ms at least.
    /// It varies by up to a tenth, so that several programs do not read at the same moment.
    pub resync: Duration,
    /// The delays between attempts.
    pub retry: RetryPolicy,
    /// The time between [`Event::Leaving`](crate::table::controller::Event::Leaving) and the first
    /// change that takes a destination from a service that leaves, 0 by default. The time lets a
    /// program withdraw the announcement of the address first.
    pub hold: Duration,
    /// The seed of the random part of all delays, 0 by default. The same seed, inputs and times
    /// give the same tasks.
    pub seed: u64,
}

impl ControllerOptions {
    /// Creates the default options.
    pub fn new() -> Self {
        Self {
            plan: PlanOptions::new(),
            resync: Duration::from_secs(60),
            retry: RetryPolicy::new(),
            hold: Duration::ZERO,
            seed: 0,
        }
    }

    /// Sets the options of plans.
    pub fn plan(mut self, plan: PlanOptions) -> Self {
        self.plan = plan;
        self
    }

    /// Sets the time from one reading of the whole table to the next.
    pub const fn resync(mut self, resync: Duration) -> Self {
        self.resync = resync;
        self
    }

    /// Sets the delays between attempts.
    pub const fn retry(mut self, retry: RetryPolicy) -> Self {
        self.retry = retry;
        self
    }

    /// Sets how long a service that leaves stays untouched after
    /// [`Event::Leaving`](crate::table::controller::Event::Leaving).
    pub const fn hold(mut self, hold: Duration) -> Self {
        self.hold = hold;
        self
    }

    /// Sets the seed of the random part of all delays.
    pub const fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }
}

impl Default for ControllerOptions {
    fn default() -> Self {
        Self::new()
    }
}

/// What a program may change while it runs, such as when it reads its configuration again.
impl Controller {
    /// Sets how destinations leave from now on. Drains that have begun go on as they began. With
    /// `None` they end when their service is read next.
    pub const fn set_drain(&mut self, drain: Option<DrainPolicy>) {
        self.options.plan.drain = drain;
    }

    /// Sets the time from one reading of the whole table to the next. It counts after the next
    /// reading, which [`resynchronize`](Self::resynchronize) makes due now.
    pub const fn set_resync(&mut self, resync: Duration) {
        self.options.resync = resync;
    }

    /// Sets how long a service that leaves stays untouched after
    /// [`Event::Leaving`](crate::table::controller::Event::Leaving). It counts for services that are
    /// not about to leave yet.
    pub const fn set_hold(&mut self, hold: Duration) {
        self.options.hold = hold;
    }
}

/// The delays between attempts of what fails, or of what another program keeps undoing.
///
/// The first delay doubles with each attempt, up to the longest. A random part takes up to half
/// of each delay away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[must_use]
pub struct RetryPolicy {
    /// The first delay, 1 s by default, 1 ms at least.
    pub first: Duration,
    /// The longest delay, 60 s by default.
    pub most: Duration,
}

impl RetryPolicy {
    /// Creates the default policy.
    pub const fn new() -> Self {
        Self { first: Duration::from_secs(1), most: Duration::from_secs(60) }
    }

    /// Sets the first delay.
    pub const fn first(mut self, first: Duration) -> Self {
        self.first = first;
        self
    }

    /// Sets the longest delay.
    pub const fn most(mut self, most: Duration) -> Self {
        self.most = most;
        self
    }
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self::new()
    }
}

use std::fmt;
use std::time::Duration;

use crate::model::{Connections, Service};
use crate::table::{DrainedWeights, Scope};

bitflags::bitflags! {
    /// What a plan may do.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub struct Actions: u32 {
        /// Add services with their destinations.
        const ADD_SERVICE = 1;
        /// Change the flags and the persistence of services.
        const UPDATE_SERVICE = 1 << 1;
        /// Change the scheduler of services. The kernel takes the old scheduler off
        /// before it puts the new one on; in the moment between new connections are
        /// refused.
        const CHANGE_SCHEDULER = 1 << 2;
        /// Delete services.
        const DELETE_SERVICE = 1 << 3;
        /// Add destinations to services that exist.
        const ADD_DESTINATION = 1 << 4;
        /// Change the settings of destinations.
        const UPDATE_DESTINATION = 1 << 5;
        /// Take destinations out, of services that stay.
        const DELETE_DESTINATION = 1 << 6;
    }
}

impl Actions {
    /// What it takes to give a service other settings.
    pub(crate) fn to_update(before: &Service, after: &Service) -> Self {
        let mut actions = Self::empty();
        actions.set(Self::CHANGE_SCHEDULER, before.scheduler != after.scheduler);
        let settings = |service: &Service| (service.flags, service.persistence);
        actions.set(Self::UPDATE_SERVICE, settings(before) != settings(after));
        actions
    }
}

impl fmt::Display for Actions {
    /// Words such as `change-scheduler`, with commas between them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (name, _)) in self.iter_names().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(f, "{comma}{}", name.to_ascii_lowercase().replace('_', "-"))?;
        }
        Ok(())
    }
}

/// The choices of planning.
///
/// ```
/// use ipvs_netlink::table::{Actions, PlanOptions, Scope};
///
/// let options = PlanOptions::new()
///     .scope(Scope::new().network("192.0.2.0/24".parse()?))
///     .allowed(Actions::all() - Actions::CHANGE_SCHEDULER);
/// assert!(!options.keep_weights);
/// # Ok::<(), ipvs_netlink::InvalidValue>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
#[must_use]
pub struct PlanOptions {
    /// Which services are ours; those of the desired table by default.
    pub scope: Scope,
    /// Whether a destination of which [no weight is asked](crate::table::TableDestination::of_any_weight)
    /// keeps the one that it has, 0 too:
    /// a health check or a person may have set it, or it was draining; see
    /// [`drained_weights`](Self::drained_weights). By default it gets its
    /// [weight for the beginning](crate::table::TableDestination::initially). A change of its
    /// other settings writes the weight that was read, since the kernel replaces all settings
    /// at once: who changes it at that moment may have to do so again.
    pub keep_weights: bool,
    /// What destinations of which weights are kept get back when they have weight 0 and are
    /// wanted again, because a former plan let them drain. Empty by default: they stay at 0.
    pub drained_weights: DrainedWeights,
    /// What the plan may do; everything by default. A plan that needs more is refused as
    /// a whole.
    pub allowed: Actions,
    /// How destinations that are not wanted any more leave, [`DrainPolicy::default`] by
    /// default. `None` deletes them at once, which breaks their connections; to wait without
    /// an end, set [`DrainPolicy::deadline`] to `None`.
    pub drain: Option<DrainPolicy>,
    /// What else is not done when a step fails, [`OnFailure::KeepService`] by default.
    pub on_failure: OnFailure,
}

impl PlanOptions {
    /// The defaults.
    pub fn new() -> Self {
        Self {
            scope: Scope::new(),
            keep_weights: false,
            drained_weights: DrainedWeights::new(),
            allowed: Actions::all(),
            drain: Some(DrainPolicy::default()),
            on_failure: OnFailure::KeepService,
        }
    }

    /// Sets which services are ours.
    pub fn scope(mut self, scope: Scope) -> Self {
        self.scope = scope;
        self
    }

    /// Lets destinations keep weights that are not given.
    pub const fn keep_weights(mut self, keep: bool) -> Self {
        self.keep_weights = keep;
        self
    }

    /// Sets what weights destinations get back that drained and are wanted again.
    pub fn drained_weights(mut self, weights: DrainedWeights) -> Self {
        self.drained_weights = weights;
        self
    }

    /// Sets what the plan may do.
    pub const fn allowed(mut self, allowed: Actions) -> Self {
        self.allowed = allowed;
        self
    }

    /// Sets how destinations leave.
    pub const fn drain(mut self, drain: Option<DrainPolicy>) -> Self {
        self.drain = drain;
        self
    }

    /// Sets what else is not done when a step fails.
    pub const fn on_failure(mut self, on_failure: OnFailure) -> Self {
        self.on_failure = on_failure;
        self
    }
}

/// What is not done any more when a step fails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OnFailure {
    /// The steps of the same service: nothing is taken from it. Other services go on.
    #[default]
    KeepService,
    /// All steps. What was sent to the kernel along with the one that failed, some 64
    /// changes at a time, is done. `reconcile` makes no second plan.
    Stop,
}

impl Default for PlanOptions {
    fn default() -> Self {
        Self::new()
    }
}

/// How long a destination of weight 0 is waited for before it is deleted.
///
/// Deleting a destination breaks the connections that it still has. By default that is
/// waited for which may still carry data: established connections, and others as long as
/// packets come ([`DrainUntil::NoTraffic`]). TCP connections that both sides have closed stay
/// in the kernel for two minutes (`TIME_WAIT`) and carry nothing, so they are not waited for.
/// What still carries data after 30 s is **cut**: a call that never returns because of one
/// connection that never ends would be worse. [`StepOutcome::Cut`](crate::table::StepOutcome)
/// and [`Drained::Cut`](crate::table::Drained::Cut) tell so. To cut nothing, set
/// [`deadline`](Self::deadline) to `None`, and let an observer end the waiting.
///
/// Measured on Linux 6.1: how long two closed connections hold a destination, and what becomes
/// of a connection that its client has closed on one side, while the server sends a line every
/// half second for 7 s more:
///
/// | until | two closed ones hold it for | the one that is closed on one side |
/// | --- | --- | --- |
/// | [`NoActive`](DrainUntil::NoActive) | 0.5 s | is cut: 3 of 14 lines come |
/// | [`NoTraffic`](DrainUntil::NoTraffic) | 5 to 8 s | all lines come |
/// | [`NoConnections`](DrainUntil::NoConnections) | 30 s, the deadline; 120 s without one | all lines come |
///
/// Where the service could
/// not be read 21 times in a row the waiting ends before its time: the deletion has failed,
/// and the destination stays, with weight 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[must_use]
pub struct DrainPolicy {
    /// Which connections are waited for, [`DrainUntil::NoTraffic`] by default.
    pub until: DrainUntil,
    /// How long no packet may have come before connections that are not active count as
    /// closed, 5 s by default. The kernel counts packets every 2 s, so less than 3 s makes no
    /// sense. It matters for [`DrainUntil::NoTraffic`], and for what is told to have been
    /// cut.
    pub quiet: Duration,
    /// How long at most, 30 s by default, counted for all destinations together from the
    /// moment at which all other steps are done. 0 looks once. `None` waits as long as it
    /// takes.
    pub deadline: Option<Duration>,
    /// How often the connections are looked at, every 500 ms by default, at most every
    /// millisecond.
    pub interval: Duration,
}

impl DrainPolicy {
    /// The defaults.
    pub const fn new() -> Self {
        Self {
            until: DrainUntil::NoTraffic,
            quiet: Duration::from_secs(5),
            deadline: Some(Duration::from_secs(30)),
            interval: Duration::from_millis(500),
        }
    }

    /// Sets which connections are waited for.
    pub const fn until(mut self, until: DrainUntil) -> Self {
        self.until = until;
        self
    }

    /// Sets for how long no packet may have come.
    pub const fn quiet(mut self, quiet: Duration) -> Self {
        self.quiet = quiet;
        self
    }

    /// Sets how long they are waited for.
    pub const fn deadline(mut self, deadline: Option<Duration>) -> Self {
        self.deadline = deadline;
        self
    }

    /// Sets how often they are looked at.
    pub const fn interval(mut self, interval: Duration) -> Self {
        self.interval = interval;
        self
    }
}

impl Default for DrainPolicy {
    fn default() -> Self {
        Self::new()
    }
}

/// When a destination has drained.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DrainUntil {
    /// No connection is active, and if some are inactive, no packet has come for
    /// [`DrainPolicy::quiet`]. Inactive are connections that are being closed, of which one
    /// closed on one side only may still carry data, those of UDP, and those of which both
    /// sides have been closed.
    ///
    /// Clients bound to the destination by persistence keep opening connections even to
    /// weight 0, as long as the sysctl `net.ipv4.vs.expire_quiescent_template` is 0 (the
    /// default), so that this may last until the deadline. With 1 they go elsewhere at once.
    /// With the sysctl `net.ipv4.vs.run_estimation` at 0 the kernel counts no packets, and
    /// whatever is inactive counts as closed after that time.
    NoTraffic,
    /// No connection is active, at two looks in a row if some are inactive: those are being
    /// opened, and active at the next look, or closed. The latter takes up to two minutes
    /// after the last packet for TCP; one that is closed on one side only (60 s) may still
    /// carry data. Those of UDP and of one-packet services are always inactive.
    NoActive,
    /// No connection is active or inactive. TCP connections that both sides have closed count
    /// for two minutes. Clients bound to the destination by persistence go elsewhere when it
    /// is deleted.
    NoConnections,
    /// No client is bound by persistence either. With that sysctl at 0 this may never be.
    NoClients,
}

impl DrainUntil {
    /// Whether a destination with these connections has drained, whatever came before. With
    /// [`NoTraffic`](Self::NoTraffic) one with inactive connections may have, too.
    #[must_use]
    pub const fn is_met(self, connections: Connections) -> bool {
        connections.active == 0
            && match self {
                Self::NoActive => true,
                Self::NoTraffic | Self::NoConnections => connections.inactive == 0,
                Self::NoClients => connections.inactive == 0 && connections.persistent == 0,
            }
    }
}

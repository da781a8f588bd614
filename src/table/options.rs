use std::fmt;
use std::time::Duration;

use crate::model::{Connections, Service};
use crate::table::{DrainedWeights, Scope};

bitflags::bitflags! {
    /// The kinds of changes that a plan may make.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub struct Actions: u32 {
        /// Add services with their destinations.
        const ADD_SERVICE = 1;
        /// Change the flags and the persistence of services.
        const UPDATE_SERVICE = 1 << 1;
        /// Change the scheduler of services. The kernel removes the old scheduler before it sets
        /// the new one, and refuses new connections in between.
        const CHANGE_SCHEDULER = 1 << 2;
        /// Delete services.
        const DELETE_SERVICE = 1 << 3;
        /// Add destinations to services that exist.
        const ADD_DESTINATION = 1 << 4;
        /// Change the settings of destinations.
        const UPDATE_DESTINATION = 1 << 5;
        /// Delete destinations of services that stay.
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

/// The options of planning: scope, weights, allowed changes, draining, failures.
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
    /// The services that the plan may change and delete. By default it changes those of the
    /// desired table and deletes none.
    pub scope: Scope,
    /// Keeps the kernel's weight, 0 too, of destinations
    /// [of any weight](crate::table::TableDestination::of_any_weight). `false` by default: they get
    /// their [initial weight](crate::table::TableDestination::initially).
    ///
    /// Set it if a health check or a person sets weights. A destination that drained before keeps
    /// weight 0; [`drained_weights`](Self::drained_weights) changes that. A change of other settings
    /// writes the weight that was read, because the kernel replaces all settings at once. It
    /// overwrites a weight that another program sets at that moment.
    pub keep_weights: bool,
    /// The weights to restore for destinations that a former plan let drain, if
    /// [`keep_weights`](Self::keep_weights) is set and they are desired again. Empty by default:
    /// such destinations keep weight 0.
    pub drained_weights: DrainedWeights,
    /// The kinds of changes that the plan may make, all by default. A plan that needs others is
    /// refused as a whole.
    pub allowed: Actions,
    /// How destinations that are not desired any more leave, [`DrainPolicy::default`] by default.
    /// `None` deletes them at once, which breaks their connections. To wait without an end, set
    /// [`DrainPolicy::deadline`] to `None`.
    pub drain: Option<DrainPolicy>,
    /// Which steps are skipped after a failure, [`OnFailure::KeepService`] by default.
    pub on_failure: OnFailure,
}

impl PlanOptions {
    /// Creates the default options.
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

    /// Sets the services that the plan may change and delete.
    pub fn scope(mut self, scope: Scope) -> Self {
        self.scope = scope;
        self
    }

    /// Sets whether destinations of any weight keep the kernel's weight.
    pub const fn keep_weights(mut self, keep: bool) -> Self {
        self.keep_weights = keep;
        self
    }

    /// Sets the weights to restore for destinations that drained and are desired again.
    pub fn drained_weights(mut self, weights: DrainedWeights) -> Self {
        self.drained_weights = weights;
        self
    }

    /// Sets the kinds of changes that the plan may make.
    pub const fn allowed(mut self, allowed: Actions) -> Self {
        self.allowed = allowed;
        self
    }

    /// Sets how destinations leave. `None` deletes them at once.
    pub const fn drain(mut self, drain: Option<DrainPolicy>) -> Self {
        self.drain = drain;
        self
    }

    /// Sets which steps are skipped after a failure.
    pub const fn on_failure(mut self, on_failure: OnFailure) -> Self {
        self.on_failure = on_failure;
        self
    }
}

/// Which steps are skipped when a step fails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OnFailure {
    /// The later steps of the same service, so that nothing is taken from it. The steps of other
    /// services are executed. A [controller](crate::table::controller) still takes out what needs no
    /// replacement.
    #[default]
    KeepService,
    /// All later steps. Changes are sent in groups of about 64; the other changes in the group of
    /// the failed one are executed. `reconcile` makes no second plan.
    Stop,
}

impl Default for PlanOptions {
    fn default() -> Self {
        Self::new()
    }
}

/// How long to wait before a destination of weight 0 is deleted.
///
/// Deleting a destination breaks its connections. By default a drain therefore waits until no
/// connection may carry data: none is established, and the others have had no packet for 5 s
/// ([`DrainUntil::NoTraffic`]). TCP connections that both sides have closed stay in the kernel for
/// two minutes (`TIME_WAIT`); they carry nothing, and a drain does not wait for their end.
///
/// After 30 s, the default deadline, the destination is deleted although connections carry data.
/// These connections are **cut**, and [`StepOutcome::Cut`](crate::table::StepOutcome) or
/// [`Drained::Cut`](crate::table::Drained::Cut) says so. To cut nothing, set
/// [`deadline`](Self::deadline) to `None`, and let an observer end the wait.
///
/// Measured on Linux 6.1: the time to drain a destination that has two closed connections, and what
/// arrives over a connection that its client has closed on one side, while the server sends a line
/// every half second for 7 s more:
///
/// | until | two closed connections | a half-closed connection |
/// | --- | --- | --- |
/// | [`NoActive`](DrainUntil::NoActive) | 0.5 s | is cut: 3 of 14 lines arrive |
/// | [`NoTraffic`](DrainUntil::NoTraffic) | 5 to 8 s | all lines arrive |
/// | [`NoConnections`](DrainUntil::NoConnections) | 30 s, the deadline; 120 s without one | all lines arrive |
///
/// If the service cannot be read 21 times in a row, the wait ends: the deletion has failed, and the
/// destination stays with weight 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[must_use]
pub struct DrainPolicy {
    /// Which connections to wait for, [`DrainUntil::NoTraffic`] by default.
    pub until: DrainUntil,
    /// The time without a packet after which connections that are not active count as closed, 5 s by
    /// default. The kernel updates its counters every 2 s, so less than 3 s has no use. It holds for
    /// [`DrainUntil::NoTraffic`], and for deciding whether connections were cut.
    pub quiet: Duration,
    /// The longest wait, 30 s by default. It begins for all destinations together when all other
    /// steps are done. 0 looks once. `None` waits without an end.
    pub deadline: Option<Duration>,
    /// The interval between two looks at the connections, 500 ms by default, 1 ms at least.
    pub interval: Duration,
}

impl DrainPolicy {
    /// Creates the default policy.
    pub const fn new() -> Self {
        Self {
            until: DrainUntil::NoTraffic,
            quiet: Duration::from_secs(5),
            deadline: Some(Duration::from_secs(30)),
            interval: Duration::from_millis(500),
        }
    }

    /// Sets which connections to wait for.
    pub const fn until(mut self, until: DrainUntil) -> Self {
        self.until = until;
        self
    }

    /// Sets the time without a packet after which inactive connections count as closed.
    pub const fn quiet(mut self, quiet: Duration) -> Self {
        self.quiet = quiet;
        self
    }

    /// Sets the longest wait. `None` waits without an end.
    pub const fn deadline(mut self, deadline: Option<Duration>) -> Self {
        self.deadline = deadline;
        self
    }

    /// Sets the interval between two looks at the connections.
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

/// The condition under which a destination has drained.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DrainUntil {
    /// No connection is active, and if there are inactive ones, no packet has come for
    /// [`DrainPolicy::quiet`]. Inactive connections are half-closed ones, which may still carry data,
    /// closed ones, and all of UDP.
    ///
    /// Clients that persistence binds to the destination keep opening connections to it, even at
    /// weight 0, so the drain may last until the deadline. With the sysctl
    /// `net.ipv4.vs.expire_quiescent_template=1` they go to another destination at once (0 by
    /// default). With `net.ipv4.vs.run_estimation=0` the kernel counts no packets, and inactive
    /// connections count as closed after [`DrainPolicy::quiet`].
    NoTraffic,
    /// No connection is active, at two looks in a row if there are inactive ones, because these may
    /// be just opening. A half-closed TCP connection is inactive and is cut, although it may still
    /// carry data. Connections of UDP and of one-packet services are always inactive.
    NoActive,
    /// No connection is active or inactive. A TCP connection that both sides have closed counts for
    /// two minutes. Clients that persistence binds to the destination go to another one when it is
    /// deleted.
    NoConnections,
    /// No connection, and no client that persistence binds to the destination. With the sysctl
    /// `net.ipv4.vs.expire_quiescent_template=0` (the default) this may never happen.
    NoClients,
}

impl DrainUntil {
    /// Returns `true` if a destination with these connections has drained, whatever came before.
    /// With [`NoTraffic`](Self::NoTraffic) it may also have drained if this returns `false`: the
    /// inactive connections may have no traffic.
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

use crate::health::{Combination, Pace, PoolPolicy};
use crate::model::ServiceId;
use crate::table::TableService;

/// A service whose destinations are checked.
///
/// `C` describes a check, such as a TCP connect with its timeout. Destinations of several services
/// with the same id and an equal check are one target, which is checked once, with the pace of the
/// service that was watched last.
#[derive(Clone, Debug)]
#[non_exhaustive]
#[must_use]
pub struct Watched<C> {
    /// The desired service.
    pub service: TableService,
    /// What the table is to hold by verdicts, [`PoolPolicy::new`] by default.
    pub policy: PoolPolicy,
    /// The checks of each destination, none by default. A destination without a check is up.
    pub checks: Vec<(C, Pace)>,
    /// How many of the checks must pass, all by default.
    pub combination: Combination,
}

impl<C> Watched<C> {
    /// Creates a service without checks.
    pub const fn new(service: TableService) -> Self {
        let (policy, combination) = (PoolPolicy::new(), Combination::All);
        Self { service, policy, checks: Vec::new(), combination }
    }

    /// Adds a check.
    pub fn check(mut self, check: C, pace: Pace) -> Self {
        self.checks.push((check, pace));
        self
    }

    /// Sets what the table is to hold by verdicts.
    pub fn policy(mut self, policy: PoolPolicy) -> Self {
        self.policy = policy;
        self
    }

    /// Sets how many of the checks must pass.
    pub fn combination(mut self, combination: Combination) -> Self {
        self.combination = combination;
        self
    }

    /// Returns the id of the service.
    #[must_use]
    pub const fn id(&self) -> ServiceId {
        self.service.id()
    }
}

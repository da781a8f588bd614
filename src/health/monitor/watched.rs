use std::collections::BTreeMap;

use crate::health::{Combination, Pace, PoolPolicy};
use crate::model::{DestinationId, ServiceId};
use crate::table::TableService;

/// A service whose destinations are checked.
///
/// `C` describes a check, such as a TCP connect with its timeout. Destinations of several services
/// with the same id and an equal check are one target, which is checked once, with the pace of the
/// service that was watched last.
///
/// ```
/// use ipvs_netlink::health::{Checks, Pace, Watched};
/// use ipvs_netlink::table::TableService;
/// use ipvs_netlink::{Destination, Service};
///
/// let (old, external) = ("10.0.0.2:8080".parse()?, "10.0.0.3:8080".parse()?);
/// let web = TableService::new(Service::tcp("192.0.2.10:80".parse()?))
///     .with(Destination::masquerade("10.0.0.1:8080".parse()?))
///     .with(Destination::masquerade(old))
///     .with(Destination::masquerade(external));
/// let watched = Watched::new(web)
///     .check("GET /healthz", Pace::new())
///     // An older server has no such page, and the last one is not ours to check.
///     .checks_of(old, Checks::new().check("connect", Pace::new()))
///     .checks_of(external, Checks::new());
/// # assert_eq!(watched.checks_of.len(), 2);
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
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
    /// The destinations that are checked otherwise, each with all its checks, none by default. One
    /// without a check is up. One that the service does not have has no effect.
    pub checks_of: BTreeMap<DestinationId, Checks<C>>,
}

/// The checks of one destination that is checked otherwise than the others of its service.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[must_use]
pub struct Checks<C> {
    /// The checks, none by default. Without a check the destination is up.
    pub checks: Vec<(C, Pace)>,
    /// How many of the checks must pass, all by default.
    pub combination: Combination,
}

impl<C> Watched<C> {
    /// Creates a service without checks.
    pub const fn new(service: TableService) -> Self {
        Self {
            service,
            policy: PoolPolicy::new(),
            checks: Vec::new(),
            combination: Combination::All,
            checks_of: BTreeMap::new(),
        }
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

    /// Sets the checks of one destination, in the place of those of the service.
    pub fn checks_of(mut self, destination: impl Into<DestinationId>, checks: Checks<C>) -> Self {
        self.checks_of.insert(destination.into(), checks);
        self
    }

    /// Returns the id of the service.
    #[must_use]
    pub const fn id(&self) -> ServiceId {
        self.service.id()
    }

    /// Returns the checks of a destination of the service.
    pub fn checks_at(&self, destination: DestinationId) -> &[(C, Pace)] {
        self.checks_of.get(&destination).map_or(&self.checks, |otherwise| &otherwise.checks)
    }

    /// Returns all checks, those of single destinations too.
    pub(in crate::health) fn all_checks(&self) -> impl Iterator<Item = &(C, Pace)> {
        self.checks.iter().chain(self.checks_of.values().flat_map(|otherwise| &otherwise.checks))
    }
}

impl<C> Checks<C> {
    /// Creates no checks.
    pub const fn new() -> Self {
        Self { checks: Vec::new(), combination: Combination::All }
    }

    /// Adds a check.
    pub fn check(mut self, check: C, pace: Pace) -> Self {
        self.checks.push((check, pace));
        self
    }

    /// Sets how many of the checks must pass.
    pub const fn combination(mut self, combination: Combination) -> Self {
        self.combination = combination;
        self
    }
}

impl<C> Default for Checks<C> {
    fn default() -> Self {
        Self::new()
    }
}

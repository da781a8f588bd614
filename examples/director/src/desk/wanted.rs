//! What is to be watched of a service: its configuration, with the weights that operators have given.

use std::iter;
use std::time::Duration;

use ipvs_netlink::ServiceId;
use ipvs_netlink::health::probe::Probe;
use ipvs_netlink::health::{self, PoolPolicy, Watched};
use ipvs_netlink::table::TableService;

use crate::announcement;
use crate::configuration::{Checks, ServiceConfiguration};
use crate::desk::{Desk, Effect};
use crate::state::Saved;

/// What is added to the time that the checks of a service need at its start.
const SLACK: Duration = Duration::from_secs(2);

impl Desk {
    /// Returns what is to be watched of a service, or `None` if the configuration has no such service.
    #[must_use]
    pub fn watched(&self, id: ServiceId) -> Option<Watched<Probe>> {
        self.configuration.services.get(&id).map(|service| watched(service, &self.saved))
    }
}

/// Returns what is to be watched of a service.
pub(super) fn watched(service: &ServiceConfiguration, saved: &Saved) -> Watched<Probe> {
    let mut watched = Watched::new(weighted(&service.table, saved))
        .policy(policy(service))
        .combination(service.checks.combination);
    watched.checks = service.checks.checks.clone();
    watched.checks_of = service.checks_of.iter().map(|(id, checks)| (*id, of(checks))).collect();
    watched
}

/// Returns the checks of a destination that is checked otherwise.
fn of(checks: &Checks) -> health::Checks<Probe> {
    let mut own = health::Checks::new().combination(checks.combination);
    own.checks.clone_from(&checks.checks);
    own
}

/// Returns the policy of a service. What an operator takes out waits for the command that withdraws the
/// service.
pub(super) fn policy(service: &ServiceConfiguration) -> PoolPolicy {
    let policy = service.policy.clone();
    let hold = policy.hold.max(announcement::hold(service.commands.as_ref()));
    policy.hold(hold)
}

/// Says how a service is announced.
pub(super) fn announce(service: ServiceId, configuration: &ServiceConfiguration) -> Effect {
    let all = iter::once(&configuration.checks).chain(configuration.checks_of.values());
    let checks = all.flat_map(|checks| &checks.checks);
    let settles = checks.map(|(probe, pace)| pace.down_within(probe.timeout)).max();
    let settles = settles.unwrap_or_default().saturating_add(SLACK);
    Effect::Announce { service, commands: configuration.commands.clone(), settles }
}

/// Gives destinations the weights that operators have given.
fn weighted(table: &TableService, saved: &Saved) -> TableService {
    let id = table.id();
    let mut table = table.clone();
    let ordered: Vec<_> = table
        .destinations()
        .filter_map(|there| {
            let weight = saved.weights.get(&(id, there.id()))?;
            Some(there.destination().clone().weight(*weight))
        })
        .collect();
    table.extend(ordered);
    table
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use ipvs_netlink::health::{Combination, Pace};
    use ipvs_netlink::{Destination, Service};

    use super::*;

    #[test]
    fn a_destination_is_checked_as_the_file_says_of_it() {
        let [one, other] =
            [1, 2].map(|host| Destination::masquerade(([10, 0, 0, host], 80).into()));
        let checks = |probes: &[Probe], combination| Checks {
            checks: probes.iter().map(|probe| (probe.clone(), Pace::new())).collect(),
            combination,
        };
        let own = checks(&[Probe::icmp(), Probe::tcp()], Combination::Any);
        let service = ServiceConfiguration {
            table: TableService::new(Service::tcp(([192, 0, 2, 10], 80).into()))
                .with(one.clone())
                .with(other.clone()),
            checks: checks(&[Probe::tcp()], Combination::All),
            checks_of: BTreeMap::from([(other.id, own.clone())]),
            policy: PoolPolicy::new(),
            commands: None,
        };
        let watched = watched(&service, &Saved::default());
        assert_eq!(watched.checks_at(one.id), service.checks.checks);
        assert_eq!(watched.checks_at(other.id), own.checks);
        assert_eq!(watched.checks_of[&other.id].combination, Combination::Any);
    }
}

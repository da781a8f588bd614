//! What is to be watched of a service: its configuration, with the weights that operators have given.

use ipvs_netlink::ServiceId;
use ipvs_netlink::health::probe::Probe;
use ipvs_netlink::health::{PoolPolicy, Watched};
use ipvs_netlink::table::TableService;

use crate::announcement;
use crate::configuration::ServiceConfiguration;
use crate::desk::Desk;
use crate::state::Saved;

impl Desk {
    /// Returns what is to be watched of a service.
    pub(super) fn watched(&self, id: ServiceId) -> Option<Watched<Probe>> {
        self.configuration.services.get(&id).map(|service| watched(service, &self.saved))
    }
}

/// Returns what is to be watched of a service.
pub(super) fn watched(service: &ServiceConfiguration, saved: &Saved) -> Watched<Probe> {
    let mut watched = Watched::new(weighted(&service.table, saved))
        .policy(policy(service))
        .combination(service.checks.combination);
    watched.checks = service.checks.checks.clone();
    watched
}

/// Returns the policy of a service. What an operator takes out waits for the command that withdraws the
/// service.
pub(super) fn policy(service: &ServiceConfiguration) -> PoolPolicy {
    let policy = service.policy.clone();
    let hold = policy.hold.max(announcement::hold(service.commands.as_ref()));
    policy.hold(hold)
}

/// Gives destinations the weights that operators have given.
fn weighted(table: &TableService, saved: &Saved) -> TableService {
    let mut table = table.clone();
    let ids: Vec<_> = table.destinations().map(|destination| destination.id()).collect();
    for destination in ids {
        let Some(weight) = saved.weights.get(&(table.id(), destination)) else { continue };
        let ordered = table.destination(destination).map(|it| it.destination().clone());
        if let Some(ordered) = ordered {
            table.insert(ordered.weight(*weight));
        }
    }
    table
}

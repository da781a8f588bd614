//! How many checks the node does.

use std::collections::BTreeMap;

use ipvs_netlink::DestinationId;
use ipvs_netlink::kubernetes::ObjectName;
use ipvs_netlink::table::TableService;

/// The checks of an endpoint by an annotation. Virtual services of one Kubernetes service share them.
pub(super) type Target = (ObjectName, DestinationId, usize);

/// Returns the checks of a virtual service.
pub(super) fn targets(name: &ObjectName, service: &TableService, checks: usize) -> Vec<Target> {
    service.destinations().map(|it| (name.clone(), it.id(), checks)).collect()
}

/// Counts checks. What several virtual services share is counted once.
#[derive(Debug, Default)]
pub(super) struct Targets {
    /// How many virtual services have each of them.
    users: BTreeMap<Target, usize>,
    /// The number of checks of all of them.
    checks: usize,
    /// The number of checks in each namespace that has any.
    namespaces: BTreeMap<String, usize>,
}

impl Targets {
    /// Adds the targets of a virtual service.
    pub(super) fn add(&mut self, targets: impl IntoIterator<Item = Target>) {
        for target in targets {
            if let Some(users) = self.users.get_mut(&target) {
                *users += 1;
                continue;
            }
            let (name, _, checks) = &target;
            self.checks = self.checks.saturating_add(*checks);
            let of_namespace = self.namespaces.entry(name.namespace().to_owned()).or_default();
            *of_namespace = of_namespace.saturating_add(*checks);
            self.users.insert(target, 1);
        }
    }

    /// Removes the targets of a virtual service, which were added.
    pub(super) fn remove(&mut self, targets: impl IntoIterator<Item = Target>) {
        for target in targets {
            let Some(users) = self.users.get_mut(&target) else { continue };
            *users -= 1;
            if *users > 0 {
                continue;
            }
            self.users.remove(&target);
            let (name, _, checks) = &target;
            self.checks = self.checks.saturating_sub(*checks);
            if let Some(of_namespace) = self.namespaces.get_mut(name.namespace()) {
                *of_namespace = of_namespace.saturating_sub(*checks);
                if *of_namespace == 0 {
                    self.namespaces.remove(name.namespace());
                }
            }
        }
    }

    /// Returns the number of checks.
    pub(super) const fn checks(&self) -> usize {
        self.checks
    }

    /// Returns the number of checks of services of a namespace.
    pub(super) fn checks_in(&self, namespace: &str) -> usize {
        self.namespaces.get(namespace).copied().unwrap_or_default()
    }
}

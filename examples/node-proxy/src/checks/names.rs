use std::collections::{BTreeMap, BTreeSet, HashMap};

use ipvs_netlink::ServiceId;
use ipvs_netlink::kubernetes::ObjectName;

/// The Kubernetes services of virtual services, and the other way round.
#[derive(Debug, Default)]
pub(super) struct Names {
    names: HashMap<ServiceId, ObjectName>,
    ids: BTreeMap<ObjectName, BTreeSet<ServiceId>>,
}

impl Names {
    /// Returns the service of a virtual service.
    pub(super) fn service_of(&self, id: ServiceId) -> Option<&ObjectName> {
        self.names.get(&id)
    }

    /// Returns the virtual services of a service.
    pub(super) fn ids(&self, name: &ObjectName) -> impl Iterator<Item = ServiceId> {
        self.ids.get(name).into_iter().flatten().copied()
    }

    /// Notes that a virtual service is one of this service now.
    pub(super) fn insert(&mut self, id: ServiceId, name: &ObjectName) {
        if self.names.get(&id) != Some(name) {
            self.remove(id);
            self.names.insert(id, name.clone());
            self.ids.entry(name.clone()).or_default().insert(id);
        }
    }

    /// Forgets a virtual service.
    pub(super) fn remove(&mut self, id: ServiceId) {
        let Some(name) = self.names.remove(&id) else { return };
        if let Some(ids) = self.ids.get_mut(&name) {
            ids.remove(&id);
            if ids.is_empty() {
                self.ids.remove(&name);
            }
        }
    }
}

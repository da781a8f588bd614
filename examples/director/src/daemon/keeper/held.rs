//! What the table held of services when they were found there.

use std::collections::BTreeMap;

use ipvs_netlink::{ServiceId, ServiceSnapshot, Snapshot};

/// What the table held of services that the runner does not watch yet. The runner begins with their
/// weights, so that a restart changes nothing.
#[derive(Debug)]
pub(crate) struct Held(BTreeMap<ServiceId, ServiceSnapshot>);

impl Held {
    /// Begins with a table.
    pub(crate) fn new(table: &Snapshot) -> Self {
        let mut held = Self(BTreeMap::new());
        held.add(table);
        held
    }

    /// Takes in what the table holds of new services now. What was held of others stays: the runner may
    /// have refused them, and gets them again.
    pub(super) fn found(&mut self, new: &[ServiceId], table: &Snapshot) {
        new.iter().for_each(|id| self.forget(*id));
        self.add(table);
    }

    fn add(&mut self, table: &Snapshot) {
        self.0.extend(table.services().map(|service| (service.id(), service.clone())));
    }

    /// Returns what the table held of a service.
    pub(super) fn of(&self, id: ServiceId) -> Option<ServiceSnapshot> {
        self.0.get(&id).cloned()
    }

    /// Forgets a service: the runner watches it, or the file has it no more.
    pub(super) fn forget(&mut self, id: ServiceId) {
        self.0.remove(&id);
    }
}

#[cfg(test)]
mod tests {
    use ipvs_netlink::{Service, ServiceEntry, Stats};

    use super::*;

    fn table(ids: &[ServiceId]) -> Snapshot {
        let entry = |id: &ServiceId| ServiceEntry::new(Service::new(*id), Stats::default());
        ids.iter().map(|id| ServiceSnapshot::new(entry(id), Vec::new())).collect()
    }

    #[test]
    fn a_reload_forgets_nothing_of_a_service_that_the_runner_refuses() {
        let [refused, new, absent] =
            [80, 81, 82].map(|port| ServiceId::tcp(([192, 0, 2, 10], port).into()));
        // The absent one was in the table at the start, and is not any more.
        let mut held = Held::new(&table(&[refused, absent]));
        held.found(&[new, absent], &table(&[new]));
        assert!([refused, new].iter().all(|id| held.of(*id).is_some()));
        assert_eq!(held.of(absent), None);
        held.forget(new);
        assert_eq!(held.of(new), None);
    }
}

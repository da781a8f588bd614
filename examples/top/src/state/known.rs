use std::collections::BTreeMap;
use std::sync::Arc;

use ipvs_netlink::{DestinationEntry, ServiceId, ServiceSnapshot, Snapshot};

use crate::state::Reading;

/// What all readings have shown of the table: each service and destination as it was seen last. What an
/// incomplete reading lacks stays, until a complete one lacks it.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    /// The latest reading, with what it lacks.
    pub(crate) reading: Reading,
    /// Whether there was a complete reading, so that nothing that was in the table is missing.
    pub(crate) is_whole: bool,
}

impl Known {
    /// Adds a reading to what was known before it.
    pub(crate) fn with(before: Option<Self>, reading: Reading) -> Self {
        if reading.snapshot.is_complete() {
            return Self { reading, is_whole: true };
        }
        match before {
            None => Self { reading, is_whole: false },
            Some(before) => {
                let snapshot = Arc::new(both(&before.reading.snapshot, &reading.snapshot));
                Self { reading: Reading { snapshot, ..reading }, ..before }
            }
        }
    }
}

/// Everything of the later table, and what only the former one has.
fn both(former: &Snapshot, later: &Snapshot) -> Snapshot {
    let by_id = |it: &ServiceSnapshot| (it.id(), it.clone());
    let mut services: BTreeMap<ServiceId, ServiceSnapshot> = former.services().map(by_id).collect();
    for service in later.services() {
        let mut destinations = service.destinations.clone();
        if let Some(former) = services.get(&service.id()) {
            let missing = |it: &&DestinationEntry| service.destination(it.id()).is_none();
            destinations.extend(former.destinations.iter().filter(missing).cloned());
        }
        services.insert(service.id(), ServiceSnapshot::new(service.entry.clone(), destinations));
    }
    services.into_values().collect()
}

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ipvs_netlink::{DestinationEntry, ServiceId, ServiceSnapshot, Snapshot};

use crate::Moment;
use crate::state::Reading;

/// For how long something stays known that readings lack.
const LONGEST: Duration = Duration::from_secs(60);

/// What readings have shown of the table: each service and destination as it was seen last. What an
/// incomplete reading lacks stays, until a complete one lacks it, or there was none for a minute: else all
/// that ever was would stay, while other programs write all the time.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    /// The latest reading, with what it lacks.
    pub(crate) reading: Reading,
    /// Whether there was a complete reading, so that nothing that was in the table is missing.
    pub(crate) is_whole: bool,
    /// The time of the reading with which it began.
    begun: Moment,
}

impl Known {
    /// Adds a reading to what was known before it.
    pub(crate) fn with(before: Option<Self>, reading: Reading) -> Self {
        let (is_whole, begun) = (reading.snapshot.is_complete(), reading.at);
        match before.filter(|it| !is_whole && begun.since(&it.begun) < LONGEST) {
            None => Self { reading, is_whole, begun },
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

#[cfg(test)]
mod tests {
    use ipvs_netlink::{Service, ServiceEntry, Stats};

    use super::*;
    use crate::state::Writers;

    #[test]
    fn what_readings_have_lacked_for_a_minute_is_forgotten() {
        let web = Service::tcp("192.0.2.10:80".parse().unwrap());
        let id = web.id;
        let service = ServiceSnapshot::new(ServiceEntry::new(web, Stats::default()), Vec::new());
        let begun = Moment::now();
        let reading = |second, services: Vec<ServiceSnapshot>| Reading {
            at: begun.after(Duration::from_secs(second)),
            took: Duration::ZERO,
            snapshot: Arc::new(services.into_iter().collect()),
            info: None,
            processors: None,
            estimation: None,
            writers: Writers::default(),
        };
        let mut known = Known::with(None, reading(0, vec![service]));
        for second in 1..59 {
            known = Known::with(Some(known), reading(second, Vec::new()));
            assert!(known.reading.snapshot.service(id).is_some(), "after {second} s");
        }
        known = Known::with(Some(known), reading(60, Vec::new()));
        assert!(known.reading.snapshot.service(id).is_none());
    }
}

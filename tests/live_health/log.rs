//! What a director said and wrote, with times.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use ipvs_netlink::health::PoolEvent;
use ipvs_netlink::table::Table;
use ipvs_netlink::table::controller::Event;
use ipvs_netlink::{Change, DestinationId, ServiceId};

/// The time to wait for what must come, long enough for a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// What a director said.
#[derive(Clone, Debug)]
pub(crate) enum Said {
    Pool(ServiceId, PoolEvent),
    Controller(Event),
}

/// What all directors of a test said, in order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<(Instant, Said)>>>);

impl Log {
    pub(crate) fn say(&self, said: Said) {
        self.0.lock().unwrap().push((Instant::now(), said));
    }

    /// Returns what was said since a time.
    pub(crate) fn since(&self, time: Instant) -> Vec<(Instant, Said)> {
        let all = self.0.lock().unwrap();
        all.iter().filter(|(at, _)| *at >= time).cloned().collect()
    }

    /// Returns `true` if nothing was decided and nothing was written since a time.
    pub(crate) fn is_quiet_since(&self, time: Instant) -> bool {
        let decided = |(_, said): &(Instant, Said)| matches!(said, Said::Pool(..));
        !self.since(time).iter().any(decided) && self.written(time).is_empty()
    }

    /// Waits until something was said since a time that `wanted` makes a value of.
    #[track_caller]
    pub(crate) fn wait<T>(
        &self,
        what: &str,
        since: Instant,
        mut wanted: impl FnMut(Instant, &Said) -> Option<T>,
    ) -> T {
        let begin = Instant::now();
        loop {
            let all = self.since(since);
            if let Some(found) = all.iter().find_map(|(at, said)| wanted(*at, said)) {
                return found;
            }
            assert!(begin.elapsed() < PATIENCE, "{what}: never; {all:#?}");
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Returns the changes that the kernel made since a time.
    pub(crate) fn written(&self, since: Instant) -> Vec<(Instant, Change)> {
        let all = self.since(since).into_iter();
        all.filter_map(|(at, said)| match said {
            Said::Controller(Event::Done(change)) => Some((at, change)),
            _ => None,
        })
        .collect()
    }

    /// Returns the weights that a destination got since a time; `None` where it was deleted.
    pub(crate) fn weights(
        &self,
        service: ServiceId,
        destination: DestinationId,
        since: Instant,
    ) -> Vec<(Instant, Option<u32>)> {
        let all = self.written(since).into_iter();
        all.filter_map(|(at, change)| weight_in(&change, service, destination).map(|it| (at, it)))
            .collect()
    }

    /// Returns for each change since a time how many destinations of a service could take
    /// connections after it. `before` is the table at that time.
    pub(crate) fn usable(
        &self,
        service: ServiceId,
        before: &Table,
        since: Instant,
    ) -> Vec<(Instant, usize)> {
        let there = before.service(service).into_iter().flat_map(|it| it.destinations());
        let mut weights: BTreeMap<DestinationId, u32> =
            there.map(|there| (there.id(), there.weight().unwrap())).collect();
        let mut usable = Vec::new();
        for (at, change) in
            self.written(since).into_iter().filter(|(_, it)| it.service() == Some(service))
        {
            match change {
                Change::AddDestination(_, destination)
                | Change::UpdateDestination(_, destination) => {
                    weights.insert(destination.id, destination.weight);
                }
                Change::DeleteDestination(_, id) => drop(weights.remove(&id)),
                Change::AddService(_) | Change::UpdateService(_) => {}
                other => panic!("{other}"),
            }
            usable.push((at, weights.values().filter(|weight| **weight > 0).count()));
        }
        usable
    }
}

/// Returns the weight that a change gives to a destination, if it is about that destination.
pub(crate) fn weight_in(
    change: &Change,
    service: ServiceId,
    destination: DestinationId,
) -> Option<Option<u32>> {
    match change {
        Change::AddDestination(id, there) | Change::UpdateDestination(id, there)
            if *id == service && there.id == destination =>
        {
            Some(Some(there.weight))
        }
        Change::DeleteDestination(id, there) if *id == service && *there == destination => {
            Some(None)
        }
        _ => None,
    }
}

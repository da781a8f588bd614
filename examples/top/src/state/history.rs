use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use ipvs_netlink::growth::STEP;
use ipvs_netlink::{ServiceId, Snapshot};

use crate::Moment;

/// How many points of each service are kept: about a minute.
const POINTS: usize = 32;

/// Connections per second of each service in the last minute, one point every two seconds: as often
/// as the kernel brings its counters up to date.
#[derive(Clone, Debug, Default)]
pub struct History {
    services: HashMap<ServiceId, Track>,
    last: Option<Moment>,
    /// Counts the steps, so that services that a reading lacks are found.
    step: usize,
}

#[derive(Clone, Debug, Default)]
struct Track {
    points: VecDeque<f32>,
    connections: u64,
    /// When the service was seen last, and at which step.
    seen: Option<(Moment, usize)>,
}

impl History {
    /// Takes what was read. Adds points if a step has passed since the last ones. A service that incomplete
    /// readings lack gets those points when it is there again, each the average.
    #[allow(clippy::cast_precision_loss, reason = "a rate is no exact number")]
    #[allow(clippy::cast_possible_truncation, reason = "a point of a picture")]
    pub fn push(&mut self, at: Moment, snapshot: &Snapshot) {
        let passed = self.last.map(|last| at.since(&last));
        // A reading is rarely early or late by more.
        if passed.is_some_and(|it| it < STEP.saturating_sub(Duration::from_millis(200))) {
            return;
        }
        self.last = Some(at);
        self.step += 1;
        for service in snapshot {
            let now = service.entry.stats.connections;
            let track = self.services.entry(service.id()).or_default();
            if let Some((before, step)) = track.seen {
                // Counters that were reset count from 0.
                let grown = now.checked_sub(track.connections).unwrap_or(now);
                let rate = (grown as f64 / at.since(&before).as_secs_f64()) as f32;
                let steps = self.step.saturating_sub(step).min(POINTS);
                track.points.extend(std::iter::repeat_n(rate, steps));
                track.points.drain(..track.points.len().saturating_sub(POINTS));
            }
            track.connections = now;
            track.seen = Some((at, self.step));
        }
        // Each point of one that incomplete readings have lacked for longer would be the same average.
        let most_missing = if snapshot.is_complete() { 0 } else { POINTS };
        let earliest = self.step.saturating_sub(most_missing);
        self.services.retain(|_, track| track.seen.is_some_and(|(_, step)| step >= earliest));
    }

    /// The last points of a service, the newest last.
    pub fn points(&self, service: ServiceId) -> impl DoubleEndedIterator<Item = f32> {
        self.services.get(&service).into_iter().flat_map(|track| track.points.iter().copied())
    }
}

#[cfg(test)]
mod tests {
    use ipvs_netlink::{Service, ServiceEntry, ServiceSnapshot, Stats};

    use super::*;

    #[test]
    fn points_come_every_step_and_are_bounded() {
        let web = Service::tcp("192.0.2.10:80".parse().unwrap());
        let begun = Moment::now();
        let mut history = History::default();
        let push = |history: &mut History, second: u64, connections: u64| {
            let mut stats = Stats::default();
            stats.connections = connections;
            let service = ServiceSnapshot::new(ServiceEntry::new(web.clone(), stats), Vec::new());
            history.push(begun.after(Duration::from_secs(second)), &Snapshot::from_iter([service]));
        };
        for (second, connections) in [(0, 100), (1, 105), (2, 110), (3, 120), (4, 130), (6, 4)] {
            push(&mut history, second, connections);
        }
        assert_eq!(history.points(web.id).collect::<Vec<_>>(), [5.0, 10.0, 2.0]);
        for second in 4..500 {
            push(&mut history, second * 2, 4);
        }
        assert_eq!(history.points(web.id).count(), POINTS);
        history.push(begun.after(Duration::from_secs(2000)), &complete());
        assert_eq!(history.points(web.id).count(), 0);
    }

    /// A complete reading of an empty table.
    fn complete() -> Snapshot {
        let kernel = ipvs_netlink::fake::Kernel::new();
        ipvs_netlink::Client::fake(&kernel).unwrap().snapshot().unwrap()
    }

    #[test]
    fn what_an_incomplete_reading_lacks_keeps_its_history() {
        let web = Service::tcp("192.0.2.10:80".parse().unwrap());
        let begun = Moment::now();
        let mut history = History::default();
        for (second, connections) in
            [(0, Some(0)), (2, Some(10)), (4, None), (6, None), (8, Some(100))]
        {
            let services = connections.map(|connections| {
                let mut stats = Stats::default();
                stats.connections = connections;
                ServiceSnapshot::new(ServiceEntry::new(web.clone(), stats), Vec::new())
            });
            let snapshot = services.into_iter().collect();
            history.push(begun.after(Duration::from_secs(second)), &snapshot);
        }
        // The points between are the average.
        assert_eq!(history.points(web.id).collect::<Vec<_>>(), [5.0, 15.0, 15.0, 15.0]);
    }
}

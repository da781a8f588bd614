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
    /// Counts the points, so that services without a new one are found.
    round: u64,
}

#[derive(Clone, Debug, Default)]
struct Track {
    points: VecDeque<f32>,
    connections: u64,
    round: u64,
}

impl History {
    /// Takes what was read. Adds points if a step has passed since the last ones.
    #[allow(clippy::cast_precision_loss, reason = "a rate is no exact number")]
    #[allow(clippy::cast_possible_truncation, reason = "a point of a picture")]
    pub fn push(&mut self, at: Moment, snapshot: &Snapshot) {
        let passed = self.last.map(|last| at.since(&last));
        // A reading is rarely early or late by more.
        if passed.is_some_and(|it| it < STEP.saturating_sub(Duration::from_millis(200))) {
            return;
        }
        let seconds = passed.unwrap_or(STEP).as_secs_f64();
        self.last = Some(at);
        self.round += 1;
        for service in snapshot {
            let now = service.entry.stats.connections;
            let track = self.services.entry(service.id()).or_default();
            if track.round > 0 {
                // Counters that were reset count from 0.
                let grown = now.checked_sub(track.connections).unwrap_or(now);
                if track.points.len() == POINTS {
                    track.points.pop_front();
                }
                track.points.push_back((grown as f64 / seconds) as f32);
            }
            track.connections = now;
            track.round = self.round;
        }
        let round = self.round;
        self.services.retain(|_, track| track.round == round);
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
        history.push(begun.after(Duration::from_secs(2000)), &Snapshot::default());
        assert_eq!(history.points(web.id).count(), 0);
    }
}

use std::collections::HashMap;

use ipvs_netlink::{DestinationId, ServiceId, ServiceSnapshot};

use crate::Moment;

/// Counts the connections that each destination of one service gets, from when the service is looked
/// at. A change of weights begins anew.
#[derive(Clone, Debug, Default)]
pub struct Shares {
    base: Option<Base>,
}

#[derive(Clone, Debug)]
struct Base {
    service: ServiceId,
    at: Moment,
    /// Weights, and connections counted at the beginning.
    destinations: HashMap<DestinationId, (u32, u64)>,
}

/// The connections of which shares are shares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Basis {
    /// Since when they were counted. `None`: they are all that the kernel has counted, because none
    /// came since.
    pub since: Option<Moment>,
    /// How many they are.
    pub connections: u64,
}

impl Shares {
    /// Takes the latest reading of the service that is looked at.
    pub fn follow(&mut self, at: Moment, service: Option<&ServiceSnapshot>) {
        let Some(service) = service else {
            self.base = None;
            return;
        };
        let goes_on = self.base.as_ref().is_some_and(|base| {
            base.service == service.id()
                && base.destinations.len() == service.destinations.len()
                && service.destinations.iter().all(|entry| {
                    let known = base.destinations.get(&entry.id());
                    known.is_some_and(|(weight, connections)| {
                        *weight == entry.destination.weight
                            && *connections <= entry.stats.connections
                    })
                })
        });
        if !goes_on {
            let destinations = service
                .destinations
                .iter()
                .map(|entry| (entry.id(), (entry.destination.weight, entry.stats.connections)));
            let destinations = destinations.collect();
            self.base = Some(Base { service: service.id(), at, destinations });
        }
    }

    /// Returns the connections of each destination, in the order of `service`, and what they are.
    #[must_use]
    pub fn of(&self, service: &ServiceSnapshot) -> (Basis, Vec<u64>) {
        if let Some(base) = self.base.as_ref().filter(|base| base.service == service.id()) {
            let counted: Vec<u64> = service
                .destinations
                .iter()
                .map(|entry| {
                    let before = base.destinations.get(&entry.id()).map_or(0, |(_, it)| *it);
                    entry.stats.connections.saturating_sub(before)
                })
                .collect();
            let connections = sum(&counted);
            if connections > 0 {
                return (Basis { since: Some(base.at), connections }, counted);
            }
        }
        let counted: Vec<u64> =
            service.destinations.iter().map(|entry| entry.stats.connections).collect();
        (Basis { since: None, connections: sum(&counted) }, counted)
    }
}

fn sum(counted: &[u64]) -> u64 {
    counted.iter().fold(0, |sum: u64, it| sum.saturating_add(*it))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use ipvs_netlink::{Connections, Destination, DestinationEntry, Service, ServiceEntry, Stats};

    use super::*;

    fn service(destinations: [(u32, u64); 2]) -> ServiceSnapshot {
        let web = Service::tcp("192.0.2.10:80".parse().unwrap());
        let entries = (1..).zip(destinations).map(|(host, (weight, connections))| {
            let destination = Destination::masquerade(([10, 0, 0, host], 80).into());
            let mut stats = Stats::default();
            stats.connections = connections;
            DestinationEntry::new(destination.weight(weight), Connections::default(), stats)
        });
        ServiceSnapshot::new(ServiceEntry::new(web, Stats::default()), entries.collect())
    }

    #[test]
    fn counting_begins_anew_when_weights_change() {
        let begun = Moment::now();
        let mut shares = Shares::default();
        let first = service([(1, 100), (1, 50)]);
        shares.follow(begun, Some(&first));
        assert_eq!(shares.of(&first), (Basis { since: None, connections: 150 }, vec![100, 50]));

        let second = service([(1, 101), (1, 53)]);
        shares.follow(begun.after(Duration::from_secs(1)), Some(&second));
        let basis = Basis { since: Some(begun), connections: 4 };
        assert_eq!(shares.of(&second), (basis, vec![1, 3]));

        let third = service([(2, 102), (1, 54)]);
        let changed = begun.after(Duration::from_secs(2));
        shares.follow(changed, Some(&third));
        assert_eq!(shares.of(&third).0.since, None);
        let fourth = service([(2, 104), (1, 55)]);
        let basis = Basis { since: Some(changed), connections: 3 };
        assert_eq!(shares.of(&fourth), (basis, vec![2, 1]));

        let reset = service([(2, 1), (1, 0)]);
        shares.follow(begun.after(Duration::from_secs(3)), Some(&reset));
        assert_eq!(shares.of(&reset), (Basis { since: None, connections: 1 }, vec![1, 0]));
    }
}

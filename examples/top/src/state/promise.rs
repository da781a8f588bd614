use ipvs_netlink::explain::Availability;
use ipvs_netlink::{DestinationEntry, Scheduler};

/// Returns the share of new connections that the weights promise each destination, or `None` for
/// schedulers whose weights promise none.
///
/// Weights alone count: what an overloaded destination does not get shows beside what it was promised.
///
/// `wlc`, `lc`, `sed`, `nq`, `lblc` and `lblcr` keep the promise for connections that last equally long,
/// and those that hash for many clients.
#[must_use]
pub fn promised(scheduler: Scheduler, destinations: &[DestinationEntry]) -> Option<Vec<f64>> {
    let weigh: fn(u32, u32) -> f64 = match scheduler {
        Scheduler::WEIGHTED_ROUND_ROBIN
        | Scheduler::WEIGHTED_LEAST_CONNECTION
        | Scheduler::LOCALITY_BASED_LEAST_CONNECTION
        | Scheduler::LOCALITY_BASED_LEAST_CONNECTION_WITH_REPLICATION
        | Scheduler::SHORTEST_EXPECTED_DELAY
        | Scheduler::NEVER_QUEUE
        | Scheduler::SOURCE_HASHING
        | Scheduler::MAGLEV_HASHING
        | Scheduler::WEIGHTED_RANDOM_TWOS_CHOICE => |weight, _| f64::from(weight),
        Scheduler::ROUND_ROBIN | Scheduler::LEAST_CONNECTION | Scheduler::DESTINATION_HASHING => {
            |_, _| 1.0
        }
        // Of equal ones the kernel takes the first of its list, whose order is not known here.
        Scheduler::WEIGHTED_FAILOVER if has_tie(destinations) => return None,
        Scheduler::WEIGHTED_FAILOVER => |weight, highest| if weight == highest { 1.0 } else { 0.0 },
        _ => return None,
    };
    let taking = || destinations.iter().filter(|entry| takes(entry));
    let highest = taking().map(|entry| entry.destination.weight).max()?;
    let parts: Vec<f64> = destinations
        .iter()
        .map(|entry| if takes(entry) { weigh(entry.destination.weight, highest) } else { 0.0 })
        .collect();
    let sum: f64 = parts.iter().sum();
    Some(parts.into_iter().map(|part| part / sum).collect())
}

fn takes(entry: &DestinationEntry) -> bool {
    let availability = Availability::of(&entry.destination, entry.connections);
    availability != Availability::Quiesced
}

/// Whether several destinations have the highest weight.
fn has_tie(destinations: &[DestinationEntry]) -> bool {
    let weights = || destinations.iter().filter(|it| takes(it)).map(|it| it.destination.weight);
    let highest = weights().max();
    weights().filter(|weight| Some(*weight) == highest).count() > 1
}

#[cfg(test)]
mod tests {
    use ipvs_netlink::{Connections, Destination, Stats};

    use super::*;

    fn of(scheduler: &str, weights: &[u32]) -> Option<Vec<f64>> {
        let entries: Vec<_> = (1..)
            .zip(weights)
            .map(|(host, weight)| {
                let address = ([10, 0, 0, host], 80).into();
                let destination = Destination::masquerade(address).weight(*weight);
                DestinationEntry::new(destination, Connections::default(), Stats::default())
            })
            .collect();
        promised(scheduler.parse().unwrap(), &entries)
    }

    #[test]
    fn weights_promise_shares() {
        assert_eq!(of("wrr", &[1, 3]), Some(vec![0.25, 0.75]));
        assert_eq!(of("rr", &[1, 3, 0]), Some(vec![0.5, 0.5, 0.0]));
        assert_eq!(of("fo", &[1, 3]), Some(vec![0.0, 1.0]));
        assert_eq!(of("fo", &[3, 3, 1]), None);
        assert_eq!(of("ovf", &[1, 3]), None);
        assert_eq!(of("wlc", &[0, 0]), None);
        assert_eq!(of("wlc", &[]), None);
    }

    #[test]
    fn an_overloaded_destination_is_promised_what_its_weight_says() {
        let full = Destination::masquerade(([10, 0, 0, 1], 80).into()).thresholds(2, 1);
        let mut connections = Connections::default();
        connections.active = 2;
        let full = DestinationEntry::new(full, connections, Stats::default());
        let idle = Destination::masquerade(([10, 0, 0, 2], 80).into());
        let idle = DestinationEntry::new(idle, Connections::default(), Stats::default());
        assert_eq!(promised(Scheduler::ROUND_ROBIN, &[full, idle]), Some(vec![0.5, 0.5]));
    }
}

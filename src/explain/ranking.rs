//! The schedulers that compare weights and connections.

use std::cmp::Ordering;

use crate::explain::Rule;
use crate::model::{DestinationEntry, Scheduler};

/// Returns the rule of a scheduler that has no table of slots.
pub(super) fn rule(scheduler: Scheduler) -> Rule {
    let rules = [
        (Scheduler::ROUND_ROBIN, Rule::InTurn),
        (Scheduler::WEIGHTED_ROUND_ROBIN, Rule::InTurnByWeight),
        (Scheduler::LEAST_CONNECTION, Rule::LeastConnections),
        (Scheduler::WEIGHTED_LEAST_CONNECTION, Rule::LeastConnectionsByWeight),
        (Scheduler::SHORTEST_EXPECTED_DELAY, Rule::ShortestDelay),
        (Scheduler::NEVER_QUEUE, Rule::IdleFirst),
        (Scheduler::WEIGHTED_FAILOVER, Rule::HighestWeight),
        (Scheduler::WEIGHTED_OVERFLOW, Rule::HighestWeightWithRoom),
        (Scheduler::LOCALITY_BASED_LEAST_CONNECTION, Rule::Locality),
        (Scheduler::LOCALITY_BASED_LEAST_CONNECTION_WITH_REPLICATION, Rule::Locality),
        (Scheduler::WEIGHTED_RANDOM_TWOS_CHOICE, Rule::RandomTwo),
    ];
    let rule = rules.into_iter().find(|(name, _)| *name == scheduler);
    rule.map_or(Rule::Unknown, |(_, rule)| rule)
}

/// Returns whether weights and connections alone decide, so that the first one available in the
/// [`order`] is the one.
pub(super) const fn first_decides(rule: Rule) -> bool {
    use Rule::{
        HighestWeight, HighestWeightWithRoom, IdleFirst, LeastConnections,
        LeastConnectionsByWeight, ShortestDelay,
    };
    matches!(
        rule,
        LeastConnections
            | LeastConnectionsByWeight
            | ShortestDelay
            | IdleFirst
            | HighestWeight
            | HighestWeightWithRoom
    )
}

/// Returns whether `ovf` passes a destination over: it has more active connections than weight.
pub(super) const fn is_full(entry: &DestinationEntry) -> bool {
    entry.connections.active > entry.destination.weight
}

/// Returns the positions of the destinations in the order of the rule. Among equals, the order is
/// that of the list, as in the kernel.
///
/// Source: `ip_vs_lc.c`, `ip_vs_wlc.c`, `ip_vs_sed.c`, `ip_vs_nq.c`, `ip_vs_fo.c`, `ip_vs_ovf.c`.
pub(super) fn order(rule: Rule, destinations: &[DestinationEntry]) -> Vec<usize> {
    let mut positions: Vec<(usize, &DestinationEntry)> = destinations.iter().enumerate().collect();
    let idle = |entry: &DestinationEntry| entry.connections.active == 0 && weight(entry) > 0;
    let by_delay = |a: &DestinationEntry, b: &DestinationEntry| per_weight(delay, a, b);
    let by_overhead = |a: &DestinationEntry, b: &DestinationEntry| per_weight(overhead, a, b);
    let compare = |a: &DestinationEntry, b: &DestinationEntry| match rule {
        Rule::LeastConnections => overhead(a).cmp(&overhead(b)),
        Rule::LeastConnectionsByWeight | Rule::Locality | Rule::RandomTwo => by_overhead(a, b),
        Rule::ShortestDelay => by_delay(a, b),
        Rule::IdleFirst => match (idle(a), idle(b)) {
            (true, true) => Ordering::Equal,
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
            (false, false) => by_delay(a, b),
        },
        Rule::HighestWeight | Rule::HighestWeightWithRoom => weight(b).cmp(&weight(a)),
        _ => Ordering::Equal,
    };
    positions.sort_by(|(_, a), (_, b)| compare(a, b));
    positions.into_iter().map(|(at, _)| at).collect()
}

fn weight(entry: &DestinationEntry) -> u128 {
    entry.destination.weight.into()
}

fn overhead(entry: &DestinationEntry) -> u128 {
    u128::from(entry.connections.active) * 256 + u128::from(entry.connections.inactive)
}

fn delay(entry: &DestinationEntry) -> u128 {
    u128::from(entry.connections.active) + 1
}

/// Compares quotients by products. Weight 0 is last.
fn per_weight(
    cost: fn(&DestinationEntry) -> u128,
    a: &DestinationEntry,
    b: &DestinationEntry,
) -> Ordering {
    let none = (weight(a) == 0).cmp(&(weight(b) == 0));
    none.then_with(|| (cost(a) * weight(b)).cmp(&(cost(b) * weight(a))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Connections, Destination, Stats};

    /// Destinations by their weight, active and inactive connections.
    fn order_of(rule: Rule, list: &[(u32, u32, u32)]) -> Vec<usize> {
        let entry = |&(weight, active, inactive): &(u32, u32, u32)| {
            let server = Destination::masquerade("10.0.0.2:80".parse().unwrap()).weight(weight);
            let connections = Connections { active, inactive, ..Connections::default() };
            DestinationEntry::new(server, connections, Stats::default())
        };
        order(rule, &list.iter().map(entry).collect::<Vec<_>>())
    }

    #[test]
    fn each_rule_has_its_order() {
        let list = [(1, 1, 0), (3, 2, 300), (2, 0, 200), (0, 0, 0)];
        assert_eq!(order_of(Rule::InTurn, &list), [0, 1, 2, 3]);
        assert_eq!(order_of(Rule::LeastConnections, &list), [3, 2, 0, 1]);
        assert_eq!(order_of(Rule::LeastConnectionsByWeight, &list), [2, 0, 1, 3]);
        assert_eq!(order_of(Rule::ShortestDelay, &list), [2, 1, 0, 3]);
        assert_eq!(order_of(Rule::IdleFirst, &[(1, 1, 0), (1, 0, 0), (9, 0, 0)]), [1, 2, 0]);
        assert_eq!(order_of(Rule::HighestWeight, &list), [1, 2, 0, 3]);
        assert_eq!(order_of(Rule::LeastConnections, &[(1, u32::MAX, u32::MAX); 2]), [0, 1]);
    }

    #[test]
    fn every_scheduler_without_a_table_has_a_rule() {
        let tables = [
            Scheduler::SOURCE_HASHING,
            Scheduler::DESTINATION_HASHING,
            Scheduler::MAGLEV_HASHING,
            Scheduler::NONE,
        ];
        for &scheduler in Scheduler::ALL {
            assert_eq!(
                rule(scheduler) == Rule::Unknown,
                tables.contains(&scheduler),
                "{scheduler}"
            );
        }
    }
}

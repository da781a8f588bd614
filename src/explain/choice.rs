//! What a scheduler can choose, where it is unknown whether a destination is available.

use std::collections::BTreeSet;

use crate::explain::availability::Availability;

/// What a scheduler can choose: the destinations by their position in the list, and nothing.
///
/// There are several only where it is unknown whether a destination is available.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Choice {
    /// The positions that are possible, the likeliest first, without duplicates.
    pub(super) possible: Vec<usize>,
    /// Whether the scheduler can refuse the connection.
    pub(super) refusal: bool,
    seen: BTreeSet<usize>,
}

impl Choice {
    /// Nothing but a refusal.
    pub(super) fn refused() -> Self {
        Self { refusal: true, ..Self::default() }
    }

    /// Adds a position, unless the choice has the position.
    pub(super) fn add(&mut self, at: usize) {
        if self.seen.insert(at) {
            self.possible.push(at);
        }
    }

    /// Adds all of another choice.
    pub(super) fn join(&mut self, other: &Self) {
        other.possible.iter().for_each(|&at| self.add(at));
        self.refusal |= other.refusal;
    }
}

/// Follows the probes of a scheduler to the first destination that is available. A probe of `None`
/// is an empty slot, which ends the search. So does the end of the probes.
pub(super) fn first_available(
    probes: impl IntoIterator<Item = Option<usize>>,
    availabilities: &[Availability],
) -> Choice {
    let mut choice = Choice::default();
    for probe in probes {
        let Some(at) = probe else { break };
        match availabilities.get(at) {
            Some(Availability::Available) => {
                choice.add(at);
                return choice;
            }
            // The probes go on as if the destination were unavailable.
            Some(Availability::Unknown) => choice.add(at),
            _ => {}
        }
    }
    choice.refusal = true;
    choice
}

#[cfg(test)]
mod tests {
    use super::*;
    use Availability::{Available, Overloaded, Unknown};

    #[test]
    fn the_first_available_destination_ends_the_search() {
        let probe = |probes: &[Option<usize>], states: &[Availability]| {
            let choice = first_available(probes.iter().copied(), states);
            (choice.possible, choice.refusal)
        };
        let all = [Some(0), Some(1), Some(0), Some(2)];
        assert_eq!(probe(&all, &[Available, Available, Available]), (vec![0], false));
        assert_eq!(probe(&all, &[Overloaded, Available, Available]), (vec![1], false));
        assert_eq!(probe(&all, &[Unknown, Overloaded, Available]), (vec![0, 2], false));
        assert_eq!(probe(&all, &[Unknown, Unknown, Overloaded]), (vec![0, 1], true));
        assert_eq!(probe(&[None, Some(0)], &[Available]), (vec![], true));
        assert_eq!(probe(&[], &[Available]), (vec![], true));
        assert_eq!(probe(&[Some(7)], &[Available]), (vec![], true));
    }
}

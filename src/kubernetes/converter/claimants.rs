//! The Kubernetes services that claim a virtual service.

use std::collections::BTreeSet;

use crate::kubernetes::rank::Rank;

/// The claims to one virtual service. Nearly always there is only one.
#[derive(Clone, Debug)]
pub(super) enum Claimants {
    One(Rank),
    Many(BTreeSet<Rank>),
}

impl Claimants {
    /// Returns the claim that wins.
    pub(super) fn holder(&self) -> Option<&Rank> {
        match self {
            Self::One(rank) => Some(rank),
            Self::Many(ranks) => ranks.first(),
        }
    }

    /// Returns the claims that lose, in their order.
    pub(super) fn losers(&self) -> impl Iterator<Item = &Rank> {
        let many = match self {
            Self::One(_) => None,
            Self::Many(ranks) => Some(ranks),
        };
        many.into_iter().flatten().skip(1)
    }

    pub(super) fn has(&self, rank: &Rank) -> bool {
        match self {
            Self::One(first) => first == rank,
            Self::Many(ranks) => ranks.contains(rank),
        }
    }

    pub(super) fn insert(&mut self, rank: Rank) {
        match self {
            Self::One(first) => {
                *self = Self::Many(BTreeSet::from([first.clone(), rank]));
            }
            Self::Many(ranks) => {
                ranks.insert(rank);
            }
        }
    }

    /// Removes a claim, and returns `true` if none is left.
    pub(super) fn remove(&mut self, rank: &Rank) -> bool {
        match self {
            Self::One(first) => first == rank,
            Self::Many(ranks) => {
                ranks.remove(rank);
                match (ranks.len(), ranks.first()) {
                    (1, Some(last)) => {
                        *self = Self::One(last.clone());
                        false
                    }
                    (left, _) => left == 0,
                }
            }
        }
    }
}

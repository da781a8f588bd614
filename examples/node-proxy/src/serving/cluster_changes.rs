//! How many changes of the cluster belong together, and when those of endpoints began.

use std::time::SystemTime;

use super::rounds::Join;

/// The most trigger times of joined rounds. More are not measured.
const MOST_JOINED: usize = 16_384;

/// Changes of the cluster that belong together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ClusterChanges {
    /// How many services were added, changed or deleted.
    pub(crate) services: u64,
    /// How many endpoint slices were added, changed or deleted.
    pub(crate) slices: u64,
    /// When changes of endpoints began that the table has to follow.
    pub(crate) triggers: Vec<SystemTime>,
}

impl Join for ClusterChanges {
    fn join(&mut self, later: Self) {
        self.services += later.services;
        self.slices += later.slices;
        let room = MOST_JOINED.saturating_sub(self.triggers.len());
        self.triggers.extend(later.triggers.into_iter().take(room));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// While nothing can be written, changes join.
    #[test]
    fn trigger_times_of_joined_rounds_are_bounded() {
        let mut joined = ClusterChanges::default();
        for _ in 0..1000 {
            let triggers = vec![SystemTime::UNIX_EPOCH; 64];
            joined.join(ClusterChanges { services: 0, slices: 1, triggers });
        }
        assert_eq!((joined.slices, joined.triggers.len()), (1000, MOST_JOINED));
    }
}

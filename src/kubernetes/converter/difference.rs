//! What changes while events are applied.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::mem;

use crate::hashing::Map;
use crate::kubernetes::rank::Rank;
use crate::kubernetes::virtual_service::Claim;
use crate::kubernetes::{ObjectKind, ObjectName, ServiceFacts, Skipped};
use crate::model::ServiceId;

/// A virtual service whose claims changed.
#[derive(Debug)]
pub(super) enum Touched {
    /// Nobody claimed it before.
    New,
    Claimed(Box<Before>),
}

/// What a virtual service was before.
#[derive(Debug)]
pub(super) struct Before {
    /// The rank that won.
    pub(super) holder: Rank,
    pub(super) claim: Claim,
    pub(super) added: BTreeSet<Rank>,
    pub(super) removed: BTreeSet<Rank>,
}

impl Before {
    pub(super) fn released(&mut self, rank: Rank) {
        if !self.added.remove(&rank) {
            self.removed.insert(rank);
        }
    }

    pub(super) fn claimed(&mut self, rank: Rank) {
        if !self.removed.remove(&rank) {
            self.added.insert(rank);
        }
    }
}

/// What events changed so far.
#[derive(Debug, Default)]
pub(super) struct Difference {
    /// The services to convert again.
    pub(super) dirty: Vec<ObjectName>,
    pub(super) everything: bool,
    /// What was left out before of objects that belong to no service.
    pub(super) loose: BTreeMap<(ObjectKind, ObjectName), Option<Skipped>>,
    pub(super) touched: Map<ServiceId, Touched>,
    pub(super) services: BTreeMap<ObjectName, Option<ServiceFacts>>,
    pub(super) skipped_added: Vec<Skipped>,
    pub(super) skipped_removed: Vec<Skipped>,
}

impl Difference {
    /// Notes what an object left out before and leaves out now.
    pub(super) fn skipped(&mut self, before: &[Skipped], after: &[Skipped]) {
        let same = before.iter().zip(after).take_while(|(a, b)| a == b).count();
        self.skipped_removed.extend(before.iter().skip(same).cloned());
        self.skipped_added.extend(after.iter().skip(same).cloned());
    }

    /// Drops what was noted both as removed and as added: it did not change.
    pub(super) fn cancel_skipped(&mut self) {
        if self.skipped_removed.is_empty() || self.skipped_added.is_empty() {
            return;
        }
        let added = mem::take(&mut self.skipped_added);
        let mut new: HashMap<&Skipped, usize> = HashMap::with_capacity(added.len());
        for entry in &added {
            *new.entry(entry).or_default() += 1;
        }
        let mut is_new = |entry: &Skipped| match new.get_mut(entry) {
            Some(count @ 1..) => {
                *count -= 1;
                true
            }
            _ => false,
        };
        self.skipped_removed.retain(|gone| !is_new(gone));
        let stay: Vec<bool> = added.iter().map(is_new).collect();
        let added = added.into_iter().zip(stay).filter(|(_, stays)| *stays);
        self.skipped_added = added.map(|(entry, _)| entry).collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kubernetes::{Item, Reason};

    /// Entries of the object `shop/web`, each with the number of its port.
    fn entries(ports: impl IntoIterator<Item = u32>) -> Vec<Skipped> {
        let name: ObjectName = "shop/web".parse().unwrap();
        let entry = |port: u32| {
            let item = Item::Port(port.to_string());
            Skipped::new(ObjectKind::Service, name.clone(), item, Reason::NoSuchPort)
        };
        ports.into_iter().map(entry).collect()
    }

    fn difference(before: &[Skipped], after: &[Skipped]) -> (Vec<Skipped>, Vec<Skipped>) {
        let mut difference = Difference::default();
        difference.skipped(before, after);
        difference.cancel_skipped();
        (difference.skipped_removed, difference.skipped_added)
    }

    #[test]
    fn only_what_changed_is_noted_however_much_stays() {
        let before = entries(0..10_000);
        let after = entries((1..=10_000).rev());
        assert_eq!(difference(&before, &after), (entries([0]), entries([10_000])));
    }

    #[test]
    fn entries_that_are_there_several_times_are_counted() {
        let (before, after) = (entries([1, 1, 2, 3, 3]), entries([3, 2, 2, 1, 3, 3]));
        assert_eq!(difference(&before, &after), (entries([1]), entries([3, 2])));
    }

    #[test]
    fn what_moves_from_one_object_to_another_stays() {
        let mut moved = Difference::default();
        moved.skipped(&entries([1, 2]), &[]);
        moved.skipped(&[], &entries([2, 4]));
        moved.cancel_skipped();
        assert_eq!((moved.skipped_removed, moved.skipped_added), (entries([1]), entries([4])));
    }
}

use crate::fake::table::key::BUCKETS;
use crate::fake::table::slab::Slot;

/// The services of all namespaces in the order of dumps: first the buckets of those with an
/// address, then the buckets of those with a firewall mark.
#[derive(Debug)]
pub(in crate::fake) struct Buckets {
    /// The oldest service of each bucket is the first.
    buckets: Vec<Vec<Slot>>,
}

impl Buckets {
    pub(super) fn new() -> Self {
        Self { buckets: vec![Vec::new(); 2 * BUCKETS] }
    }

    pub(super) fn insert(&mut self, bucket: usize, slot: Slot) {
        if let Some(bucket) = self.buckets.get_mut(bucket) {
            bucket.push(slot);
        }
    }

    pub(super) fn remove(&mut self, bucket: usize, slot: Slot) {
        if let Some(bucket) = self.buckets.get_mut(bucket) {
            // The newest are the likeliest, and the cheapest to remove.
            if let Some(at) = bucket.iter().rposition(|other| *other == slot) {
                bucket.remove(at);
            }
        }
    }

    /// The services after the first `position`. The newest of each bucket comes first.
    pub(in crate::fake) fn after(&self, position: usize) -> impl Iterator<Item = Slot> + '_ {
        let mut first = 0;
        let mut skip = position;
        for bucket in &self.buckets {
            if bucket.len() > skip {
                break;
            }
            skip -= bucket.len();
            first += 1;
        }
        let rest = self.buckets.iter().skip(first);
        rest.flat_map(|bucket| bucket.iter().rev().copied()).skip(skip)
    }
}

//! Sorting what a dump reported by its identity.

use crate::model::{DestinationEntry, DestinationId, ServiceEntry, ServiceId};

/// What a dump reports, by its identity.
pub(super) trait Identified {
    type Id: Ord + Copy;
    /// A value that is cheap to compare and has the order of the identities.
    type Key: Ord;

    fn identity(&self) -> Self::Id;

    fn key(&self) -> Self::Key;
}

impl Identified for ServiceEntry {
    type Id = ServiceId;
    type Key = (u64, u128, u128);

    fn identity(&self) -> ServiceId {
        self.service.id
    }

    fn key(&self) -> (u64, u128, u128) {
        self.service.id.order()
    }
}

impl Identified for DestinationEntry {
    type Id = DestinationId;
    type Key = DestinationId;

    fn identity(&self) -> DestinationId {
        self.destination.id
    }

    fn key(&self) -> DestinationId {
        self.destination.id
    }
}

impl Identified for ServiceId {
    type Id = Self;
    type Key = (u64, u128, u128);

    fn identity(&self) -> Self {
        *self
    }

    fn key(&self) -> (u64, u128, u128) {
        self.order()
    }
}

/// Sorts `entries` by identity and removes duplicates. Returns `true` if there were any.
pub(super) fn put_in_order<R: Identified>(entries: &mut Vec<R>) -> bool {
    if entries.is_sorted_by(|one, next| one.identity() < next.identity()) {
        return false;
    }
    let length = entries.len();
    entries.sort_by_cached_key(Identified::key);
    entries.dedup_by_key(|entry| entry.identity());
    entries.len() < length
}

/// Returns the identities of `entries`.
pub(super) fn ids<R: Identified>(entries: &[R]) -> impl Iterator<Item = R::Id> {
    entries.iter().map(Identified::identity)
}

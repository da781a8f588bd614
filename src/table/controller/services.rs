//! Maps of services.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

use crate::model::ServiceId;

/// What belongs to services, by their ids. A look-up costs the same however many there are. The ids
/// have no order: see [`in_order`].
pub(super) type ByService<V> = HashMap<ServiceId, V, BuildHasherDefault<IdHasher>>;

/// The ids of some services.
pub(super) type Services = HashSet<ServiceId, BuildHasherDefault<IdHasher>>;

/// Sorts ids, so that the same wishes give the same tasks and events.
pub(super) fn in_order(ids: impl Iterator<Item = ServiceId>) -> Vec<ServiceId> {
    let mut ids: Vec<ServiceId> = ids.collect();
    ids.sort_unstable_by(ServiceId::cmp);
    ids
}

/// Hashes ids. It needs no secret: the program chooses the ids, not its clients.
#[derive(Debug, Default)]
pub(super) struct IdHasher(u64);

impl IdHasher {
    fn mix(&mut self, word: u64) {
        let product = (self.0 ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        // The lower bits of a product do not depend on the upper ones of its factors.
        self.0 = product ^ (product >> 32);
    }
}

impl Hasher for IdHasher {
    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let word = chunk.iter().fold(0, |word, byte| word << 8 | u64::from(*byte));
            self.mix(word);
        }
    }

    fn write_u16(&mut self, number: u16) {
        self.mix(number.into());
    }

    fn write_u32(&mut self, number: u32) {
        self.mix(number.into());
    }

    fn write_u64(&mut self, number: u64) {
        self.mix(number);
    }

    fn write_usize(&mut self, number: usize) {
        self.mix(number as u64);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::hash::{BuildHasher, BuildHasherDefault};

    use super::*;
    use crate::model::AddressFamily;

    /// A map of 10,000 services has 16,384 places: the lower bits of a hash choose the place, the
    /// upper seven tell the services of a place from each other.
    #[test]
    fn ids_that_follow_each_other_spread_over_the_map() {
        let address = |index: u16| [10, 0, index.to_be_bytes()[0], index.to_be_bytes()[1]];
        let kinds: [&dyn Fn(u16) -> ServiceId; 4] = [
            &|index| ServiceId::tcp((address(index), 80).into()),
            &|index| ServiceId::udp(([192, 0, 2, 1], index).into()),
            &|index| ServiceId::tcp(([0x2001, 0xdb8, 0, 0, 0, 0, 0, index], 443).into()),
            &|index| ServiceId::fwmark(u32::from(index) + 1, AddressFamily::Ipv4),
        ];
        for kind in kinds {
            let hasher = BuildHasherDefault::<IdHasher>::default();
            let hashes: Vec<u64> = (0..10_000).map(|index| hasher.hash_one(kind(index))).collect();
            let places: BTreeSet<u64> = hashes.iter().map(|hash| hash & 0x3fff).collect();
            // Random hashes would take 7,484 places.
            assert!(places.len() > 6_500, "{}: {}", kind(0), places.len());
            let marks: BTreeSet<u64> = hashes.iter().map(|hash| hash >> 57).collect();
            assert!(marks.len() > 100, "{}: {}", kind(0), marks.len());
        }
    }
}

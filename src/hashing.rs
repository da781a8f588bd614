//! Hashes of names and ids, faster than those of the standard library.
//!
//! Others may choose the keys, such as users of a cluster their addresses. So each map has a secret
//! of its own, and nobody can choose keys that collide.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, Hasher, RandomState};

/// A map whose keys others may choose.
pub(crate) type Map<K, V> = HashMap<K, V, Keyed>;

/// A set whose keys others may choose.
pub(crate) type Set<K> = HashSet<K, Keyed>;

/// Makes hashers with a secret.
#[derive(Clone, Debug)]
pub(crate) struct Keyed {
    start: u64,
    factor: u64,
}

impl Default for Keyed {
    /// Draws a secret.
    fn default() -> Self {
        let random = RandomState::new();
        Self { start: random.hash_one(0), factor: random.hash_one(1) | 1 }
    }
}

impl BuildHasher for Keyed {
    type Hasher = KeyedHasher;

    fn build_hasher(&self) -> KeyedHasher {
        KeyedHasher { state: self.start, factor: self.factor }
    }
}

/// Multiplies by a secret number and folds the product, as the hashes of the `wyhash` family do.
#[derive(Debug)]
pub(crate) struct KeyedHasher {
    state: u64,
    factor: u64,
}

impl KeyedHasher {
    #[inline]
    fn mix(&mut self, word: u64) {
        self.state = folded_product(self.state ^ word, self.factor);
    }
}

#[inline]
fn folded_product(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    let half = |part: u128| u64::try_from(part).unwrap_or_default();
    half(product >> 64) ^ half(product & u128::from(u64::MAX))
}

impl Hasher for KeyedHasher {
    #[inline]
    fn write(&mut self, bytes: &[u8]) {
        let mut words = bytes.chunks_exact(8);
        for word in &mut words {
            self.mix(word.try_into().map_or(0, u64::from_le_bytes));
        }
        let rest = words.remainder().iter().fold(0, |word, byte| word << 8 | u64::from(*byte));
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        self.mix(rest ^ length.rotate_right(8));
    }

    #[inline]
    fn write_u8(&mut self, number: u8) {
        self.mix(number.into());
    }

    #[inline]
    fn write_u64(&mut self, number: u64) {
        self.mix(number);
    }

    #[inline]
    fn finish(&self) -> u64 {
        // So that all bits of the last word reach all bits of the hash.
        folded_product(self.state, self.factor.rotate_left(32))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::hash::Hash;

    use super::*;
    use crate::model::{AddressFamily, ServiceId};

    /// Hashes 10,000 keys. The lower bits of a hash choose the place in a map, the upper seven tell
    /// the keys of a place from each other.
    fn assert_spread<K: Hash>(key: impl Fn(u16) -> K) {
        let secret = Keyed { start: 0x1234_5678_9abc_def0, factor: 0xfedc_ba98_7654_3211 };
        let hashes = (0..10_000).map(|index| secret.hash_one(key(index)));
        let (places, marks): (BTreeSet<u64>, BTreeSet<u64>) =
            hashes.map(|hash| (hash & 0x3fff, hash >> 57)).unzip();
        // 10,000 random hashes take 7,484 of 16,384 places.
        assert!(places.len() > 6_500, "{}", places.len());
        assert!(marks.len() > 100, "{}", marks.len());
    }

    #[test]
    fn names_and_ids_that_follow_each_other_spread_over_a_map() {
        assert_spread(|index| format!("shop/service-{index:05}-x7k2p"));
        assert_spread(|index| {
            let [high, low] = index.to_be_bytes();
            ServiceId::tcp(([10, 96, high, low], 80).into())
        });
        assert_spread(|port| ServiceId::udp(([192, 0, 2, 1], port).into()));
        assert_spread(|index| ServiceId::tcp(([0xfd00, 0, 0, 0, 0, 0, 0, index], 443).into()));
        assert_spread(|index| ServiceId::fwmark(u32::from(index) + 1, AddressFamily::Ipv4));
    }

    #[test]
    fn each_map_has_a_secret() {
        let web = ServiceId::tcp(([0xfd00, 0, 0, 0, 0, 0, 0, 1], 80).into());
        assert_ne!(Keyed::default().hash_one(web), Keyed::default().hash_one(web));
    }
}

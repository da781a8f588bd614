//! A hash map that is fast and has the same order in every run.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

pub(in crate::fake) type FoldMap<K, V> = HashMap<K, V, BuildHasherDefault<Fold>>;

/// Folds words by multiplication. Tests have no enemies who choose keys.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::fake) struct Fold(u64);

impl Fold {
    const fn fold(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(0x517c_c1b7_2722_0a95);
    }
}

impl Hasher for Fold {
    fn finish(&self) -> u64 {
        self.0.rotate_left(26)
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.fold((*byte).into());
        }
    }

    fn write_u16(&mut self, word: u16) {
        self.fold(word.into());
    }

    fn write_u32(&mut self, word: u32) {
        self.fold(word.into());
    }

    fn write_u64(&mut self, word: u64) {
        self.fold(word);
    }

    fn write_u128(&mut self, word: u128) {
        let [a, b, c, d, e, f, g, h, tail @ ..] = word.to_ne_bytes();
        self.fold(u64::from_ne_bytes([a, b, c, d, e, f, g, h]));
        self.fold(u64::from_ne_bytes(tail));
    }

    fn write_usize(&mut self, word: usize) {
        self.fold(word as u64);
    }
}

//! Numbers that look random and repeat with their seed.

use std::time::UNIX_EPOCH;

/// A generator of numbers: xorshift.
#[derive(Clone, Debug)]
pub(crate) struct Chance(u64);

impl Chance {
    /// Starts with `SOAK_SEED`, or with the time.
    pub(crate) fn from_environment() -> Self {
        let seed = std::env::var("SOAK_SEED").ok().and_then(|text| text.parse().ok());
        let seed = seed.unwrap_or_else(|| {
            u64::try_from(UNIX_EPOCH.elapsed().unwrap().as_nanos() % u128::from(u64::MAX)).unwrap()
        });
        println!("SOAK_SEED={seed}");
        Self(seed.max(1))
    }

    /// Another generator that begins here.
    pub(crate) fn fork(&mut self) -> Self {
        Self(self.next().max(1))
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// A number from 0 to one less than this.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// One of these.
    pub(crate) fn one<T: Copy>(&mut self, all: &[T]) -> T {
        all[usize::try_from(self.below(all.len() as u64)).unwrap()]
    }
}

//! A small generator of random numbers. The same seed gives the same numbers on every machine.

use std::time::Duration;

/// Random numbers from a seed (splitmix64).
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed ^ 0x5851_f42d_4c95_7f2d)
    }

    /// Makes an independent generator for `what`. What one actor draws does not move what another
    /// draws, so an actor can be taken out of a run and the others do the same as before.
    pub(crate) fn fork(seed: u64, what: &str) -> Self {
        let mix = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
        let mut fork = Self::new(seed ^ what.bytes().fold(0xcbf2_9ce4_8422_2325, mix));
        fork.number();
        fork
    }

    pub(crate) fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`; 0 if `end` is 0.
    pub(crate) fn below(&mut self, end: u32) -> u32 {
        let wide = (self.number() >> 32) * u64::from(end);
        u32::try_from(wide >> 32).unwrap_or(0)
    }

    /// A number from `first` to `last`.
    pub(crate) fn between(&mut self, first: u32, last: u32) -> u32 {
        first + self.below(last - first + 1)
    }

    /// `true` in `percent` of 100 cases.
    pub(crate) fn chance(&mut self, percent: u32) -> bool {
        self.below(100) < percent
    }

    /// `true` in `count` of 1,000 cases.
    pub(crate) fn rarely(&mut self, count: u32) -> bool {
        self.below(1000) < count
    }

    /// One of `all`, or `None` if there is nothing to choose from.
    pub(crate) fn pick<'a, T>(&mut self, all: &'a [T]) -> Option<&'a T> {
        let count = u32::try_from(all.len()).unwrap_or(u32::MAX);
        all.get(self.below(count) as usize)
    }

    /// One of a list of values that is never empty.
    pub(crate) fn one<T: Copy, const N: usize>(&mut self, all: [T; N]) -> T {
        all[self.below(u32::try_from(N).unwrap_or(u32::MAX)) as usize]
    }

    /// A time from `first` to `last` milliseconds, more often a short one.
    pub(crate) fn pause(&mut self, first: u32, last: u32) -> Duration {
        let longest = self.between(first, last);
        Duration::from_millis(u64::from(self.between(first, longest)))
    }
}

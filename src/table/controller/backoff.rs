//! Delays that grow, with a random part.

use std::time::{Duration, Instant};

use crate::table::controller::RetryPolicy;

/// The delays are never shorter than this.
const SHORTEST: Duration = Duration::from_millis(1);

/// A source of random numbers that a seed determines.
#[derive(Clone, Debug)]
pub(super) struct Random(u64);

impl Random {
    pub(super) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Returns the next number. Source: `SplitMix64` (Steele, Lea, Flood 2014).
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Returns a time up to `most`.
    fn up_to(&mut self, most: Duration) -> Duration {
        // Only the upper half of the number, so that the product fits.
        let part = u32::try_from(self.next() >> 32).unwrap_or_default();
        let nanos = most.as_nanos().saturating_mul(u128::from(part)) >> 32;
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }

    /// Returns the delay before the attempt after `failures` failures in a row.
    pub(super) fn delay(&mut self, policy: RetryPolicy, failures: u32) -> Duration {
        let doublings = failures.saturating_sub(1).min(30);
        let most = policy.most.max(policy.first).max(SHORTEST);
        let delay = policy.first.max(SHORTEST).saturating_mul(1 << doublings).min(most);
        (delay - self.up_to(delay / 2)).max(SHORTEST)
    }

    /// Returns `interval`, longer or shorter by up to a tenth.
    pub(super) fn interval(&mut self, interval: Duration) -> Duration {
        let part = interval / 10;
        interval - part + self.up_to(part * 2)
    }
}

/// A time that may be too far away for an [`Instant`]. Then it is as far away as can be expressed,
/// within a factor of two.
pub(super) fn after(now: Instant, mut delay: Duration) -> Instant {
    loop {
        match now.checked_add(delay) {
            Some(time) => return time,
            None => delay /= 2,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_up_to_the_longest_and_vary_by_half() {
        let mut random = Random::new(7);
        let policy = RetryPolicy::new();
        for (failures, seconds) in [(1, 1), (2, 2), (3, 4), (6, 32), (7, 60), (200, 60)] {
            let longest = Duration::from_secs(seconds);
            let delays: Vec<Duration> = (0..1000).map(|_| random.delay(policy, failures)).collect();
            assert!(delays.iter().all(|delay| *delay <= longest && *delay >= longest / 2));
            assert!(delays.iter().any(|delay| *delay < longest.mul_f64(0.55)));
            assert!(delays.iter().any(|delay| *delay > longest.mul_f64(0.95)));
        }
        let zero = RetryPolicy { first: Duration::ZERO, most: Duration::ZERO };
        assert_eq!(random.delay(zero, 9), SHORTEST);
    }

    #[test]
    fn intervals_vary_by_a_tenth() {
        let mut random = Random::new(1);
        for _ in 0..1000 {
            let interval = random.interval(Duration::from_secs(60)).as_secs();
            assert!((54..=66).contains(&interval));
        }
        let century = Duration::from_secs(100 * 365 * 24 * 3600);
        assert!(after(Instant::now(), Duration::MAX) > Instant::now() + century);
    }
}

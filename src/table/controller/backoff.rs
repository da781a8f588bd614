//! Delays that grow, with a random part.

use std::time::{Duration, Instant};

use crate::random::Random;
use crate::table::controller::RetryPolicy;

/// The delays are never shorter than this.
const SHORTEST: Duration = Duration::from_millis(1);

impl Random {
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
pub(crate) fn after(now: Instant, mut delay: Duration) -> Instant {
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

use std::time::Duration;

/// The upper bounds of the buckets, in milliseconds.
const BOUNDS: [u64; 12] = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 10_000];

/// How long something took, how often: counts in fixed buckets from 1 ms to 10 s.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Histogram {
    /// How many were at most as long as each bound and longer than the one before; the last of all.
    counts: [u64; BOUNDS.len() + 1],
    sum: Duration,
}

impl Histogram {
    /// Creates an empty histogram.
    #[must_use]
    pub const fn new() -> Self {
        Self { counts: [0; BOUNDS.len() + 1], sum: Duration::ZERO }
    }

    /// Counts one duration.
    pub fn record(&mut self, took: Duration) {
        let bucket = BOUNDS.iter().position(|bound| took <= Duration::from_millis(*bound));
        let count = self.counts.get_mut(bucket.unwrap_or(BOUNDS.len()));
        count.into_iter().for_each(|count| *count = count.saturating_add(1));
        self.sum = self.sum.saturating_add(took);
    }

    /// Yields each bucket: its upper bound in seconds, and how many durations were at most so long. The
    /// last bound is infinite.
    pub fn buckets(&self) -> impl Iterator<Item = (f64, u64)> {
        let bounds = BOUNDS.iter().map(|bound| Duration::from_millis(*bound).as_secs_f64());
        let mut so_far = 0_u64;
        bounds.chain([f64::INFINITY]).zip(self.counts).map(move |(bound, count)| {
            so_far = so_far.saturating_add(count);
            (bound, so_far)
        })
    }

    /// Returns how many durations were counted.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.counts.iter().fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// Returns the sum of all durations.
    #[must_use]
    pub const fn sum(&self) -> Duration {
        self.sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_add_up() {
        let mut histogram = Histogram::new();
        for milliseconds in [0, 1, 3, 10_000, 10_001, 60_000] {
            histogram.record(Duration::from_millis(milliseconds));
        }
        let buckets: Vec<_> = histogram.buckets().collect();
        assert_eq!(buckets[0], (0.001, 2));
        assert_eq!(buckets[2], (0.005, 3));
        assert_eq!(buckets[11], (10.0, 4));
        assert_eq!(buckets[12], (f64::INFINITY, 6));
        assert_eq!(histogram.count(), 6);
        assert_eq!(histogram.sum(), Duration::from_millis(80_005));
        assert!(buckets.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 <= pair[1].1));
    }
}

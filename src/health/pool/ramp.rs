//! Slow start: weights that grow in steps.

use std::time::Instant;

use crate::health::rules::STEPS;
use crate::health::{Share, SlowStart};
use crate::model::{MAX_WEIGHT, Scheduler, Service};
use crate::table::controller::after;

/// Returns `true` if the scheduler gives destinations connections in proportion to their weights,
/// and a changed weight moves no client of another destination.
///
/// Source: the schedulers of the kernel, `net/netfilter/ipvs/ip_vs_{wrr,wlc,..}.c`. `rr`, `lc` and
/// `dh` look only at weight 0. For `fo` a weight is a rank, and for `ovf` a number of connections.
/// `sh` has 256 buckets, one for each unit of weight, and each change moves other destinations to
/// other buckets.
pub(super) fn uses_weights(service: &Service) -> bool {
    matches!(
        service.scheduler,
        Scheduler::WEIGHTED_ROUND_ROBIN
            | Scheduler::WEIGHTED_LEAST_CONNECTION
            | Scheduler::LOCALITY_BASED_LEAST_CONNECTION
            | Scheduler::LOCALITY_BASED_LEAST_CONNECTION_WITH_REPLICATION
            | Scheduler::SHORTEST_EXPECTED_DELAY
            | Scheduler::NEVER_QUEUE
            | Scheduler::MAGLEV_HASHING
            | Scheduler::WEIGHTED_RANDOM_TWOS_CHOICE
    )
}

/// Returns the factor for all weights, so that each step of the smallest is a whole number. It is
/// smaller if the kernel would not take the largest weight.
pub(super) fn factor(
    slow_start: Option<SlowStart>,
    weights: impl Iterator<Item = u32> + Clone,
) -> u32 {
    let Some(slow_start) = slow_start else { return 1 };
    let weights = weights.filter(|weight| *weight > 0);
    let largest = weights.clone().max().unwrap_or(1);
    let smallest = weights.min().unwrap_or(1);
    steps(slow_start).div_ceil(smallest).min(MAX_WEIGHT / largest).max(1)
}

fn steps(slow_start: SlowStart) -> u32 {
    slow_start.steps.clamp(*STEPS.start(), *STEPS.end())
}

/// Returns the part of its weight that a destination has which came back at `begun`, and when the
/// next step is due. Returns `None` if it has the whole weight.
pub(super) fn part(
    slow_start: SlowStart,
    begun: Instant,
    now: Instant,
) -> Option<(Share, Instant)> {
    let steps = steps(slow_start);
    let step = slow_start.time / steps;
    let elapsed = now.saturating_duration_since(begun);
    let done = (1..steps).take_while(|done| step * *done <= elapsed).last().unwrap_or(0);
    if step.is_zero() || done + 1 >= steps {
        return None;
    }
    let percent = u16::try_from(100 * (done + 1) / steps).unwrap_or(100);
    Some((Share::percent(percent.max(1)), after(begun, step * (done + 1))))
}

/// Returns when a destination has its whole weight that came back at `begun`.
pub(super) fn end(slow_start: SlowStart, begun: Instant) -> Instant {
    let steps = steps(slow_start);
    after(begun, slow_start.time / steps * (steps - 1))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_weight_grows_in_equal_steps() {
        let begun = Instant::now();
        let slow = SlowStart::new(Duration::from_secs(50)).steps(5);
        let at = |seconds| part(slow, begun, begun + Duration::from_secs(seconds));
        let percents: Vec<_> =
            (0..6).map(|tens| at(tens * 10).map(|(share, _)| share.as_percent())).collect();
        assert_eq!(percents, [Some(20), Some(40), Some(60), Some(80), None, None]);
        assert_eq!(end(slow, begun), begun + Duration::from_secs(40));
        assert_eq!(at(13).map(|(_, next)| next), Some(begun + Duration::from_secs(20)));
        assert_eq!(factor(Some(slow), [3, 1, 0].into_iter()), 5);
        assert_eq!(factor(Some(slow), [3, 7].into_iter()), 2);
        assert_eq!(factor(None, [1].into_iter()), 1);
    }

    #[test]
    fn no_weight_and_no_time_is_too_large() {
        let slow = SlowStart::new(Duration::MAX).steps(u32::MAX);
        assert_eq!(factor(Some(slow), [1, MAX_WEIGHT].into_iter()), 1);
        assert_eq!(factor(Some(slow), [1, MAX_WEIGHT / 3].into_iter()), 3);
        assert_eq!(factor(Some(slow), [u32::MAX].into_iter()), 1);
        let begun = Instant::now();
        let (share, next) = part(slow, begun, begun).unwrap();
        assert_eq!(share, Share::percent(1));
        assert!(next > begun + Duration::from_secs(1 << 32));
        // The clock jumps back.
        assert_eq!(part(slow, next, begun).map(|(share, _)| share), Some(Share::percent(1)));
    }
}

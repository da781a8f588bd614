//! Slow start: weights that grow in steps.

use std::time::Instant;

use crate::health::{Share, SlowStart};
use crate::model::{Scheduler, Service};

/// Returns `true` if the scheduler gives destinations connections in proportion to their weights.
///
/// Source: the schedulers of the kernel, `net/netfilter/ipvs/ip_vs_{wrr,wlc,..}.c`. `dh` and `rr`
/// look only at weight 0; `lc`, `nq` for an idle server, and `none` do, too.
pub(super) fn uses_weights(service: &Service) -> bool {
    !matches!(
        service.scheduler,
        Scheduler::ROUND_ROBIN
            | Scheduler::LEAST_CONNECTION
            | Scheduler::DESTINATION_HASHING
            | Scheduler::NONE
    )
}

/// Returns the factor for all weights, so that each step of the smallest is a whole number.
pub(super) fn factor(slow_start: Option<SlowStart>, weights: impl Iterator<Item = u32>) -> u32 {
    let Some(slow_start) = slow_start else { return 1 };
    let smallest = weights.filter(|weight| *weight > 0).min().unwrap_or(1);
    steps(slow_start).div_ceil(smallest)
}

fn steps(slow_start: SlowStart) -> u32 {
    slow_start.steps.clamp(2, 100)
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
    Some((Share::percent(percent.max(1)), begun + step * (done + 1)))
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
        assert_eq!(at(13).map(|(_, next)| next), Some(begun + Duration::from_secs(20)));
        assert_eq!(factor(Some(slow), [3, 1, 0].into_iter()), 5);
        assert_eq!(factor(Some(slow), [3, 7].into_iter()), 2);
        assert_eq!(factor(None, [1].into_iter()), 1);
    }
}

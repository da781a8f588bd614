//! Counters of traffic as the kernel's estimator shows them: every two seconds, with averages.

use std::time::Duration;

use crate::fake::table::Table;
use crate::fake::table::slab::Slot;

/// Connections, packets in and out, bytes in and out.
pub(in crate::fake) type Five = [u64; 5];

/// The time between two looks of the estimator.
const TICK: Duration = Duration::from_secs(2);
/// After so many ticks of steady traffic an average does not move any more.
const SETTLED: u64 = 64;

/// The counters of a service or a destination.
#[derive(Clone, Debug, Default)]
pub(in crate::fake) struct Counters {
    /// What was counted up to `since`.
    counted: Five,
    since: Duration,
    /// What is added per second from then on.
    per_second: Five,
    /// What the last tick found, `kstats` of the kernel.
    seen: Five,
    /// What zeroing subtracts, `kstats0`.
    zero: Five,
    /// Scaled averages, `est`.
    averages: Five,
    /// How many ticks there were.
    ticks: u64,
    /// Whether the estimator does not look: the destination is in the trash.
    stopped: bool,
}

/// What netlink reports.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::fake) struct Shown {
    pub(in crate::fake) totals: Five,
    pub(in crate::fake) rates: Five,
}

impl Counters {
    pub(in crate::fake) fn new(now: Duration) -> Self {
        Self { since: now, ticks: ticks(now), ..Self::default() }
    }

    fn counted_at(&self, time: Duration) -> Five {
        let milliseconds = time.saturating_sub(self.since).as_millis();
        let mut counted = self.counted;
        for (sum, per_second) in counted.iter_mut().zip(self.per_second) {
            let more = u128::from(per_second) * milliseconds / 1000;
            *sum = sum.wrapping_add(u64::try_from(more).unwrap_or(u64::MAX));
        }
        counted
    }

    /// Runs the estimator's ticks up to `now`.
    ///
    /// Source: `ip_vs_est.c:estimation_timer`.
    fn catch_up(&mut self, now: Duration) {
        let last = ticks(now);
        if last <= self.ticks || self.stopped {
            return;
        }
        let still = self.per_second == Five::default()
            && self.counted == self.seen
            && self.averages == Five::default();
        if !still {
            let skipped_to = last.saturating_sub(SETTLED);
            if self.ticks < skipped_to {
                self.seen = self.counted_at(at_tick(skipped_to));
            }
            for tick in self.ticks.max(skipped_to) + 1..=last {
                let found = self.counted_at(at_tick(tick));
                let changes = found.iter().zip(self.seen).zip(scales());
                for (average, ((found, seen), scale)) in self.averages.iter_mut().zip(changes) {
                    // Scaled by 2^10 or 2^5, over two seconds.
                    let rate = i128::from(found.wrapping_sub(seen)) << (scale - 1);
                    let moved = i128::from(*average) + ((rate - i128::from(*average)) >> 2);
                    *average = u64::try_from(moved).unwrap_or(u64::MAX);
                }
                self.seen = found;
            }
        }
        self.ticks = last;
    }

    /// Stops the estimator. What is counted meanwhile shows after it was started again.
    ///
    /// Source: `ip_vs_est.c:ip_vs_stop_estimator`.
    pub(super) fn stop(&mut self, now: Duration) {
        self.catch_up(now);
        self.stopped = true;
    }

    /// Starts the estimator again.
    pub(super) fn start(&mut self, now: Duration) {
        self.stopped = false;
        self.ticks = ticks(now);
    }

    /// Counts at once, and shows it with the next tick.
    pub(in crate::fake) fn count(&mut self, now: Duration, more: Five) {
        self.settle(now);
        for (sum, more) in self.counted.iter_mut().zip(more) {
            *sum = sum.wrapping_add(more);
        }
    }

    /// Counts so much per second from now on.
    pub(in crate::fake) fn flow(&mut self, now: Duration, per_second: Five) {
        self.settle(now);
        self.per_second = per_second;
    }

    pub(in crate::fake) const fn per_second(&self) -> Five {
        self.per_second
    }

    fn settle(&mut self, now: Duration) {
        self.catch_up(now);
        self.counted = self.counted_at(now);
        self.since = now;
    }

    /// Shows these values at once.
    pub(in crate::fake) fn set(&mut self, now: Duration, shown: Shown) {
        self.settle(now);
        self.counted = shown.totals;
        self.seen = shown.totals;
        self.zero = Five::default();
        for ((average, rate), scale) in self.averages.iter_mut().zip(shown.rates).zip(scales()) {
            *average = rate << scale;
        }
    }

    /// Takes what the last tick found as zero.
    ///
    /// Source: `ip_vs_ctl.c:ip_vs_zero_stats`.
    pub(in crate::fake) fn zero(&mut self, now: Duration) {
        self.catch_up(now);
        self.zero = self.seen;
        self.averages = Five::default();
    }

    /// Source: `ip_vs_ctl.c:ip_vs_copy_stats` and `ip_vs_est.c:ip_vs_read_estimator`.
    pub(in crate::fake) fn shown(&mut self, now: Duration) -> Shown {
        self.catch_up(now);
        let mut shown = Shown::default();
        for ((total, seen), zero) in shown.totals.iter_mut().zip(self.seen).zip(self.zero) {
            *total = seen.wrapping_sub(zero);
        }
        for ((rate, average), scale) in shown.rates.iter_mut().zip(self.averages).zip(scales()) {
            *rate = (average + ((1 << (scale - 1)) - 1)) >> scale;
        }
        shown
    }
}

/// The counters at a place that may have none yet.
pub(in crate::fake) fn counters(place: &mut Option<Box<Counters>>, now: Duration) -> &mut Counters {
    place.get_or_insert_with(|| Box::new(Counters::new(now)))
}

impl Table {
    /// Lets traffic flow to a destination of a service, in units per second.
    pub(in crate::fake) fn set_traffic(
        &mut self,
        service: Slot,
        destination: Slot,
        now: Duration,
        new: Five,
    ) {
        let Some(stored) = self.destinations.get_mut(destination) else { return };
        let of_destination = counters(&mut stored.counters, now);
        let old = of_destination.per_second();
        of_destination.flow(now, new);
        let Some(service) = self.services.get_mut(service) else { return };
        let of_service = counters(&mut service.counters, now);
        let mut sum = of_service.per_second();
        for ((sum, old), new) in sum.iter_mut().zip(old).zip(new) {
            *sum = sum.saturating_sub(old).saturating_add(new);
        }
        of_service.flow(now, sum);
    }

    /// Ends the traffic to a destination: packets to one that is deleted are dropped.
    pub(super) fn end_traffic(&mut self, service: Slot, destination: Slot, now: Duration) {
        let stored = self.destinations.get(destination).and_then(|it| it.counters.as_ref());
        if stored.is_some_and(|counters| counters.per_second() != Five::default()) {
            self.set_traffic(service, destination, now, Five::default());
        }
    }
}

/// The scale of each average, as a power of two: bytes have the smaller one.
const fn scales() -> [u32; 5] {
    [10, 10, 10, 5, 5]
}

fn ticks(now: Duration) -> u64 {
    now.as_secs() / TICK.as_secs()
}

fn at_tick(tick: u64) -> Duration {
    Duration::from_secs(tick.saturating_mul(TICK.as_secs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn counters_move_at_ticks_only() {
        let mut counters = Counters::new(Duration::ZERO);
        counters.count(seconds(1), [5, 0, 0, 0, 0]);
        assert_eq!(counters.shown(Duration::from_millis(1999)).totals, [0; 5]);
        assert_eq!(counters.shown(seconds(2)).totals, [5, 0, 0, 0, 0]);
    }

    #[test]
    fn steady_traffic_gives_its_rate() {
        let mut counters = Counters::new(Duration::ZERO);
        counters.flow(Duration::ZERO, [10, 100, 50, 6000, 3000]);
        let shown = counters.shown(seconds(120));
        assert_eq!(shown.totals, [1200, 12_000, 6000, 720_000, 360_000]);
        assert_eq!(shown.rates, [10, 100, 50, 6000, 3000]);
        assert_eq!(counters.shown(seconds(1_000_000)).rates, [10, 100, 50, 6000, 3000]);
        assert_eq!(counters.shown(seconds(1_000_000)).totals[0], 10_000_000);
    }

    #[test]
    fn skipped_ticks_give_what_ticks_one_by_one_give() {
        let mut at_once = Counters::new(Duration::ZERO);
        at_once.count(seconds(1), [100, 100, 100, 9999, 9999]);
        let mut often = at_once.clone();
        for second in 1..=300 {
            often.shown(seconds(second));
        }
        assert_eq!(often.shown(seconds(300)), at_once.shown(seconds(300)));
    }

    #[test]
    fn what_is_counted_while_stopped_shows_later() {
        let mut counters = Counters::new(Duration::ZERO);
        counters.flow(Duration::ZERO, [1, 0, 0, 0, 0]);
        counters.stop(seconds(5));
        assert_eq!(counters.shown(seconds(100)).totals[0], 4);
        counters.start(seconds(101));
        assert_eq!(counters.shown(seconds(101)).totals[0], 4);
        assert_eq!(counters.shown(seconds(102)).totals[0], 102);
    }

    #[test]
    fn zeroing_takes_the_last_tick_as_zero() {
        let mut counters = Counters::new(Duration::ZERO);
        counters.count(seconds(1), [5, 0, 0, 0, 0]);
        counters.shown(seconds(2));
        counters.count(seconds(3), [2, 0, 0, 0, 0]);
        counters.zero(seconds(3));
        assert_eq!(counters.shown(seconds(3)), Shown::default());
        assert_eq!(counters.shown(seconds(4)).totals[0], 2);
    }
}

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::health::rules::{DAMPED, SHORTEST};
use crate::health::{Pace, Verdict};
use crate::table::controller::after;

/// Makes a verdict of the results of one check of one target, and says when to check next.
///
/// ```
/// use std::time::Instant;
///
/// use ipvs_netlink::health::{Pace, Tracker, Verdict};
///
/// let begin = Instant::now();
/// let mut tracker = Tracker::new(Pace::new().fall(2), begin);
/// assert_eq!(tracker.record(true, begin, begin), Some(Verdict::Up));
/// let next = tracker.next();
/// assert_eq!(tracker.record(false, next, next), None);
/// // One failure: the next check comes sooner.
/// assert_eq!(tracker.next(), next + Pace::new().changing);
/// assert_eq!(tracker.record(false, next, next), Some(Verdict::Down));
/// ```
#[derive(Clone, Debug)]
pub struct Tracker {
    pace: Pace,
    verdict: Verdict,
    /// The results in a row that contradict the verdict; while it is unknown, the results in a row
    /// that were the same.
    streak: u32,
    /// The last result.
    passed: bool,
    /// The last results in a row that were the same.
    row: u32,
    /// When the verdict changed last.
    since: Option<Instant>,
    next: Instant,
    /// When the last check began.
    began: Option<Instant>,
    /// When something else said last that the target may not work.
    hastened: Option<Instant>,
    /// When the target went down, as far as that counts.
    downs: VecDeque<Instant>,
}

impl Tracker {
    /// Creates a tracker of a target of which nothing is known. The first check is due at the time
    /// `first`.
    #[must_use]
    pub const fn new(pace: Pace, first: Instant) -> Self {
        Self {
            pace,
            verdict: Verdict::Unknown,
            streak: 0,
            passed: false,
            row: 0,
            since: None,
            next: first,
            began: None,
            hastened: None,
            downs: VecDeque::new(),
        }
    }

    /// Returns the verdict.
    #[must_use]
    pub const fn verdict(&self) -> Verdict {
        self.verdict
    }

    /// Returns the pace.
    pub const fn pace(&self) -> Pace {
        self.pace
    }

    /// Returns when the next check is to begin.
    #[must_use]
    pub const fn next(&self) -> Instant {
        self.next
    }

    /// Changes the pace. The verdict and the count of results stay, and the next check is not
    /// later than the new pace asks for.
    pub fn set_pace(&mut self, pace: Pace, now: Instant) {
        self.pace = pace;
        self.next = self.next.min(after(now, self.interval()));
    }

    /// Makes the next check due at the time `now`, because something else says that the target may
    /// not work. The verdict stays.
    ///
    /// However often this is called, checks begin [`Pace::changing`] apart. A check that runs now
    /// may have begun before the sign: another one follows it.
    pub fn hasten(&mut self, now: Instant) {
        self.hastened = Some(now);
        self.next = self.next.min(self.soonest(now));
    }

    /// Returns when the next check may begin, if it is to come as soon as possible.
    fn soonest(&self, now: Instant) -> Instant {
        let changing = self.pace.changing.min(self.interval());
        self.began.map_or(now, |began| after(began, changing).max(now))
    }

    /// Notes that a check could not be done, at the time `now`: nothing is known by it.
    pub fn postpone(&mut self, now: Instant) {
        self.next = after(now, self.pace.changing.max(SHORTEST));
    }

    /// Takes in the result of the check that began at `began`, at the time `now`. Returns the
    /// verdict if it changes.
    pub fn record(&mut self, passed: bool, began: Instant, now: Instant) -> Option<Verdict> {
        let contradicts = match self.verdict {
            Verdict::Unknown => self.streak == 0 || passed == self.passed,
            Verdict::Up => !passed,
            Verdict::Down => passed,
        };
        self.streak = match (contradicts, self.verdict) {
            (true, _) => self.streak.saturating_add(1),
            (false, Verdict::Unknown) => 1,
            (false, _) => 0,
        };
        self.row = if self.passed == passed { self.row.saturating_add(1) } else { 1 };
        self.passed = passed;
        self.forget_old_downs(now);
        let changed = self.streak >= self.needed(passed, now);
        if changed {
            self.verdict = if passed { Verdict::Up } else { Verdict::Down };
            self.streak = 0;
            self.since = Some(now);
            if !passed {
                self.downs.push_back(now);
            }
        }
        self.began = Some(began);
        self.next = match self.hastened.take() {
            Some(sign) if sign > began => self.soonest(now),
            _ => after(began, self.interval()).max(now),
        };
        changed.then_some(self.verdict)
    }

    /// Returns the successes in a row that bring the target back at the time `now`.
    #[must_use]
    pub fn rise(&self, now: Instant) -> u32 {
        let rise = self.pace.rise.max(1);
        let Some(damping) = self.pace.damping else { return rise };
        let most = damping.most.clamp(*DAMPED.start(), *DAMPED.end());
        let free = usize::from(damping.free);
        let doublings = self.downs_that_count(now).saturating_sub(free).min(16);
        rise.saturating_mul(most.min(1 << doublings))
    }

    /// Returns how many times the target went down within the window of the damping.
    fn downs_that_count(&self, now: Instant) -> usize {
        let Some(damping) = self.pace.damping else { return 0 };
        let is_old = |down: &Instant| now.saturating_duration_since(*down) > damping.window;
        self.downs.len() - self.downs.iter().take_while(|down| is_old(down)).count()
    }

    fn forget_old_downs(&mut self, now: Instant) {
        // Older ones than these have no effect.
        let effective = self.pace.damping.map_or(0, |damping| usize::from(damping.free) + 17);
        let kept = self.downs_that_count(now).min(effective);
        self.downs.drain(..self.downs.len() - kept);
    }

    /// Returns the results in a row that change the verdict.
    fn needed(&self, passed: bool, now: Instant) -> u32 {
        let needed = match (self.verdict, passed) {
            (Verdict::Unknown, true) => self.pace.first_rise,
            (_, true) => self.rise(now),
            (_, false) => self.pace.fall,
        };
        needed.max(1)
    }

    /// Returns when the verdict changed last.
    pub(in crate::health) const fn since(&self) -> Option<Instant> {
        self.since
    }

    /// Returns the last result. Returns `None` if there is none.
    pub(in crate::health) const fn passed(&self) -> Option<bool> {
        if self.row == 0 { None } else { Some(self.passed) }
    }

    /// Returns how many of the last results in a row were the same.
    pub(in crate::health) const fn row(&self) -> u32 {
        self.row
    }

    /// Returns how many of the last results in a row count for the next change of the verdict, and how
    /// many change it at the time `now`.
    pub(in crate::health) fn change(&self, now: Instant) -> (u32, u32) {
        let passed = match self.verdict {
            Verdict::Unknown => self.passed().unwrap_or(true),
            Verdict::Up => false,
            Verdict::Down => true,
        };
        (self.streak, self.needed(passed, now))
    }

    /// Returns until when the target needs more successes than [`Pace::rise`] because it went down too
    /// often, if it goes down no more.
    pub(in crate::health) fn damped_until(&self, now: Instant) -> Option<Instant> {
        let damping = self.pace.damping.filter(|_| self.rise(now) > self.pace.rise.max(1))?;
        // When this one is old, so are all before it.
        let last = self.downs.len().checked_sub(usize::from(damping.free) + 1)?;
        self.downs.get(last).map(|down| after(*down, damping.window))
    }

    /// Returns the time from the start of one check to the next.
    fn interval(&self) -> Duration {
        let interval = match self.verdict {
            Verdict::Unknown => self.pace.changing,
            _ if self.streak > 0 => self.pace.changing,
            Verdict::Up => self.pace.interval,
            Verdict::Down => self.pace.down,
        };
        interval.max(SHORTEST)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::health::Damping;

    /// Records results, one each second. Returns the verdicts.
    fn verdicts(tracker: &mut Tracker, begin: Instant, results: &[bool]) -> Vec<Verdict> {
        let mut now = begin;
        let mut verdicts = Vec::new();
        for passed in results {
            tracker.record(*passed, now, now);
            verdicts.push(tracker.verdict());
            now += Duration::from_secs(1);
        }
        verdicts
    }

    #[test]
    fn results_count_in_a_row() {
        use Verdict::{Down, Unknown, Up};
        let begin = Instant::now();
        let mut tracker = Tracker::new(Pace::new(), begin);
        let results =
            [false, false, true, false, false, true, false, false, false, true, false, true, true];
        let expected = [Unknown, Unknown, Up, Up, Up, Up, Up, Up, Down, Down, Down, Down, Up];
        assert_eq!(verdicts(&mut tracker, begin, &results), expected);
    }

    #[test]
    fn the_interval_depends_on_the_verdict_and_on_doubt() {
        let begin = Instant::now();
        let seconds = |seconds| Duration::from_secs(seconds);
        let pace = Pace::new().interval(seconds(10)).changing(seconds(1)).down(seconds(30));
        let mut tracker = Tracker::new(pace, begin);
        let mut after = |passed| {
            tracker.record(passed, begin, begin);
            (tracker.next() - begin).as_secs()
        };
        let results = [true, false, true, false, false, false, false, true, true];
        assert_eq!(results.map(&mut after), [10, 1, 10, 1, 1, 30, 30, 1, 10]);
        // A check that took longer than the interval is followed at once.
        tracker.record(true, begin, begin + seconds(60));
        assert_eq!(tracker.next(), begin + seconds(60));
        tracker.record(true, begin + seconds(60), begin + seconds(61));
        tracker.hasten(begin + seconds(62));
        assert_eq!(tracker.next(), begin + seconds(62));
        assert_eq!(tracker.verdict(), Verdict::Up);
    }

    #[test]
    fn signs_from_elsewhere_bring_a_check_and_no_storm_of_checks() {
        let begin = Instant::now();
        let ms = |ms| begin + Duration::from_millis(ms);
        let mut tracker = Tracker::new(Pace::new(), begin);
        tracker.record(true, begin, begin);
        // One second after the last check at the earliest.
        (0..500).for_each(|sign| tracker.hasten(ms(sign)));
        assert_eq!(tracker.next(), ms(1000));
        tracker.record(true, ms(1000), ms(1001));
        assert_eq!(tracker.next(), ms(6000));
        tracker.hasten(ms(4000));
        assert_eq!(tracker.next(), ms(4000));
        // A sign comes while a check runs that began before.
        tracker.hasten(ms(4300));
        tracker.record(true, ms(4000), ms(4500));
        assert_eq!(tracker.next(), ms(5000));
        tracker.record(true, ms(5000), ms(5500));
        assert_eq!(tracker.next(), ms(10_000));
    }

    #[test]
    fn no_time_and_no_count_is_too_large() {
        let now = Instant::now();
        let most = Pace::new()
            .interval(Duration::MAX)
            .changing(Duration::MAX)
            .down(Duration::MAX)
            .rise(u32::MAX)
            .fall(u32::MAX)
            .first_rise(u32::MAX)
            .damping(Some(Damping::new().window(Duration::MAX).free(u16::MAX).most(u32::MAX)));
        for pace in [most, most.rise(1).fall(1).first_rise(1), most.damping(None).fall(0)] {
            let mut tracker = Tracker::new(pace, now);
            for passed in [true, false, true, false, true] {
                // The clock may jump both ways.
                tracker.record(passed, now + Duration::from_secs(9), now);
                tracker.hasten(now);
                tracker.postpone(now);
                tracker.set_pace(pace, now);
                assert!(tracker.next() >= now);
                assert!(tracker.rise(now) >= 1);
            }
        }
    }

    #[test]
    fn a_flapping_target_needs_ever_more_successes() {
        let begin = Instant::now();
        let mut tracker = Tracker::new(Pace::new().fall(1).rise(1), begin);
        tracker.record(true, begin, begin);
        let mut needed = Vec::new();
        for _ in 0..8 {
            tracker.record(false, begin, begin);
            let successes = (1..).find(|_| tracker.record(true, begin, begin).is_some());
            needed.push(successes.unwrap());
        }
        assert_eq!(needed, [1, 1, 2, 4, 8, 16, 16, 16]);
        let later = begin + Damping::new().window + Duration::from_secs(1);
        assert_eq!(tracker.rise(later), 1);
    }

    proptest! {
        /// No sequence of results changes the verdict faster than rise and fall allow, or leads to
        /// a state that later results cannot leave.
        #[test]
        fn no_sequence_is_faster_than_rise_and_fall(
            results in prop::collection::vec(any::<bool>(), 0..200),
            rise in 1..5_u32,
            fall in 1..5_u32,
            damped in any::<bool>(),
        ) {
            let pace = Pace::new().rise(rise).fall(fall);
            let pace = pace.damping(damped.then(Damping::new));
            let begin = Instant::now();
            let mut tracker = Tracker::new(pace, begin);
            let (mut row, mut last) = (0, None);
            for passed in results {
                row = if last == Some(passed) { row + 1 } else { 1 };
                last = Some(passed);
                let before = tracker.verdict();
                match tracker.record(passed, begin, begin) {
                    Some(Verdict::Up) if before == Verdict::Down => prop_assert!(row >= rise),
                    Some(Verdict::Down) => prop_assert!(row >= fall),
                    _ => {}
                }
                prop_assert!(tracker.next() >= begin);
            }
            for _ in 0..rise * 16 {
                tracker.record(true, begin, begin);
            }
            prop_assert_eq!(tracker.verdict(), Verdict::Up);
            for _ in 0..fall {
                tracker.record(false, begin, begin);
            }
            prop_assert_eq!(tracker.verdict(), Verdict::Down);
        }
    }
}

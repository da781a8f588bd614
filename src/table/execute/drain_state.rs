//! What is known of one drain: its beginning, its last readings, and whether it may end.

use std::time::{Duration, Instant};

use crate::model::{Connections, DestinationEntry, Stats};
use crate::table::options::{DrainPolicy, DrainUntil};
use crate::table::plan::total;

/// The number of readings in a row that may fail before a drain is given up.
const MISSES: u32 = 20;

/// The shortest time between two readings.
const SHORTEST: Duration = Duration::from_millis(1);

/// The drain of one destination, or of all destinations of a service that leaves as a whole.
#[derive(Clone, Debug)]
pub(crate) struct DrainState {
    policy: DrainPolicy,
    begun: Instant,
    /// The connections in the last reading.
    connections: Connections,
    /// The number of packets in both directions in the last reading.
    packets: u64,
    /// The time of the last traffic that was seen, or of the beginning.
    since: Instant,
    /// The time of the first of the last readings in a row that showed no active connection.
    inactive_since: Option<Instant>,
    /// `true` if these readings are an interval apart.
    inactive_twice: bool,
    /// `true` after the first reading.
    looked: bool,
    /// The number of readings in a row that have failed.
    misses: u32,
}

impl DrainState {
    /// Begins a drain. Its deadline and its quiet time count from `now`.
    pub(crate) const fn begin(policy: DrainPolicy, now: Instant) -> Self {
        Self {
            policy,
            begun: now,
            connections: Connections { active: 0, inactive: 0, persistent: 0 },
            packets: 0,
            since: now,
            inactive_since: None,
            inactive_twice: false,
            looked: false,
            misses: 0,
        }
    }

    /// Takes in a reading of the destination, or of all destinations of the service.
    pub(crate) fn look(&mut self, entries: &[DestinationEntry], now: Instant) {
        let connections = total(entries.iter().map(|entry| entry.connections));
        let packets = entries.iter().fold(0_u64, |sum, entry| {
            let Stats { incoming_packets, outgoing_packets, .. } = entry.stats;
            sum.wrapping_add(incoming_packets).wrapping_add(outgoing_packets)
        });
        let more = self.looked
            && (packets != self.packets || connections.inactive > self.connections.inactive);
        if connections.active > 0 || more {
            self.since = now;
        }
        let inactive = connections.active == 0;
        self.inactive_since = inactive.then(|| self.inactive_since.unwrap_or(now));
        // Readings for other reasons may follow each other at once.
        self.inactive_twice = self.inactive_since.is_some_and(|since| {
            now.saturating_duration_since(since) >= self.policy.interval.max(SHORTEST)
        });
        (self.connections, self.packets, self.looked) = (connections, packets, true);
        self.misses = 0;
    }

    /// Notes that a reading failed.
    pub(crate) const fn miss(&mut self) {
        self.misses = self.misses.saturating_add(1);
    }

    /// Notes that a reading succeeded, but did not show the destination.
    pub(crate) const fn read(&mut self) {
        self.misses = 0;
    }

    /// Returns `true` if so many readings in a row have failed that the drain is given up.
    pub(crate) const fn is_given_up(&self) -> bool {
        self.misses > MISSES
    }

    /// Returns when the drain began.
    pub(crate) const fn begun(&self) -> Instant {
        self.begun
    }

    /// Returns the connections in the last reading; none before the first reading.
    pub(crate) const fn connections(&self) -> Connections {
        self.connections
    }

    /// Returns the time without traffic.
    pub(crate) fn quiet(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.since)
    }

    /// Returns the time at which the drain ends at the latest, or `None` if it may last for ever.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.policy.deadline.and_then(|deadline| self.begun.checked_add(deadline))
    }

    /// Returns `true` if the deadline has come.
    pub(crate) fn is_due(&self, now: Instant) -> bool {
        self.deadline().is_some_and(|deadline| deadline <= now)
    }

    /// Returns `true` if the last reading shows that nothing is to be waited for. Always `false`
    /// before the first reading.
    pub(crate) fn is_met(&self, now: Instant) -> bool {
        let Connections { active, inactive, .. } = self.connections;
        if !self.looked {
            return false;
        }
        if active > 0 || inactive == 0 {
            return self.policy.until.is_met(self.connections);
        }
        match self.policy.until {
            // An inactive connection may be opening. In the next reading it is active or gone.
            DrainUntil::NoActive => self.inactive_twice,
            DrainUntil::NoTraffic => self.quiet(now) >= self.policy.quiet,
            DrainUntil::NoConnections | DrainUntil::NoClients => false,
        }
    }

    /// Returns the connections that a deletion breaks now, if some may carry data or are
    /// persistent clients that the policy waits for.
    pub(crate) fn cut(&self, now: Instant) -> Option<Connections> {
        let Connections { active, inactive, persistent, .. } = self.connections;
        let cuts = active > 0
            || (inactive > 0 && self.quiet(now) < self.policy.quiet)
            || (persistent > 0 && self.policy.until == DrainUntil::NoClients);
        cuts.then_some(self.connections)
    }

    /// Returns the end of an interval that begins now.
    pub(crate) fn after_interval(&self, now: Instant) -> Instant {
        let interval = self.policy.interval.max(SHORTEST);
        // A time that cannot be expressed is as good as a day.
        now.checked_add(interval).unwrap_or(now + Duration::from_secs(86_400))
    }

    /// Returns when to look again: after the interval, but not after the deadline. Returns `now`
    /// if the deadline has come.
    pub(crate) fn next_look(&self, now: Instant) -> Instant {
        let next = self.after_interval(now);
        self.deadline().map_or(next, |deadline| next.min(deadline.max(now)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Connections, Destination};

    const fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn entry(active: u32, inactive: u32, persistent: u32, packets: u64) -> DestinationEntry {
        let destination = Destination::masquerade("10.0.0.1:80".parse().unwrap()).weight(0);
        let connections = Connections { active, inactive, persistent };
        let stats = Stats { incoming_packets: packets, ..Stats::default() };
        DestinationEntry::new(destination, connections, stats)
    }

    fn policy(until: DrainUntil) -> DrainPolicy {
        DrainPolicy::new().until(until)
    }

    #[test]
    fn nothing_is_met_before_a_reading() {
        let now = Instant::now();
        let mut drain = DrainState::begin(policy(DrainUntil::NoActive), now);
        assert!(!drain.is_met(now) && drain.cut(now).is_none());
        drain.look(&[], now);
        assert!(drain.is_met(now));
    }

    #[test]
    fn traffic_begins_the_quiet_time_anew() {
        let begun = Instant::now();
        let mut drain = DrainState::begin(policy(DrainUntil::NoTraffic), begun);
        drain.look(&[entry(0, 2, 0, 10)], begun + seconds(4));
        assert!(!drain.is_met(begun + seconds(4)));
        assert_eq!(drain.cut(begun + seconds(4)), Some(entry(0, 2, 0, 0).connections));
        drain.look(&[entry(0, 2, 0, 11)], begun + seconds(5));
        assert_eq!(drain.quiet(begun + seconds(7)), seconds(2));
        drain.look(&[entry(0, 2, 0, 11)], begun + seconds(10));
        assert!(drain.is_met(begun + seconds(10)));
        assert_eq!(drain.cut(begun + seconds(10)), None);
        // A connection that was active and is closed now had packets.
        drain.look(&[entry(0, 3, 0, 11)], begun + seconds(11));
        assert!(!drain.is_met(begun + seconds(11)));
    }

    #[test]
    fn a_connection_that_may_be_opening_is_looked_at_twice() {
        let now = Instant::now();
        let mut drain = DrainState::begin(policy(DrainUntil::NoActive), now);
        drain.look(&[entry(0, 1, 0, 0)], now);
        assert!(!drain.is_met(now));
        // Too early for a connection that opens.
        let soon = now + Duration::from_millis(1);
        drain.look(&[entry(0, 1, 0, 0)], soon);
        assert!(!drain.is_met(soon));
        let now = now + Duration::from_millis(500);
        drain.look(&[entry(0, 1, 0, 0)], now);
        assert!(drain.is_met(now));
        drain.look(&[entry(1, 0, 0, 0)], now);
        drain.look(&[entry(0, 1, 0, 0)], now);
        assert!(!drain.is_met(now));
    }

    #[test]
    fn clients_are_waited_for_only_if_the_policy_says_so() {
        let now = Instant::now();
        for (until, waits) in [(DrainUntil::NoClients, true), (DrainUntil::NoConnections, false)] {
            let mut drain = DrainState::begin(policy(until), now);
            drain.look(&[entry(0, 0, 1, 0)], now);
            assert_eq!((drain.is_met(now), drain.cut(now).is_some()), (!waits, waits));
        }
    }

    #[test]
    fn the_last_look_is_at_the_deadline() {
        let begun = Instant::now();
        let drain = DrainState::begin(policy(DrainUntil::NoTraffic), begun);
        assert_eq!((drain.begun(), drain.deadline()), (begun, Some(begun + seconds(30))));
        assert!(!drain.is_due(begun + seconds(29)) && drain.is_due(begun + seconds(30)));
        assert_eq!(drain.next_look(begun + seconds(29)), begun + Duration::from_millis(29_500));
        let late = begun + Duration::from_millis(29_900);
        assert_eq!(drain.next_look(late), begun + seconds(30));
        assert_eq!(drain.next_look(begun + seconds(31)), begun + seconds(31));
    }

    #[test]
    fn extreme_policies_are_no_busy_loop_and_no_panic() {
        let begun = Instant::now();
        let drain = DrainState::begin(DrainPolicy::new().interval(Duration::ZERO), begun);
        assert_eq!(drain.next_look(begun), begun + Duration::from_millis(1));
        // Such a deadline never comes, and such an interval is very long.
        let policy = DrainPolicy::new().deadline(Some(Duration::MAX)).interval(Duration::MAX);
        let drain = DrainState::begin(policy, begun);
        assert_eq!(drain.deadline(), None);
        assert!(drain.next_look(begun) > begun + seconds(3600));
    }

    #[test]
    fn a_drain_is_given_up_after_many_failed_readings_in_a_row() {
        let now = Instant::now();
        let mut drain = DrainState::begin(policy(DrainUntil::NoTraffic), now);
        (0..MISSES).for_each(|_| drain.miss());
        assert!(!drain.is_given_up());
        drain.look(&[entry(1, 0, 0, 0)], now);
        (0..=MISSES).for_each(|_| drain.miss());
        assert!(drain.is_given_up());
        drain.read();
        assert!(!drain.is_given_up());
    }
}

//! Source ports whose connections the kernel has surely forgotten.
//!
//! A connection that the kernel remembers goes to the server that it began with, whatever mark a
//! packet carries. So no source port may be used again for the same addresses while the kernel may
//! remember its last connection, also if that was one of a former run of the program, of which
//! nothing is known. Therefore time alone says which ports may be used: each of them during one short
//! window in each cycle, and a cycle is long enough to forget. All runs see the same windows, and a
//! run begins with those that have not begun before.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::time::Duration;

use crate::health::through::Marks;

/// The longest time from the choice of a source port to the end of its check.
pub(crate) const LONGEST_CHECK: Duration = Duration::from_secs(60);

/// How long a port may be chosen after its window begins.
const WINDOW: Duration = Duration::from_secs(8);

/// How long the kernel remembers an established connection whose end it has not seen, because the
/// service of the mark was gone: more than the 900 s of its default.
const NEVER_CLOSED: Duration = Duration::from_secs(1000);

/// Who talks to whom. The kernel tells connections of different ends apart.
type Ends = (IpAddr, SocketAddr);

/// Chooses source ports. Times are those since the machine started.
#[derive(Debug)]
pub(crate) struct Ports {
    first: u16,
    count: u64,
    cycle: Duration,
    /// How long ports are put aside.
    aside: Duration,
    /// The windows before this one may have been used by a former run.
    start: u64,
    /// The first window that was not used.
    next: BTreeMap<Ends, u64>,
    /// Ports that must not be used before a time, whatever their windows are.
    put_aside: BTreeMap<(Ends, u16), Duration>,
}

impl Ports {
    pub(crate) fn new(marks: &Marks, now: Duration) -> Self {
        let (first, last) = RangeInclusive::into_inner(marks.source_ports.clone());
        let mut ports = Self {
            first,
            count: u64::from(last.saturating_sub(first)) + 1,
            cycle: marks.forgotten_after.saturating_add(WINDOW).saturating_add(LONGEST_CHECK),
            aside: marks.forgotten_after.max(NEVER_CLOSED),
            start: 0,
            next: BTreeMap::new(),
            put_aside: BTreeMap::new(),
        };
        ports.start = ports.window(now) + 1;
        ports
    }

    /// Returns the last window that has begun.
    fn window(&self, now: Duration) -> u64 {
        let windows = now.as_nanos() * u128::from(self.count) / self.cycle.as_nanos().max(1);
        u64::try_from(windows).unwrap_or(u64::MAX)
    }

    /// Returns the first window that is still open.
    fn oldest(&self, now: Duration) -> u64 {
        now.checked_sub(WINDOW).map_or(0, |before| self.window(before) + 1)
    }

    /// Chooses a port. Returns `None` if there is none now.
    pub(crate) fn choose(
        &mut self,
        source: IpAddr,
        target: SocketAddr,
        now: Duration,
    ) -> Option<u16> {
        let ends = (source, target);
        let (oldest, newest) = (self.oldest(now), self.window(now));
        let mut window = self.next.get(&ends).copied().unwrap_or(self.start).max(oldest);
        let chosen = loop {
            if window > newest {
                break None;
            }
            // Less than the number of ports, which is at most 65,535.
            let offset = u16::try_from(window % self.count).unwrap_or_default();
            let port = self.first.saturating_add(offset);
            window += 1;
            if self.put_aside.get(&(ends, port)).is_none_or(|until| *until <= now) {
                break Some(port);
            }
        };
        self.next.insert(ends, window);
        chosen
    }

    /// Puts a port aside whose connection the kernel may remember for long.
    pub(crate) fn put_aside(
        &mut self,
        source: IpAddr,
        target: SocketAddr,
        port: u16,
        now: Duration,
    ) {
        self.put_aside.insert(((source, target), port), now.saturating_add(self.aside));
    }

    /// Forgets what has no effect any more.
    pub(crate) fn forget_old(&mut self, now: Duration) {
        let oldest = self.oldest(now).max(self.start);
        self.next.retain(|_, next| *next > oldest);
        self.put_aside.retain(|_, until| *until > now);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;
    use crate::health::through::MarkRange;

    fn marks() -> Marks {
        Marks::new(MarkRange::new(1..=9).unwrap(), &std::iter::empty().collect()).unwrap()
    }

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    const SOURCE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 1));

    fn target(port: u16) -> SocketAddr {
        ([192, 0, 2, 10], port).into()
    }

    #[test]
    fn ports_are_bounded_by_time() {
        let mut ports = Ports::new(&marks(), seconds(5000));
        assert_eq!(ports.choose(SOURCE, target(80), seconds(5000)), None);
        let mut count =
            |at| (0..).find(|_| ports.choose(SOURCE, target(80), at).is_none()).unwrap();
        // 4536 ports in 188 s.
        let a_second = count(seconds(5001));
        assert!((23..=25).contains(&a_second), "{a_second}");
        let window = count(seconds(6000));
        assert!((192..=194).contains(&window), "no more than a window is saved up: {window}");
        assert_eq!(count(seconds(6000)), 0);
        // Others have all of them.
        assert!(ports.choose(SOURCE, target(81), seconds(6000)).is_some());
    }

    #[test]
    fn a_port_that_is_put_aside_is_left_out_for_a_long_time() {
        let one = marks().source_ports(7..=7).unwrap().forgotten_after(seconds(2));
        let mut ports = Ports::new(&one, seconds(0));
        // It can be chosen for 8 s in 70 s.
        let mut at = seconds(140);
        assert_eq!(ports.choose(SOURCE, target(80), at), Some(7));
        ports.put_aside(SOURCE, target(80), 7, at);
        let mut next = || loop {
            at += seconds(1);
            ports.forget_old(at);
            if ports.choose(SOURCE, target(80), at).is_some() {
                break at;
            }
        };
        assert_eq!([next(), next()], [1190, 1260].map(seconds));
        // A program whose kernel remembers longer says so.
        let mut ports = Ports::new(&one.forgotten_after(seconds(7200)), seconds(0));
        ports.put_aside(SOURCE, target(80), 7, seconds(10));
        ports.forget_old(seconds(7209));
        assert_eq!(ports.put_aside.len(), 1);
    }

    #[test]
    fn what_has_no_effect_is_forgotten() {
        let mut ports = Ports::new(&marks(), seconds(0));
        for port in 1..100 {
            ports.choose(SOURCE, target(port), seconds(10)).unwrap();
        }
        ports.forget_old(seconds(10));
        assert!(ports.next.len() == 99);
        ports.forget_old(seconds(30));
        assert!(ports.next.is_empty());
    }

    proptest! {
        /// Over any number of runs, no port comes back before the kernel has forgotten it.
        #[test]
        fn no_port_comes_back_too_soon(
            count in 1_u16..40,
            life in 1_u64..50,
            steps in prop::collection::vec((0_u64..3000, 0_u8..8), 1..600),
        ) {
            let marks = marks().source_ports(100..=100 + count).unwrap();
            let marks = marks.forgotten_after(seconds(life));
            let mut now = seconds(1000);
            let mut ports = Ports::new(&marks, now);
            let mut ended: HashMap<u16, Duration> = HashMap::new();
            for (milliseconds, what) in steps {
                now += Duration::from_millis(milliseconds);
                match what {
                    // The program starts again.
                    0 => ports = Ports::new(&marks, now),
                    1 => ports.forget_old(now),
                    _ => if let Some(port) = ports.choose(SOURCE, target(80), now) {
                        let forgotten = ended.get(&port).is_none_or(|end| *end + seconds(life) <= now);
                        prop_assert!(forgotten, "{port}");
                        ended.insert(port, now + LONGEST_CHECK);
                    }
                }
            }
        }
    }
}

use std::time::{Duration, Instant};

use crate::growth::STEP;
use crate::model::Snapshot;

/// Says when the connections may be read: at most every so many seconds, and not if there are too many.
///
/// The kernel's work for a reading grows with the square of the number of connections: see
/// [`ConnectionReader`](crate::procfs::ConnectionReader). So a program asks before each reading.
///
/// ```
/// use std::time::{Duration, Instant};
/// use ipvs_netlink::Snapshot;
/// use ipvs_netlink::health::passive::ReadingSchedule;
///
/// let now = Instant::now();
/// let mut schedule = ReadingSchedule::new().interval(Duration::from_secs(20));
/// assert_eq!(schedule.next(), None, "the first reading may be now");
/// assert!(schedule.may_read_connections(&Snapshot::default(), now));
/// assert_eq!(schedule.next(), Some(now + Duration::from_secs(20)));
/// assert!(!schedule.may_read_connections(&Snapshot::default(), now + Duration::from_secs(19)));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadingSchedule {
    interval: Duration,
    most_connections: u64,
    last: Option<Instant>,
}

impl ReadingSchedule {
    /// The time between two readings by default.
    pub const INTERVAL: Duration = Duration::from_secs(10);
    /// The shortest time between two readings: two steps of the kernel's counters.
    pub const SHORTEST_INTERVAL: Duration = STEP.saturating_mul(2);
    /// The most connections by default. Reading so many takes some 0.2 s of processor time.
    pub const MOST_CONNECTIONS: u64 = 50_000;

    /// Creates a schedule of a reading each [`INTERVAL`](Self::INTERVAL), of at most
    /// [`MOST_CONNECTIONS`](Self::MOST_CONNECTIONS).
    #[must_use]
    pub const fn new() -> Self {
        let (interval, most_connections) = (Self::INTERVAL, Self::MOST_CONNECTIONS);
        Self { interval, most_connections, last: None }
    }

    /// Sets the time between two readings; at least [`SHORTEST_INTERVAL`](Self::SHORTEST_INTERVAL).
    #[must_use]
    pub fn interval(mut self, interval: Duration) -> Self {
        self.interval = interval.max(Self::SHORTEST_INTERVAL);
        self
    }

    /// Sets the number of connections above which they are not read. 0 means that they are never read.
    #[must_use]
    pub const fn most_connections(mut self, connections: u64) -> Self {
        self.most_connections = connections;
        self
    }

    /// Returns the time of the next reading; `None` if it may be now.
    #[must_use]
    pub fn next(&self) -> Option<Instant> {
        self.last.and_then(|last| last.checked_add(self.interval))
    }

    /// Says whether to read the connections now, and notes the time. `table` is read just before.
    ///
    /// The number of connections is estimated from the destinations: those that are active, inactive and
    /// templates. Connections of other network namespaces and of deleted destinations are not in it, though
    /// the kernel walks through them, too.
    pub fn may_read_connections(&mut self, table: &Snapshot, now: Instant) -> bool {
        if self.next().is_some_and(|next| now < next) {
            return false;
        }
        self.last = Some(now);
        self.most_connections > 0 && estimate(table) <= self.most_connections
    }
}

impl Default for ReadingSchedule {
    fn default() -> Self {
        Self::new()
    }
}

/// Returns how many rows the connections of a table have.
fn estimate(table: &Snapshot) -> u64 {
    let destinations = table.services().flat_map(|service| &service.destinations);
    let connections = destinations.map(|destination| destination.connections);
    connections
        .flat_map(|it| [it.active, it.inactive, it.persistent])
        .fold(0, |sum, count| sum.saturating_add(count.into()))
}

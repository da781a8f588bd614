use std::time::Duration;

use crate::growth::Counted;

/// The time between two moments at which the kernel brings a counter up to date: two seconds.
///
/// Source: `ip_vs_est.c`.
pub const STEP: Duration = Duration::from_secs(2);

/// Traffic per second.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct PerSecond {
    /// Scheduled connections per second.
    pub connections: f64,
    /// Packets from clients per second.
    pub incoming_packets: f64,
    /// Packets to clients per second.
    pub outgoing_packets: f64,
    /// Bytes from clients per second.
    pub incoming_bytes: f64,
    /// Bytes to clients per second.
    pub outgoing_bytes: f64,
}

impl PerSecond {
    #[allow(clippy::cast_precision_loss, reason = "a rate is no exact number")]
    fn new(growth: &Counted, time: Duration) -> Self {
        let seconds = time.as_secs_f64();
        let rate = |counted: u64| counted as f64 / seconds;
        Self {
            connections: rate(growth.connections),
            incoming_packets: rate(growth.incoming_packets),
            outgoing_packets: rate(growth.outgoing_packets),
            incoming_bytes: rate(growth.incoming_bytes),
            outgoing_bytes: rate(growth.outgoing_bytes),
        }
    }
}

/// How fast traffic was between two readings.
///
/// The counters of each reading are up to one [`STEP`] old, so the traffic is that of a time between a step
/// less and a step more than the interval. If the traffic was steady, its rate is between the bounds, unless
/// the kernel was late to bring the counters up to date.
///
/// For an object that is new in the later reading, the time before its beginning counts too. Its rate since
/// then may be above `most`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct RateBounds {
    /// The growth divided by the interval and one step more.
    pub least: PerSecond,
    /// The growth divided by the interval.
    pub mean: PerSecond,
    /// The growth divided by the interval less one step, but at least by one step: growth is the traffic of
    /// whole steps.
    pub most: PerSecond,
}

impl RateBounds {
    /// Returns `None` for an interval shorter than a step, which holds the traffic of one step or none.
    pub(super) fn new(growth: &Counted, interval: Duration) -> Option<Self> {
        let shortest = interval.checked_sub(STEP)?.max(STEP);
        Some(Self {
            least: PerSecond::new(growth, interval.saturating_add(STEP)),
            mean: PerSecond::new(growth, interval),
            most: PerSecond::new(growth, shortest),
        })
    }
}

//! The longest times that a pace implies.

use std::time::Duration;

use ipvs_netlink::health::Pace;

/// The time from a fault to the verdict. `answer` is how long a check of the faulty server takes.
pub(crate) fn to_down(pace: Pace, answer: Duration) -> Duration {
    pace.interval + pace.changing.max(answer) * (pace.fall - 1) + answer
}

/// The time from the recovery to the verdict, if no damping adds to it. `last` is how long the last
/// check of the faulty server takes.
pub(crate) fn to_up(pace: Pace, last: Duration) -> Duration {
    pace.down.max(last) + pace.changing * (pace.rise - 1)
}

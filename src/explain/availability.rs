use std::fmt;

use crate::model::{Connections, Destination, Thresholds};

/// Whether a scheduler takes a destination for a new connection.
///
/// A destination is overloaded from the moment when its connections, active and inactive, reach
/// the upper threshold. This ends when they fall below the lower threshold, or below three
/// quarters of the upper one if the lower one is 0. The kernel does not show whether a
/// destination in between is overloaded.
///
/// The kernel notices only when the destination gets or loses a connection, and when the upper
/// threshold is raised or removed. So the answer can be wrong until the next connection if
/// thresholds were changed since, or if the destination was deleted and added again while it had
/// connections. Source: `ip_vs_conn.c:ip_vs_bind_dest`,
/// `ip_vs_unbind_dest`, `ip_vs_ctl.c:__ip_vs_update_dest`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Availability {
    /// The destination has a weight and is not overloaded.
    Available,
    /// The weight is 0: no new connections.
    Quiesced,
    /// The connections have reached the upper threshold.
    Overloaded,
    /// The connections are between the thresholds: the destination is overloaded if they have
    /// reached the upper one before.
    Unknown,
}

impl Availability {
    /// Returns the availability of a destination by what the kernel shows.
    #[must_use]
    pub fn of(destination: &Destination, connections: Connections) -> Self {
        // The kernel stores weights as signed numbers.
        if destination.weight == 0 || i32::try_from(destination.weight).is_err() {
            return Self::Quiesced;
        }
        let Thresholds { upper, lower } = destination.thresholds;
        let total = connections.active.wrapping_add(connections.inactive);
        let released = match lower {
            0 => total.wrapping_mul(4) < upper.wrapping_mul(3),
            _ => total < lower,
        };
        match upper {
            0 => Self::Available,
            _ if total >= upper => Self::Overloaded,
            _ if released => Self::Available,
            _ => Self::Unknown,
        }
    }
}

impl fmt::Display for Availability {
    /// A few words: `available`, `weight 0`, `overloaded`, `perhaps overloaded`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Available => "available",
            Self::Quiesced => "weight 0",
            Self::Overloaded => "overloaded",
            Self::Unknown => "perhaps overloaded",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(weight: u32, (upper, lower): (u32, u32), (active, inactive): (u32, u32)) -> Availability {
        let server = Destination::masquerade("10.0.0.2:80".parse().unwrap());
        let server = server.weight(weight).thresholds(upper, lower);
        Availability::of(&server, Connections { active, inactive, ..Connections::default() })
    }

    #[test]
    fn thresholds_count_active_and_inactive_connections() {
        use Availability::{Available, Overloaded, Quiesced, Unknown};
        assert_eq!(of(0, (0, 0), (0, 0)), Quiesced);
        assert_eq!(of(u32::MAX, (0, 0), (0, 0)), Quiesced);
        assert_eq!(of(1, (0, 0), (9000, 0)), Available);
        assert_eq!(of(1, (10, 0), (5, 5)), Overloaded);
        assert_eq!(of(1, (10, 0), (5, 3)), Unknown);
        assert_eq!(of(1, (10, 0), (5, 2)), Available);
        assert_eq!(of(1, (10, 3), (3, 0)), Unknown);
        assert_eq!(of(1, (10, 3), (1, 1)), Available);
        assert_eq!(of(0, (10, 3), (20, 0)), Quiesced);
        assert_eq!(of(1, (u32::MAX, u32::MAX), (u32::MAX, u32::MAX)), Available);
    }
}

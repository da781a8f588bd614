//! One moment of both clocks: the one that never goes back, and that of the wall.

use std::time::{Duration, Instant, SystemTime};

use jiff::Timestamp;

/// One moment of both clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// The clock for what is due.
    pub instant: Instant,
    /// The clock for people and for the state file.
    pub wall: SystemTime,
}

impl Moment {
    /// Reads both clocks.
    #[must_use]
    pub fn now() -> Self {
        Self { instant: Instant::now(), wall: SystemTime::now() }
    }

    /// Returns the moment so much later, or `None` if no clock can show it.
    #[must_use]
    pub fn after(self, time: Duration) -> Option<Self> {
        let instant = self.instant.checked_add(time)?;
        let wall = self.wall.checked_add(time)?;
        Timestamp::try_from(wall).ok()?;
        Some(Self { instant, wall })
    }

    /// Returns when `wall` comes by the other clock: now if it is over.
    #[must_use]
    pub fn instant_of(self, wall: SystemTime) -> Option<Instant> {
        self.instant.checked_add(wall.duration_since(self.wall).unwrap_or_default())
    }
}

/// Writes a time of the wall's clock as `2026-11-28T15:03:04.123Z`.
#[must_use]
pub fn text(time: SystemTime) -> String {
    let timestamp = Timestamp::try_from(time).unwrap_or_default();
    format!("{timestamp:.3}")
}

/// Reads and writes a time as [`text`], for serde.
pub mod serde_text {
    use std::time::SystemTime;

    use jiff::Timestamp;
    use serde::{Deserialize, Deserializer, Serializer};

    /// Writes a time.
    ///
    /// # Errors
    ///
    /// Those of the serializer.
    pub fn serialize<S: Serializer>(time: &SystemTime, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&super::text(*time))
    }

    /// Reads a time.
    ///
    /// # Errors
    ///
    /// The text is no time.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SystemTime, D::Error> {
        Timestamp::deserialize(deserializer).map(SystemTime::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_written_in_milliseconds() {
        let time = SystemTime::UNIX_EPOCH + Duration::from_millis(1_795_000_000_123);
        assert_eq!(text(time), "2026-11-18T11:06:40.123Z");
    }

    #[test]
    fn what_no_clock_can_show_is_refused() {
        let now = Moment::now();
        assert_eq!(now.after(Duration::MAX), None);
        assert_eq!(now.after(Duration::from_secs(u64::from(u32::MAX) * 1000)), None);
        let later = now.after(Duration::from_secs(9)).unwrap();
        assert_eq!(now.instant_of(later.wall), Some(later.instant));
        assert_eq!(later.instant_of(now.wall), Some(later.instant));
    }
}

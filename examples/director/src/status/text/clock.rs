//! Times for people.

use std::time::SystemTime;

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// The clock by which people read times.
#[derive(Clone, Debug)]
pub struct Clock {
    /// Now, to tell times of today from others.
    pub now: SystemTime,
    /// Where the people are.
    pub zone: TimeZone,
}

impl Clock {
    /// Returns the clock of this host.
    #[must_use]
    pub fn here() -> Self {
        Self { now: SystemTime::now(), zone: TimeZone::system() }
    }

    /// Returns a time of today as `12:03:04`, another one as `2026-11-27 12:03:04`. Full minutes
    /// have no seconds.
    #[must_use]
    pub fn text(&self, time: SystemTime) -> String {
        let zoned = |time: SystemTime| {
            Timestamp::try_from(time).unwrap_or_default().to_zoned(self.zone.clone())
        };
        let (time, now) = (zoned(time), zoned(self.now));
        let is_today = time.date() == now.date();
        let clock = if time.second() == 0 { "%H:%M" } else { "%H:%M:%S" };
        let date = if is_today { "" } else { "%Y-%m-%d " };
        time.strftime(&format!("{date}{clock}")).to_string()
    }

    /// Returns a text of the daemon with the times in it, such as `2026-11-28T12:03:04.000Z`, as
    /// [`text`](Self::text).
    #[must_use]
    pub fn localized(&self, text: &str) -> String {
        let word = |word: &str| {
            let stamp = word.trim_end_matches([' ', ',', ';', ':', '.', ')']);
            let time = stamp.ends_with('Z').then(|| stamp.parse::<Timestamp>().ok()).flatten();
            time.map_or_else(
                || word.to_owned(),
                |time| word.replace(stamp, &self.text(time.into())),
            )
        };
        text.split_inclusive(' ').map(word).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::example::at;

    #[test]
    fn texts_of_the_daemon_have_the_times_of_people() {
        let zone = TimeZone::fixed(jiff::tz::offset(1));
        let there = Clock { now: at(12, 30, 0), zone };
        let stays = "the configuration of 2026-11-28T12:03:04.000Z stays: Z is no key, at 9Z";
        let expected = "the configuration of 13:03:04 stays: Z is no key, at 9Z";
        assert_eq!(there.localized(stays), expected);
        let until = "until 2026-11-29T14:00:00.000Z, by bob";
        assert_eq!(there.localized(until), "until 2026-11-29 15:00, by bob");
    }

    #[test]
    fn times_of_today_have_no_date() {
        let utc = Clock { now: at(12, 30, 0), zone: TimeZone::UTC };
        assert_eq!(utc.text(at(12, 3, 4)), "12:03:04");
        assert_eq!(utc.text(at(14, 0, 0)), "14:00");
        assert_eq!(utc.text(at(24, 0, 1)), "2026-11-29 00:00:01");
        // Half past midnight of the next day, where it is thirteen hours later.
        let zone = TimeZone::fixed(jiff::tz::offset(13));
        let there = Clock { now: at(12, 30, 0), zone };
        assert_eq!(there.text(at(12, 3, 4)), "01:03:04");
        assert_eq!(there.text(at(10, 0, 0)), "2026-11-28 23:00");
    }
}

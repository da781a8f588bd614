use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Writes a time of day, such as `12:03:04`; with the date if it is not within 20 hours of `now`.
#[must_use]
pub fn time_of_day(at: SystemTime, now: SystemTime, zone: &TimeZone) -> String {
    let Ok(stamp) = Timestamp::try_from(at) else { return "?".to_owned() };
    let distance = match (now.duration_since(at), at.duration_since(now)) {
        (Ok(passed), _) => passed,
        (_, Ok(left)) => left,
        _ => Duration::ZERO,
    };
    let recent = distance < Duration::from_secs(20 * 3600);
    let format = if recent { "%H:%M:%S" } else { "%Y-%m-%d %H:%M" };
    stamp.to_zoned(zone.clone()).strftime(format).to_string()
}

/// Writes a length of time in one or two units, such as `40 s`, `3 min 5 s` or `2 h 10 min`.
#[must_use]
pub fn length(time: Duration) -> String {
    let seconds = time.as_secs();
    let (minutes, hours) = (seconds / 60, seconds / 3600);
    match () {
        () if seconds < 60 => format!("{seconds} s"),
        () if minutes < 60 => format!("{minutes} min {} s", seconds % 60),
        () if hours < 48 => format!("{hours} h {} min", minutes % 60),
        () => format!("{} d {} h", hours / 24, hours % 24),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_have_two_units() {
        for (seconds, text) in [
            (0, "0 s"),
            (59, "59 s"),
            (185, "3 min 5 s"),
            (7800, "2 h 10 min"),
            (200_000, "2 d 7 h"),
        ] {
            assert_eq!(length(Duration::from_secs(seconds)), text);
        }
    }

    #[test]
    fn a_time_long_ago_has_a_date() {
        let at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_867_384);
        assert_eq!(time_of_day(at, at, &TimeZone::UTC), "12:03:04");
        let later = at + Duration::from_secs(86_400);
        assert_eq!(time_of_day(at, later, &TimeZone::UTC), "2026-11-28 12:03");
        assert_eq!(time_of_day(later, at, &TimeZone::UTC), "2026-11-29 12:03");
    }
}

use std::time::Duration;

use serde::ser::Serializer;

use crate::model::{InvalidValue, seconds};
use crate::table::document::written::{Refused, Written};

/// The units with their lengths in seconds, the longest first.
const UNITS: [(char, u64); 4] = [('d', 86_400), ('h', 3_600), ('m', 60), ('s', 1)];

/// A duration of whole seconds: `90s`, `5m`, `1h30m`, or the number of seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seconds(pub(super) u64);

impl Seconds {
    /// Converts `duration`. Returns an error if it has a fraction of a second.
    pub(super) fn whole(field: &'static str, duration: Duration) -> Result<Self, InvalidValue> {
        if duration.subsec_nanos() != 0 {
            let value = seconds::shown(duration);
            return Err(InvalidValue::new(field, value, "must be whole seconds"));
        }
        Ok(Self(duration.as_secs()))
    }

    pub(super) const fn duration(self) -> Duration {
        Duration::from_secs(self.0)
    }

    /// Parses text such as `1h30m`. Each unit may occur once, and longer units come first.
    pub(super) fn parse(mut text: &str) -> Option<Self> {
        let mut units = UNITS.iter();
        let mut sum = 0_u64;
        loop {
            let end = text.find(|c: char| !c.is_ascii_digit())?;
            let (number, rest) = text.split_at_checked(end)?;
            let mut rest = rest.chars();
            let name = rest.next()?;
            let (_, seconds) = units.by_ref().find(|(unit, _)| *unit == name)?;
            sum = sum.checked_add(number.parse::<u64>().ok()?.checked_mul(*seconds)?)?;
            text = rest.as_str();
            if text.is_empty() {
                return Some(Self(sum));
            }
        }
    }

    fn text(self) -> String {
        if self.0 == 0 {
            return "0s".to_owned();
        }
        let mut rest = self.0;
        let mut text = String::new();
        for (unit, seconds) in UNITS {
            if rest >= seconds {
                text += &format!("{}{unit}", rest / seconds);
                rest %= seconds;
            }
        }
        text
    }
}

/// Reads a duration with a unit, down to milliseconds: `500ms`, `90s`, `1h30m`.
pub(crate) fn parse(text: &str) -> Option<Duration> {
    match text.strip_suffix("ms") {
        Some(number) if number.bytes().all(|byte| byte.is_ascii_digit()) => {
            number.parse().ok().map(Duration::from_millis)
        }
        _ => Seconds::parse(text).map(Seconds::duration),
    }
}

/// Writes a duration as [`parse`] reads it, or `None` if it has a fraction of a millisecond.
pub(crate) fn text(duration: Duration) -> Option<String> {
    let millis = duration.subsec_millis();
    match duration.subsec_nanos() {
        0 => Some(Seconds(duration.as_secs()).text()),
        nanos if nanos == millis * 1_000_000 => Some(format!("{}ms", duration.as_millis())),
        _ => None,
    }
}

impl Written for Seconds {
    const EXPECTED: &'static str = "timeout, a duration like \"5m\" or a whole number of seconds";

    fn of_text(text: &str) -> Result<Self, Refused> {
        let rule = "must be like 90s, 5m, 1h30m or 1d, or a whole number of seconds";
        Ok(Self::parse(text)
            .ok_or_else(|| InvalidValue::new("timeout", format!("{text:?}"), rule))?)
    }

    fn of_number(number: i128) -> Result<Self, Refused> {
        number.try_into().map(Self).map_err(|_| Refused::Value)
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text())
    }
}

#[cfg(test)]
mod tests {
    use super::Seconds;

    #[test]
    fn text_round_trips() {
        for (seconds, text) in [
            (0, "0s"),
            (59, "59s"),
            (300, "5m"),
            (5_400, "1h30m"),
            (86_400, "1d"),
            (2_147_483, "24d20h31m23s"),
            (u64::MAX, "213503982334601d7h15s"),
        ] {
            assert_eq!(Seconds(seconds).text(), text);
            assert_eq!(Seconds::parse(text), Some(Seconds(seconds)));
        }
        assert_eq!(Seconds::parse("300s"), Some(Seconds(300)));
        assert_eq!(Seconds::parse("0h90m"), Some(Seconds(5_400)));
    }

    #[test]
    fn odd_text_is_refused() {
        for text in [
            "",
            "5",
            "m",
            "5m ",
            "5 m",
            "-5m",
            "+5m",
            "1.5h",
            "5M",
            "5min",
            "5ms",
            "1s1m",
            "1m1m",
            "5\u{b5}",
            "18446744073709551616s",
            "18446744073709551615m",
        ] {
            assert_eq!(Seconds::parse(text), None, "{text}");
        }
    }
}

use std::fmt;

use crate::model::SettingValue;

/// The values of a setting that have a meaning.
///
/// `Display` prints them for people: `0 or 1`, `-20 to 19`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SettingRange {
    /// 0 for off, 1 for on.
    Switch,
    /// Whole numbers.
    #[non_exhaustive]
    Numbers {
        /// The least one.
        least: i64,
        /// The greatest one.
        most: i64,
    },
    /// A power of two.
    #[non_exhaustive]
    PowerOfTwo {
        /// The greatest one.
        most: i64,
    },
    /// Two numbers of `sync_threshold`, 0 to 2147483647: the first is less than the second, or the
    /// second is 0.
    Threshold,
    /// A list of processors, such as `0-3,8`; empty for none.
    Processors,
}

impl SettingRange {
    pub(super) const fn numbers(least: i64, most: i64) -> Self {
        Self::Numbers { least, most }
    }

    /// Returns `true` if the value is in the range.
    #[must_use]
    pub fn contains(self, value: &SettingValue) -> bool {
        match (self, value) {
            (Self::Switch, SettingValue::Number(number)) => matches!(number, 0 | 1),
            (Self::Numbers { least, most }, SettingValue::Number(number)) => {
                (least..=most).contains(number)
            }
            (Self::PowerOfTwo { most }, SettingValue::Number(number)) => {
                (1..=most).contains(number) && number.count_ones() == 1
            }
            (Self::Threshold, SettingValue::Pair(threshold, period)) => {
                let numbers = 0..=i64::from(i32::MAX);
                numbers.contains(threshold)
                    && numbers.contains(period)
                    && (*period == 0 || threshold < period)
            }
            // One processor reads as a number.
            (Self::Processors, SettingValue::Number(number)) => *number >= 0,
            (Self::Processors, SettingValue::Text(text)) => {
                let plain = |byte: u8| byte.is_ascii_digit() || b",-:/N".contains(&byte);
                text == "all" || (text.len() <= super::value::LONGEST && text.bytes().all(plain))
            }
            _ => false,
        }
    }
}

impl fmt::Display for SettingRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Switch => f.write_str("0 or 1"),
            Self::Numbers { least, most } => write!(f, "{least} to {most}"),
            Self::PowerOfTwo { most } => write!(f, "a power of two, 1 to {most}"),
            Self::Threshold => f.write_str(
                "two numbers of 0 to 2147483647, the first less than the second or the second 0",
            ),
            Self::Processors => f.write_str("a list of processors like \"0-3,8\", or empty"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::SettingRange as Range;
    use crate::model::SettingValue;

    #[test]
    fn each_range_has_its_ends() {
        let cases: [(Range, &[&str], &[&str]); 5] = [
            (Range::Switch, &["0", "1"], &["2", "-1", "0 1", "on", ""]),
            (Range::numbers(-20, 19), &["-20", "19", "0"], &["-21", "20", "0 0", "x"]),
            (
                Range::PowerOfTwo { most: 64 },
                &["1", "2", "64"],
                &["0", "3", "128", "-2", "-9223372036854775808"],
            ),
            (
                Range::Threshold,
                &["3 50", "0 0", "3 0", "2147483646 2147483647"],
                &["50 3", "3 3", "-1 50", "3 -1", "3 2147483648", "3", "a b"],
            ),
            (
                Range::Processors,
                &["", "0", "0-3", "0-3,8", "0,1-N:1/2", "all"],
                &["-1", "any", "0\n1", "0 1", "\u{202e}", "0;x"],
            ),
        ];
        for (range, inside, outside) in cases {
            for text in inside {
                assert!(range.contains(&SettingValue::parse(text)), "{range}: {text:?}");
            }
            for text in outside {
                assert!(!range.contains(&SettingValue::parse(text)), "{range}: {text:?}");
            }
        }
        assert!(!Range::Processors.contains(&SettingValue::Text("0".repeat(256))));
    }
}

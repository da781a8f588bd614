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
            (Self::Processors, value) => processors(value).is_some(),
            _ => false,
        }
    }
}

/// Returns the processors of a list as ranges without gaps between them, in their order. `None` if
/// the value is no list of numbers and ranges.
pub(super) fn processors(value: &SettingValue) -> Option<Vec<(u32, u32)>> {
    let text = match value {
        // One processor reads as a number.
        SettingValue::Number(number) => number.to_string(),
        SettingValue::Text(text) if text.len() <= super::value::LONGEST => text.clone(),
        SettingValue::Text(_) | SettingValue::Pair(..) => return None,
    };
    if text.is_empty() {
        return Some(Vec::new());
    }
    let number = |text: &str| match text.bytes().all(|byte| byte.is_ascii_digit()) {
        true => text.parse::<u32>().ok(),
        false => None,
    };
    let range = |item: &str| {
        let (first, last) = item.split_once('-').unwrap_or((item, item));
        let (first, last) = (number(first)?, number(last)?);
        (first <= last).then_some((first, last))
    };
    let mut ranges = text.split(',').map(range).collect::<Option<Vec<_>>>()?;
    ranges.sort_unstable();
    let mut merged: Vec<(u32, u32)> = Vec::with_capacity(ranges.len());
    for (first, last) in ranges {
        match merged.last_mut() {
            Some(before) if first <= before.1.saturating_add(1) => before.1 = before.1.max(last),
            _ => merged.push((first, last)),
        }
    }
    Some(merged)
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
                &["", "0", "0-3", "0-3,8", "8,0-3,2"],
                &[
                    "-1",
                    "any",
                    "all",
                    "0-N",
                    "0-3:1/2",
                    "0\n1",
                    "0 1",
                    "\u{202e}",
                    "0;x",
                    "3-0",
                    ",",
                    "0,",
                    "0--3",
                    "+1",
                    "4294967296",
                ],
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

    #[test]
    fn lists_of_the_same_processors_are_the_same() {
        let list = |text: &str| super::processors(&SettingValue::parse(text)).unwrap();
        assert_eq!(list("8,0-1,2,2,1-3"), [(0, 3), (8, 8)]);
        assert_eq!(list("0,1"), list("0-1"));
        assert_eq!(list("4294967295,0"), [(0, 0), (u32::MAX, u32::MAX)]);
        assert_eq!(list(""), []);
    }
}

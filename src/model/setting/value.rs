use std::fmt;

/// The longest text of a value, in bytes.
pub(super) const LONGEST: usize = 255;

/// The value of a [`Setting`](crate::Setting).
///
/// Most values are numbers. A switch is the number 0 or 1; the kernel takes any other number for 1.
/// `Display` prints the text that the kernel reads.
///
/// ```
/// use ipvs_netlink::SettingValue;
///
/// assert_eq!(SettingValue::from(true), SettingValue::Number(1));
/// assert_eq!(SettingValue::parse("3\t50\n"), SettingValue::Pair(3, 50));
/// assert_eq!(SettingValue::parse("0-3,8").to_string(), "0-3,8");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum SettingValue {
    /// A whole number.
    Number(i64),
    /// Two whole numbers, as of `sync_threshold`.
    Pair(i64, i64),
    /// Another text, such as a list of processors.
    Text(String),
}

impl SettingValue {
    /// Reads the text of a file of the kernel: one number, two numbers, or else the text without
    /// white space at its ends. Only decimal digits count as a number.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let text = text.trim_ascii();
        let mut words = text.split_ascii_whitespace().map(number);
        match (words.next(), words.next(), words.next()) {
            (Some(Some(only)), None, None) => Self::Number(only),
            (Some(Some(first)), Some(Some(second)), None) => Self::Pair(first, second),
            _ => Self::Text(text.to_owned()),
        }
    }

    /// Returns the number, or `None` for other values.
    #[must_use]
    pub const fn as_number(&self) -> Option<i64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Pair(..) | Self::Text(_) => None,
        }
    }

    /// Returns whether a switch is on, or `None` for values other than numbers.
    #[must_use]
    pub const fn is_on(&self) -> Option<bool> {
        match self.as_number() {
            Some(number) => Some(number != 0),
            None => None,
        }
    }

    /// Returns the value for messages: text is quoted and escaped.
    pub(crate) fn shown(&self) -> String {
        match self {
            Self::Text(text) if text.len() > LONGEST => format!("of {} bytes", text.len()),
            Self::Text(text) => format!("{text:?}"),
            other => other.to_string(),
        }
    }
}

/// Parses a number as the kernel prints it.
fn number(word: &str) -> Option<i64> {
    let digits = word.strip_prefix('-').unwrap_or(word);
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    // The kernel reads 010 as 8.
    let octal = digits.len() > 1 && digits.starts_with('0');
    if plain && !octal { word.parse().ok() } else { None }
}

impl fmt::Display for SettingValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Pair(first, second) => write!(f, "{first} {second}"),
            Self::Text(text) => text.fmt(f),
        }
    }
}

impl From<i64> for SettingValue {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

impl From<bool> for SettingValue {
    /// 1 for on, 0 for off.
    fn from(on: bool) -> Self {
        Self::Number(on.into())
    }
}

impl From<(i64, i64)> for SettingValue {
    fn from((first, second): (i64, i64)) -> Self {
        Self::Pair(first, second)
    }
}

impl From<&str> for SettingValue {
    /// As [`SettingValue::parse`] reads it.
    fn from(text: &str) -> Self {
        Self::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::SettingValue::{self, Number, Pair, Text};

    #[test]
    fn text_of_the_kernel_is_a_number_a_pair_or_text() {
        for (text, expected) in [
            ("10\n", Number(10)),
            ("-20\n", Number(-20)),
            ("9223372036854775807", Number(i64::MAX)),
            ("-9223372036854775808", Number(i64::MIN)),
            ("3\t50\n", Pair(3, 50)),
            (" 3 0 ", Pair(3, 0)),
            ("", Text(String::new())),
            ("\n", Text(String::new())),
            ("0-1\n", Text("0-1".into())),
        ] {
            assert_eq!(SettingValue::parse(text), expected, "{text:?}");
        }
        for odd in ["010", "0x10", "+1", "1 2 3", "-", "1_0", "18446744073709551615", "a", "3,50"] {
            assert_eq!(SettingValue::parse(odd), Text(odd.into()));
        }
    }

    proptest! {
        #[test]
        fn a_value_comes_back_from_its_text(text in ".{0,40}", first: i64, second: i64) {
            for value in [Number(first), Pair(first, second), SettingValue::parse(&text)] {
                prop_assert_eq!(SettingValue::parse(&value.to_string()), value);
            }
        }
    }
}

//! Numbers in a few columns.

/// What stands for a number that nobody knows.
pub(crate) const UNKNOWN: &str = "-";

const SUFFIXES: [&str; 6] = ["k", "M", "G", "T", "P", "E"];

/// Writes a count in at most five columns: `0` to `99999`, then `123k`, `1.2M` and so on, by powers of
/// 1000, rounded down.
#[must_use]
pub(crate) fn count(number: u64) -> String {
    if number < 100_000 {
        return number.to_string();
    }
    let (mut whole, mut rest) = (number, 0);
    let mut suffix = "";
    for next in SUFFIXES {
        if whole < 1000 {
            break;
        }
        (whole, rest, suffix) = (whole / 1000, whole % 1000, next);
    }
    match whole {
        0..10 => format!("{whole}.{}{suffix}", rest / 100),
        _ => format!("{whole}{suffix}"),
    }
}

/// Writes a rate in at most five columns: `0`, `0.3`, `12`, `1.2k` and so on.
#[must_use]
pub(crate) fn rate(number: f64) -> String {
    if !number.is_finite() || number < 0.0 {
        return UNKNOWN.to_owned();
    }
    if number == 0.0 {
        return "0".to_owned();
    }
    if number < 9.95 {
        return format!("{number:.1}");
    }
    if number < 999.5 {
        return format!("{number:.0}");
    }
    let (mut value, mut suffix) = (number, "");
    for next in SUFFIXES {
        if value < 999.5 {
            break;
        }
        (value, suffix) = (value / 1000.0, next);
    }
    if value < 9.95 { format!("{value:.1}{suffix}") } else { format!("{value:.0}{suffix}") }
}

/// Writes a rate that may be unknown.
#[must_use]
pub(crate) fn maybe_rate(number: Option<f64>) -> String {
    number.map_or_else(|| UNKNOWN.to_owned(), rate)
}

/// Writes a number of things in full, such as `1 service` and `2 services`.
#[must_use]
pub(crate) fn counted(number: impl Into<u64>, thing: &str) -> String {
    match number.into() {
        1 => format!("1 {thing}"),
        number => format!("{number} {thing}s"),
    }
}

/// Writes a share in percent, in at most four columns.
#[must_use]
pub(crate) fn percent(share: Option<f64>) -> String {
    share.map_or_else(|| UNKNOWN.to_owned(), |share| format!("{:.0}%", share * 100.0))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_as_people_read_them() {
        for (number, text) in [
            (0, "0"),
            (99_999, "99999"),
            (100_000, "100k"),
            (999_999, "999k"),
            (1_250_000, "1.2M"),
            (12_500_000, "12M"),
            (u64::MAX, "18E"),
        ] {
            assert_eq!(count(number), text);
        }
        for (number, text) in [
            (0.0, "0"),
            (0.04, "0.0"),
            (0.25, "0.2"),
            (9.96, "10"),
            (123.4, "123"),
            (999.6, "1.0k"),
            (12_345.0, "12k"),
            (1.5e9, "1.5G"),
            (f64::NAN, "-"),
        ] {
            assert_eq!(rate(number), text);
        }
        assert_eq!(percent(Some(0.333)), "33%");
        assert_eq!(percent(None), "-");
    }

    proptest! {
        #[test]
        fn no_number_is_wider_than_five_columns(number: u64, fraction in 0.0..1e18_f64) {
            prop_assert!(count(number).len() <= 5);
            prop_assert!(rate(fraction).len() <= 5);
        }
    }
}

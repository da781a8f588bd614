use std::fmt;
use std::ops::RangeInclusive;

use crate::model::InvalidValue;

/// The status codes with which a check passes: ranges, or 200 to 299 if there are none.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Statuses(Vec<(u16, u16)>);

const DEFAULT: &[(u16, u16)] = &[(200, 299)];

impl Statuses {
    pub(super) fn add(&mut self, range: &RangeInclusive<u16>) -> Result<(), InvalidValue> {
        let (first, last) = (*range.start(), *range.end());
        if !(100..=999).contains(&first) || !(first..=999).contains(&last) {
            let rule = "must be codes from 100 to 999, the lower one first";
            return Err(InvalidValue::new("status", format!("{first}-{last}"), rule));
        }
        self.0.push((first, last));
        Ok(())
    }

    fn ranges(&self) -> &[(u16, u16)] {
        if self.0.is_empty() { DEFAULT } else { &self.0 }
    }

    pub(super) fn contain(&self, code: u16) -> bool {
        self.ranges().iter().any(|(first, last)| (*first..=*last).contains(&code))
    }
}

impl fmt::Display for Statuses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (first, last)) in self.ranges().iter().enumerate() {
            f.write_str(if at == 0 { "" } else { ", " })?;
            match first == last {
                true => write!(f, "{first}")?,
                false => write!(f, "{first}-{last}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_replace_the_default_together() {
        let mut statuses = Statuses::default();
        assert!(statuses.contain(204) && !statuses.contain(301));
        statuses.add(&(301..=302)).unwrap();
        statuses.add(&(404..=404)).unwrap();
        assert!(statuses.contain(302) && statuses.contain(404) && !statuses.contain(200));
        assert_eq!(statuses.to_string(), "301-302, 404");
    }

    #[test]
    #[expect(clippy::reversed_empty_ranges, reason = "the refused ones")]
    fn odd_ranges_are_refused() {
        for range in [99..=200, 200..=1000, 300..=200] {
            assert!(Statuses::default().add(&range).is_err());
        }
    }
}

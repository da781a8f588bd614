use std::fmt;

use crate::model::MAX_WEIGHT;

/// The part of its weight that a destination is to have, in percent: 0 to 65535, 100 by default.
///
/// A check may say it, such as an agent that answers `75%`. Shares of several checks multiply.
/// Weights are whole numbers: give destinations weights such as 100 if checks say shares.
///
/// ```
/// use ipvs_netlink::health::Share;
///
/// assert_eq!(Share::percent(75).of(4), 3);
/// // A share above zero leaves at least the weight 1.
/// assert_eq!(Share::percent(10).of(1), 1);
/// assert_eq!(Share::percent(0).of(100), 0);
/// assert_eq!((Share::percent(50) * Share::percent(50)).of(100), 25);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Share(u16);

impl Share {
    /// The whole weight.
    pub const FULL: Self = Self(100);

    /// Creates a share of so many percent.
    #[must_use]
    pub const fn percent(percent: u16) -> Self {
        Self(percent)
    }

    /// Returns the share in percent.
    #[must_use]
    pub const fn as_percent(self) -> u16 {
        self.0
    }

    /// Returns this share of a weight, rounded to the nearest, at least 1 if neither is 0, and at
    /// most 2147483647.
    #[must_use]
    pub fn of(self, weight: u32) -> u32 {
        if self.0 == 0 || weight == 0 {
            return 0;
        }
        let part = (u64::from(weight) * u64::from(self.0) + 50) / 100;
        u32::try_from(part).unwrap_or(u32::MAX).clamp(1, MAX_WEIGHT)
    }
}

impl Default for Share {
    fn default() -> Self {
        Self::FULL
    }
}

impl std::ops::Mul for Share {
    type Output = Self;

    /// Multiplies two shares. The product of shares above 0 is at least 1 percent.
    fn mul(self, other: Self) -> Self {
        let part = (u32::from(self.0) * u32::from(other.0) + 50) / 100;
        let least = u32::from(self.0 != 0 && other.0 != 0);
        Self(u16::try_from(part.max(least)).unwrap_or(u16::MAX))
    }
}

impl fmt::Display for Share {
    /// Prints the percentage, such as `75%`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_do_not_overflow() {
        let most = Share::percent(u16::MAX);
        assert_eq!(most * most, most);
        assert_eq!(most.of(u32::MAX), 0x7fff_ffff);
        assert_eq!((Share::percent(1) * Share::percent(1)).as_percent(), 1);
        assert_eq!((Share::percent(0) * most).as_percent(), 0);
    }
}

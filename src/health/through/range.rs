use std::ops::RangeInclusive;

use crate::model::{InvalidValue, ServiceId};
use crate::table::Scope;

/// The firewall marks that belong to checks through virtual addresses, and to nothing else.
///
/// ```
/// use ipvs_netlink::health::through::MarkRange;
/// use ipvs_netlink::table::Scope;
/// use ipvs_netlink::{AddressFamily, ServiceId};
///
/// let marks = MarkRange::new(0x4000..=0x4fff)?;
/// assert!(marks.contains(ServiceId::fwmark(0x4001, AddressFamily::Ipv6)));
/// // A list or a plan that leaves the services of checks out.
/// let others = Scope::new().everything().except(marks.scope());
/// # Ok::<(), ipvs_netlink::InvalidValue>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MarkRange {
    first: u32,
    last: u32,
}

impl MarkRange {
    /// Creates a range. There is no default, because firewall rules, routing rules and other programs
    /// of a host may use any mark. Packets of checks carry the mark as a whole, without a mask.
    ///
    /// A pair of a service and a destination that is checked through the virtual address takes one
    /// mark. Give twice as many marks as pairs: when a service is watched anew with other
    /// destinations, the marks of the former ones are free only after their services have left the
    /// table.
    ///
    /// # Errors
    ///
    /// The range is empty or contains 0, which is no mark.
    pub fn new(marks: RangeInclusive<u32>) -> Result<Self, InvalidValue> {
        let (first, last) = marks.into_inner();
        if first == 0 || last < first {
            let rule = "must have a mark, and not 0";
            return Err(InvalidValue::new("range of marks", format!("{first}-{last}"), rule));
        }
        Ok(Self { first, last })
    }

    /// Returns the marks.
    #[must_use]
    pub const fn marks(&self) -> RangeInclusive<u32> {
        self.first..=self.last
    }

    /// Returns `true` if the service is that of a mark in the range, in any family.
    #[must_use]
    pub fn contains(&self, id: ServiceId) -> bool {
        matches!(id, ServiceId::Fwmark { mark, .. } if self.marks().contains(&mark))
    }

    /// Returns the scope of the services of these marks, for
    /// [`Scope::except`] and [`Scope::only`].
    pub fn scope(&self) -> Scope {
        Scope::new().marks(self.marks())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::AddressFamily;

    #[test]
    fn a_range_has_marks_and_only_marks() {
        let range = MarkRange::new(7..=8).unwrap();
        let contains = |mark| range.contains(ServiceId::fwmark(mark, AddressFamily::Ipv4));
        assert_eq!([6, 7, 8, 9].map(contains), [false, true, true, false]);
        assert!(!range.contains(ServiceId::tcp(([192, 0, 2, 10], 7).into())));
        assert!(range.scope().names(ServiceId::fwmark(7, AddressFamily::Ipv6)));
        assert_eq!(MarkRange::new(0..=8).unwrap_err().field(), "range of marks");
        #[allow(clippy::reversed_empty_ranges, reason = "that is the case")]
        let reversed = 8..=7;
        assert!(MarkRange::new(reversed).is_err());
        assert!(MarkRange::new(1..=u32::MAX).is_ok());
    }
}

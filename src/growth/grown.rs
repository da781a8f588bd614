use std::fmt;

use crate::growth::Counted;
use crate::model::Stats;

/// What became of the counters of a service or a destination between two readings.
///
/// All numbers are of the counters in the later reading. What was counted between the earlier reading and
/// a reset is lost, because no reading shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Grown {
    /// The counters went on from their former values. If they were reset unnoticed, the growth is too small.
    Continued {
        /// What was counted between the readings.
        growth: Counted,
    },
    /// The object was not in the earlier reading, and its counters began at 0 after it.
    Started {
        /// What was counted since.
        counted: Counted,
    },
    /// The counters were set to 0 between the readings: somebody zeroed them, or the object was deleted
    /// and made again.
    Reset {
        /// What was counted since the last reset.
        counted: Counted,
    },
    /// The counters may have begun at 0 between the readings, or may have gone on from an older value.
    /// The documentation of the [module](super) says when that is so.
    Uncertain {
        /// What was counted between the readings at least. It is 0 if the former value is not known.
        least: Counted,
        /// What was counted between the readings at most.
        most: Counted,
    },
    /// The object is not in the later reading, which is [complete]. What it counted after the earlier one
    /// is lost.
    ///
    /// [complete]: crate::Snapshot::is_complete
    Ended,
    /// The object is not in the later reading, which is not complete: the object has ended, or the reading
    /// has left it out.
    Unread,
}

/// Whether no object can be missing in the readings.
#[derive(Clone, Copy, Debug)]
pub(super) struct Complete {
    pub(super) before: bool,
    pub(super) after: bool,
}

impl Grown {
    /// Returns what was certainly counted between the readings. It is 0 for an object that is not in the
    /// later reading.
    #[must_use]
    pub fn least(&self) -> Counted {
        match *self {
            Self::Continued { growth: least }
            | Self::Started { counted: least }
            | Self::Reset { counted: least }
            | Self::Uncertain { least, .. } => least,
            Self::Ended | Self::Unread => Counted::default(),
        }
    }

    /// Returns the growth if the counters were seen to go on or to begin, and `None` for the others, whose
    /// growth is not known.
    #[must_use]
    pub const fn known(&self) -> Option<Counted> {
        match *self {
            Self::Continued { growth: known } | Self::Started { counted: known } => Some(known),
            Self::Reset { .. } | Self::Uncertain { .. } | Self::Ended | Self::Unread => None,
        }
    }

    /// Judges the counters of a service.
    pub(super) fn of_service(
        before: Option<&Stats>,
        after: Option<&Stats>,
        complete: Complete,
    ) -> Self {
        match (before, after) {
            (Some(before), Some(after)) => Self::of_both(before, after),
            (None, Some(after)) if complete.before => Self::Started { counted: Counted::of(after) },
            (None, Some(after)) => Self::at_most(after),
            (_, None) => Self::missing(complete),
        }
    }

    /// Judges the counters of a destination of a service that was judged to have `service`.
    pub(super) fn of_destination(
        before: Option<&Stats>,
        after: Option<&Stats>,
        service: &Self,
        complete: Complete,
    ) -> Self {
        match (before, after) {
            (Some(before), Some(after)) => match (Self::of_both(before, after), service) {
                // Zeroing a service zeroes its destinations, but not those in the trash.
                (Self::Continued { growth }, Self::Reset { .. }) => {
                    Self::Uncertain { least: growth, most: Counted::of(after) }
                }
                (grown, _) => grown,
            },
            (None, Some(after)) => match service {
                // Source: `ip_vs_ctl.c:__ip_vs_update_dest`, which zeroes what comes from another service.
                Self::Started { .. } => Self::Started { counted: Counted::of(after) },
                _ => Self::at_most(after),
            },
            (_, None) => Self::missing(complete),
        }
    }

    fn of_both(before: &Stats, after: &Stats) -> Self {
        match after.since(before) {
            Ok(growth) => Self::Continued { growth: Counted::of(&growth) },
            Err(reset) => Self::Reset { counted: Counted::of(&reset.counted) },
        }
    }

    const fn missing(complete: Complete) -> Self {
        if complete.after { Self::Ended } else { Self::Unread }
    }

    fn at_most(after: &Stats) -> Self {
        Self::Uncertain { least: Counted::default(), most: Counted::of(after) }
    }
}

impl fmt::Display for Grown {
    /// A few words without numbers, such as `counters were reset`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Continued { .. } => "counters went on",
            Self::Started { .. } => "counters began at 0",
            Self::Reset { .. } => "counters were reset",
            Self::Uncertain { .. } => "counters began at 0 or went on from an unknown value",
            Self::Ended => "no longer there",
            Self::Unread => "not read, perhaps no longer there",
        })
    }
}

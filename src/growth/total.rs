use crate::growth::{Counted, Grown};

/// The growth of several services or destinations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Total {
    /// The sum of [`Grown::least`]: what was certainly counted.
    pub growth: Counted,
    /// The number of objects whose growth is known: [`Grown::Continued`] and [`Grown::Started`].
    pub known: usize,
    /// The number of objects whose counters were reset.
    pub reset: usize,
    /// The number of objects of which nobody can say from where they counted.
    pub uncertain: usize,
    /// The number of objects that are no longer there.
    pub ended: usize,
    /// The number of objects that the later reading may have left out: [`Grown::Unread`].
    pub unread: usize,
}

impl Total {
    /// Returns `true` if the growth of every object is known. Otherwise more may have been counted.
    #[must_use]
    pub const fn is_exact(&self) -> bool {
        self.reset == 0 && self.uncertain == 0 && self.ended == 0 && self.unread == 0
    }
}

impl FromIterator<Grown> for Total {
    fn from_iter<I: IntoIterator<Item = Grown>>(all: I) -> Self {
        all.into_iter().fold(Self::default(), |mut total, grown| {
            let number = match grown {
                Grown::Continued { .. } | Grown::Started { .. } => &mut total.known,
                Grown::Reset { .. } => &mut total.reset,
                Grown::Uncertain { .. } => &mut total.uncertain,
                Grown::Ended => &mut total.ended,
                Grown::Unread => &mut total.unread,
            };
            *number += 1;
            total.growth = [total.growth, grown.least()].into_iter().sum();
            total
        })
    }
}

use std::ops::Range;
use std::{fmt, slice};

use crate::error::{Certainty, Error, ErrorKind};

/// The outcome of one change.
///
/// The enum is exhaustive, so a `match` on it needs no wildcard. A program's tests create outcomes
/// with errors of [`Error::for_test`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "the change may have failed"]
pub enum Outcome {
    /// The kernel has done the change.
    ///
    /// If the answers to updates, timeouts or a flush were lost in an overflow, the client read
    /// the table again and found it as the change asks.
    Done,
    /// The kernel refused the change. Nothing has changed.
    Refused(Error),
    /// The change was sent, but the answer was lost. The kernel may have done the change.
    Unknown(Error),
    /// The change was not sent. Nothing has changed.
    NotSent(Error),
}

impl Outcome {
    /// Makes the outcome of a change that failed with `error`.
    pub(crate) fn failed(error: Error) -> Self {
        match error.certainty() {
            Some(Certainty::NotSent) => Self::NotSent(error),
            Some(Certainty::Refused) => Self::Refused(error),
            Some(Certainty::Unknown) | None => Self::Unknown(error),
        }
    }

    /// Returns `true` if the kernel has done the change.
    #[must_use]
    pub const fn is_done(&self) -> bool {
        matches!(self, Self::Done)
    }

    /// Returns the error, or `None` if the change is done.
    #[must_use]
    pub const fn error(&self) -> Option<&Error> {
        match self {
            Self::Done => None,
            Self::Refused(error) | Self::Unknown(error) | Self::NotSent(error) => Some(error),
        }
    }

    /// Converts the outcome to a result.
    ///
    /// # Errors
    ///
    /// The error of every outcome except [`Outcome::Done`].
    pub fn into_result(self) -> Result<(), Error> {
        match self {
            Self::Done => Ok(()),
            Self::Refused(error) | Self::Unknown(error) | Self::NotSent(error) => Err(error),
        }
    }
}

impl fmt::Display for Outcome {
    /// Prints `done`, or `refused`, `unknown` or `not sent` with the error.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done => f.write_str("done"),
            Self::Refused(error) => write!(f, "refused: {error}"),
            Self::Unknown(error) => write!(f, "unknown: {error}"),
            Self::NotSent(error) => write!(f, "not sent: {error}"),
        }
    }
}

/// The outcomes of many changes, one for each change, in the order of the changes.
///
/// Only failures take memory.
///
/// A program's tests collect a report from outcomes:
///
/// ```
/// use ipvs_netlink::{Outcome, Report};
///
/// let report: Report = [Outcome::Done, Outcome::Done].into_iter().collect();
/// assert!(report.is_done());
/// assert_eq!(report.to_string(), "2 done");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "changes may have failed"]
pub struct Report {
    count: usize,
    /// The outcomes of the changes that are not done, by index, in order.
    failures: Vec<(usize, Outcome)>,
}

impl Report {
    /// Adds the outcome of the next change.
    pub(crate) fn push(&mut self, outcome: Outcome) {
        if !outcome.is_done() {
            self.failures.push((self.count, outcome));
        }
        self.count += 1;
    }

    /// Adds `count` changes that are done.
    pub(crate) fn push_done(&mut self, count: usize) {
        self.count += count;
    }

    /// Returns the number of changes.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.count
    }

    /// Returns `true` if there were no changes.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Returns `true` if every change is done.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.failures.is_empty()
    }

    /// Returns the outcome of the change at `index`, or `None` if there is no such change.
    #[must_use]
    pub fn outcome(&self, index: usize) -> Option<&Outcome> {
        let found = self.failures.binary_search_by_key(&index, |(index, _)| *index);
        match found {
            Ok(at) => self.failures.get(at).map(|(_, outcome)| outcome),
            Err(_) => (index < self.count).then_some(&Outcome::Done),
        }
    }

    /// Iterates over all outcomes, in the order of the changes.
    #[must_use]
    pub fn outcomes(&self) -> Outcomes<'_> {
        Outcomes { left: 0..self.count, failures: self.failures.iter() }
    }

    /// Iterates over the changes that are not done, in order.
    ///
    /// ```
    /// use ipvs_netlink::{Change, Report};
    ///
    /// fn print(changes: &[Change], report: &Report) {
    ///     for failed in report.failures() {
    ///         println!("{}: {}", changes[failed.index], failed.outcome);
    ///     }
    /// }
    /// ```
    #[must_use]
    pub fn failures(&self) -> Failures<'_> {
        Failures(self.failures.iter())
    }

    /// Returns `Ok` if every change is done.
    ///
    /// # Errors
    ///
    /// The first error that is not [`NotAttempted`](ErrorKind::NotAttempted): changes are not
    /// attempted because of another one, whose error says more. [`submit`](crate::Client::submit)
    /// attempts the changes after a refused one.
    pub fn into_result(self) -> Result<(), Error> {
        let is_cause = |(_, outcome): &(usize, Outcome)| {
            outcome.error().is_some_and(|error| error.kind() != ErrorKind::NotAttempted)
        };
        let first = self.failures.iter().position(is_cause).unwrap_or_default();
        self.failures.into_iter().nth(first).map_or(Ok(()), |(_, outcome)| outcome.into_result())
    }
}

impl Extend<Outcome> for Report {
    /// Adds the outcomes of further changes.
    fn extend<I: IntoIterator<Item = Outcome>>(&mut self, outcomes: I) {
        outcomes.into_iter().for_each(|outcome| self.push(outcome));
    }
}

impl FromIterator<Outcome> for Report {
    fn from_iter<I: IntoIterator<Item = Outcome>>(outcomes: I) -> Self {
        let mut report = Self::default();
        report.extend(outcomes);
        report
    }
}

impl fmt::Display for Report {
    /// Prints the number of changes by outcome: `61 done, 2 refused, 1 not sent`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} done", self.count - self.failures.len())?;
        let count = |is: fn(&Outcome) -> bool| {
            self.failures.iter().filter(|(_, outcome)| is(outcome)).count()
        };
        let others = [
            (count(|outcome| matches!(outcome, Outcome::Refused(_))), "refused"),
            (count(|outcome| matches!(outcome, Outcome::Unknown(_))), "unknown"),
            (count(|outcome| matches!(outcome, Outcome::NotSent(_))), "not sent"),
        ];
        for (count, what) in others.into_iter().filter(|(count, _)| *count > 0) {
            write!(f, ", {count} {what}")?;
        }
        Ok(())
    }
}

/// A change that is not done. See [`Report::failures`].
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Failed<'r> {
    /// The index of the change among those that were submitted.
    pub index: usize,
    /// The outcome of the change, never [`Outcome::Done`].
    pub outcome: &'r Outcome,
}

/// Iterates over the changes that are not done. See [`Report::failures`].
#[derive(Clone, Debug)]
pub struct Failures<'r>(slice::Iter<'r, (usize, Outcome)>);

impl<'r> Iterator for Failures<'r> {
    type Item = Failed<'r>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next().map(|(index, outcome)| Failed { index: *index, outcome })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl ExactSizeIterator for Failures<'_> {}

/// Iterates over the outcomes of all changes. See [`Report::outcomes`].
#[derive(Clone, Debug)]
pub struct Outcomes<'r> {
    left: Range<usize>,
    failures: slice::Iter<'r, (usize, Outcome)>,
}

impl<'r> Iterator for Outcomes<'r> {
    type Item = &'r Outcome;

    fn next(&mut self) -> Option<Self::Item> {
        let index = self.left.next()?;
        match self.failures.as_slice().first() {
            Some((at, outcome)) if *at == index => {
                self.failures.next();
                Some(outcome)
            }
            _ => Some(&Outcome::Done),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.left.size_hint()
    }
}

impl ExactSizeIterator for Outcomes<'_> {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Context;
    use crate::model::Operation;

    fn refused() -> Outcome {
        let context = Context::new(Operation::Flush);
        Outcome::failed(Error::known(context, ErrorKind::Other, Certainty::Refused))
    }

    #[test]
    fn the_error_is_the_one_that_kept_the_others_from_being_sent() {
        let error = |kind| Error::known(Context::new(Operation::Flush), kind, Certainty::NotSent);
        let mut report = Report::default();
        for kind in [ErrorKind::NotAttempted, ErrorKind::InvalidValue, ErrorKind::NotAttempted] {
            report.push(Outcome::failed(error(kind)));
        }
        assert_eq!(report.into_result().unwrap_err().kind(), ErrorKind::InvalidValue);
    }

    #[test]
    fn a_test_makes_reports() {
        let error = Error::for_test(ErrorKind::NoSuchService, Operation::DeleteService);
        let report: Report = [Outcome::Done, Outcome::Refused(error.clone())].into_iter().collect();
        assert_eq!(report.outcome(1), Some(&Outcome::Refused(error.clone())));
        assert_eq!(report.clone().into_result(), Err(error));
        assert_ne!(report, Report::default());
        #[cfg(feature = "serde")]
        {
            let form = serde_json::to_value(&report).unwrap();
            assert_eq!(form["count"], 2);
            assert_eq!(form["failures"][0]["index"], 1);
            assert_eq!(form["failures"][0]["outcome"], "refused");
            assert_eq!(form["failures"][0]["error"]["kind"], "no-such-service");
            let done = serde_json::to_value(Outcome::Done).unwrap();
            assert_eq!(done, serde_json::json!({"outcome": "done", "error": null}));
        }
    }

    #[test]
    fn there_is_one_outcome_for_each_change_in_order() {
        let outcomes = [Outcome::Done, Outcome::Done, refused(), Outcome::Done, refused()];
        let report: Report = outcomes.into_iter().collect();
        let done: Vec<_> = report.outcomes().map(Outcome::is_done).collect();
        assert_eq!(done, [true, true, false, true, false]);
        assert_eq!(report.outcomes().len(), 5);
        for (index, expected) in done.into_iter().enumerate() {
            assert_eq!(report.outcome(index).unwrap().is_done(), expected);
        }
        assert!(report.outcome(5).is_none());
        assert_eq!(report.failures().map(|failed| failed.index).collect::<Vec<_>>(), [2, 4]);
        assert_eq!(report.to_string(), "3 done, 2 refused");
        assert_eq!(report.outcome(0).unwrap().to_string(), "done");
        let text = report.outcome(2).unwrap().to_string();
        assert!(text.starts_with("refused: flush"), "{text}");
        assert!(!report.is_done() && report.into_result().is_err());
        assert!(Report::default().is_empty() && Report::default().into_result().is_ok());
    }
}

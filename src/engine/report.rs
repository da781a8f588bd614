use std::{fmt, slice};

use crate::error::{Certainty, Error, ErrorKind};

/// What became of a change.
///
/// The enum is exhaustive, so that a `match` on it needs no wildcard.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "the change may have failed"]
pub enum Outcome {
    /// The kernel has done it.
    ///
    /// Where the answers to updates, timeouts or a flush were lost in an overflow, the
    /// table was read again and is as the change asks.
    Done,
    /// The kernel refused it: nothing has changed.
    Refused(Error),
    /// It was sent, and whether it was done is not known: the answer was lost.
    Unknown(Error),
    /// It was not sent: nothing has changed.
    NotSent(Error),
}

impl Outcome {
    /// The outcome of a change that failed, by its error.
    pub(crate) fn failed(error: Error) -> Self {
        match error.certainty() {
            Some(Certainty::NotSent) => Self::NotSent(error),
            Some(Certainty::Refused) => Self::Refused(error),
            Some(Certainty::Unknown) | None => Self::Unknown(error),
        }
    }

    /// Whether the kernel has done it.
    #[must_use]
    pub const fn is_done(&self) -> bool {
        matches!(self, Self::Done)
    }

    /// Why it is not known to have been done.
    #[must_use]
    pub const fn error(&self) -> Option<&Error> {
        match self {
            Self::Done => None,
            Self::Refused(error) | Self::Unknown(error) | Self::NotSent(error) => Some(error),
        }
    }

    /// The outcome as a result.
    ///
    /// # Errors
    ///
    /// The error of an outcome other than [`Outcome::Done`].
    pub fn into_result(self) -> Result<(), Error> {
        match self {
            Self::Done => Ok(()),
            Self::Refused(error) | Self::Unknown(error) | Self::NotSent(error) => Err(error),
        }
    }
}

impl fmt::Display for Outcome {
    /// `done`, or what became of it and why.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done => f.write_str("done"),
            Self::Refused(error) => write!(f, "refused: {error}"),
            Self::Unknown(error) => write!(f, "unknown: {error}"),
            Self::NotSent(error) => write!(f, "not sent: {error}"),
        }
    }
}

/// What became of many changes: one outcome for each, in their order.
///
/// It takes memory only for those that failed.
///
/// Tests `collect` a report from [`Outcome`]s, with errors of
/// [`Error::for_test`](crate::Error::for_test).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "changes may have failed"]
pub struct Report {
    count: usize,
    /// Those that are not done, by position, in order.
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

    /// How many changes there were.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.count
    }

    /// Whether there were none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Whether every change is done.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.failures.is_empty()
    }

    /// The outcome of the change at `index`, if there were that many.
    #[must_use]
    pub fn outcome(&self, index: usize) -> Option<&Outcome> {
        let found = self.failures.binary_search_by_key(&index, |(index, _)| *index);
        match found {
            Ok(at) => self.failures.get(at).map(|(_, outcome)| outcome),
            Err(_) => (index < self.count).then_some(&Outcome::Done),
        }
    }

    /// Every outcome, in the order of the changes.
    pub fn outcomes(&self) -> impl ExactSizeIterator<Item = &Outcome> {
        Outcomes { left: 0..self.count, failures: self.failures.iter() }
    }

    /// The changes that are not done, by their position, with their outcomes.
    pub fn failures(&self) -> impl ExactSizeIterator<Item = (usize, &Outcome)> {
        self.failures.iter().map(|(index, outcome)| (*index, outcome))
    }

    /// Success if every change is done.
    ///
    /// # Errors
    ///
    /// The first error; where a change was [not
    /// attempted](crate::ErrorKind::NotAttempted) because of another one, that one's. What
    /// came after a change that was refused has been attempted all the same.
    pub fn into_result(self) -> Result<(), Error> {
        let is_cause = |(_, outcome): &(usize, Outcome)| {
            outcome.error().is_some_and(|error| error.kind() != ErrorKind::NotAttempted)
        };
        let first = self.failures.iter().position(is_cause).unwrap_or_default();
        self.failures.into_iter().nth(first).map_or(Ok(()), |(_, outcome)| outcome.into_result())
    }
}

impl FromIterator<Outcome> for Report {
    fn from_iter<I: IntoIterator<Item = Outcome>>(outcomes: I) -> Self {
        let mut report = Self::default();
        outcomes.into_iter().for_each(|outcome| report.push(outcome));
        report
    }
}

/// As a mapping with the keys `outcome`, which is `done`, `refused`, `unknown` or `not-sent`,
/// and `error`.
#[cfg(feature = "serde")]
#[cfg_attr(docsrs, doc(cfg(feature = "serde")))]
impl serde::Serialize for Outcome {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Failure { index: None, outcome: self }.serialize(serializer)
    }
}

/// As a mapping with the keys `count`, the number of changes, and `failures`, the list of
/// outcomes that are not `done`, each with the `index` of its change.
#[cfg(feature = "serde")]
#[cfg_attr(docsrs, doc(cfg(feature = "serde")))]
impl serde::Serialize for Report {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;
        let failure = |(index, outcome)| Failure { index: Some(index), outcome };
        let failures: Vec<Failure<'_>> = self.failures().map(failure).collect();
        let mut mapping = serializer.serialize_struct("Report", 2)?;
        mapping.serialize_field("count", &self.count)?;
        mapping.serialize_field("failures", &failures)?;
        mapping.end()
    }
}

#[cfg(feature = "serde")]
struct Failure<'r> {
    index: Option<usize>,
    outcome: &'r Outcome,
}

#[cfg(feature = "serde")]
impl serde::Serialize for Failure<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;
        let length = if self.index.is_some() { 3 } else { 2 };
        let mut mapping = serializer.serialize_struct("Outcome", length)?;
        if let Some(index) = self.index {
            mapping.serialize_field("index", &index)?;
        }
        let name = match self.outcome {
            Outcome::Done => "done",
            Outcome::Refused(_) => "refused",
            Outcome::Unknown(_) => "unknown",
            Outcome::NotSent(_) => "not-sent",
        };
        mapping.serialize_field("outcome", name)?;
        mapping.serialize_field("error", &self.outcome.error())?;
        mapping.end()
    }
}

impl fmt::Display for Report {
    /// `61 done, 2 refused, 1 not sent`.
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

struct Outcomes<'r> {
    left: std::ops::Range<usize>,
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
        let mut report = Report::default();
        report.push(Outcome::Done);
        report.push(Outcome::Done);
        report.push(refused());
        report.push(Outcome::Done);
        report.push(refused());
        let done: Vec<_> = report.outcomes().map(Outcome::is_done).collect();
        assert_eq!(done, [true, true, false, true, false]);
        assert_eq!(report.outcomes().len(), 5);
        for (index, expected) in done.into_iter().enumerate() {
            assert_eq!(report.outcome(index).unwrap().is_done(), expected);
        }
        assert!(report.outcome(5).is_none());
        assert_eq!(report.failures().map(|(index, _)| index).collect::<Vec<_>>(), [2, 4]);
        assert_eq!(report.to_string(), "3 done, 2 refused");
        assert_eq!(report.outcome(0).unwrap().to_string(), "done");
        let text = report.outcome(2).unwrap().to_string();
        assert!(text.starts_with("refused: flush"), "{text}");
        assert!(!report.is_done() && report.into_result().is_err());
        assert!(Report::default().is_empty() && Report::default().into_result().is_ok());
    }
}

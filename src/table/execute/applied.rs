use std::fmt;

use crate::error::{Certainty, Error};
use crate::model::{Change, Connections};
use crate::table::execute::incomplete::Incomplete;
use crate::table::execute::outcomes::Outcomes;

/// What became of a step of a [`Plan`](crate::table::Plan).
#[derive(Clone, Debug)]
#[non_exhaustive]
#[must_use = "the step may have failed"]
pub enum StepOutcome {
    /// It is done.
    Done,
    /// It is done: somebody else had added the object in the meantime, and its settings
    /// were replaced.
    Replaced,
    /// There was nothing to do: somebody else had done it.
    AlreadySo,
    /// It is done: the destination, or the service, was deleted while connections still
    /// carried data. These broke. Either the deadline of [`DrainPolicy`](crate::table::DrainPolicy) had come, with the
    /// connections that there were then, or nobody was to wait for them, with the connections
    /// that there were when the plan was made.
    Cut(Connections),
    /// The destination, or the service, was not waited for any longer. It goes on
    /// draining; applying a new plan goes on waiting.
    Draining,
    /// It was not done: the service would have no usable destination left, because somebody
    /// else has deleted or stopped those that were to take over.
    Kept,
    /// It was not done, because the step at this index failed.
    #[non_exhaustive]
    Skipped {
        /// The index of the step that failed.
        because: usize,
    },
    /// It was not done: the observer had ended the work.
    Stopped,
    /// It was done and taken back: none of the usable destinations of a new service could be
    /// added, or the service of a destination could not, since somebody else had added one.
    #[non_exhaustive]
    Undone {
        /// The index of the step that failed.
        because: usize,
    },
    /// The kernel took it, but the table is not so: somebody else has changed the object
    /// since, or the kernel does not know one of its settings. A destination that drained
    /// and got a weight from somebody else is not deleted.
    Differs,
    /// It failed, or what it depends on could not be read. [`Error::certainty`] tells
    /// whether it may have happened all the same.
    Failed(Error),
}

impl StepOutcome {
    /// Whether the table is as the step asks.
    #[must_use]
    pub const fn is_done(&self) -> bool {
        matches!(self, Self::Done | Self::Replaced | Self::AlreadySo | Self::Cut(_))
    }

    /// Whether the kernel changed something for it, or may have.
    #[must_use]
    pub fn is_written(&self) -> bool {
        match self {
            Self::Done | Self::Replaced | Self::Cut(_) | Self::Undone { .. } | Self::Differs => {
                true
            }
            Self::Failed(error) => error.certainty() == Some(Certainty::Unknown),
            _ => false,
        }
    }

    /// The connections that broke, if the step [cut](Self::Cut) some.
    #[must_use]
    pub const fn cut(&self) -> Option<Connections> {
        if let Self::Cut(connections) = self { Some(*connections) } else { None }
    }

    /// Whether what drains was not waited for any longer.
    #[must_use]
    pub const fn is_draining(&self) -> bool {
        matches!(self, Self::Draining)
    }

    /// Its name, for programs and metrics, such as `done` or `already-so`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Replaced => "replaced",
            Self::AlreadySo => "already-so",
            Self::Cut(_) => "cut",
            Self::Draining => "draining",
            Self::Kept => "kept",
            Self::Skipped { .. } => "skipped",
            Self::Stopped => "stopped",
            Self::Undone { .. } => "undone",
            Self::Differs => "differs",
            Self::Failed(_) => "failed",
        }
    }

    /// Whether it shows that somebody else writes the table, too.
    #[must_use]
    pub const fn is_foreign(&self) -> bool {
        matches!(self, Self::Replaced | Self::AlreadySo | Self::Differs | Self::Kept)
    }
}

impl fmt::Display for StepOutcome {
    /// In a few words, such as `done` or `skipped, as an earlier step failed`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done => f.write_str("done"),
            Self::Replaced => f.write_str("done, in place of what somebody else had added"),
            Self::AlreadySo => f.write_str("somebody else had done it"),
            Self::Kept => f.write_str("kept, as nothing usable would be left"),
            Self::Cut(connections) => {
                write!(f, "done, and cut connections that carried data: {connections}")
            }
            Self::Draining => f.write_str("still draining"),
            Self::Skipped { .. } => f.write_str("skipped, as an earlier step failed"),
            Self::Stopped => f.write_str("not begun, as the work was ended"),
            Self::Undone { .. } => f.write_str("undone, as another step failed"),
            Self::Differs => f.write_str("not so: somebody else has changed it"),
            Self::Failed(error) => error.fmt(f),
        }
    }
}

/// What became of a [`Plan`](crate::table::Plan): one outcome for each step, in their
/// order.
#[derive(Clone, Debug)]
#[must_use = "steps may have failed"]
pub struct Applied {
    pub(crate) outcomes: Outcomes,
    pub(crate) unverified: Option<Error>,
}

impl fmt::Display for Applied {
    /// How many steps have which outcome, such as `12 done, 1 failed, 2 skipped`; `nothing
    /// to do` when there was none.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.outcomes.len() == 0 {
            return f.write_str("nothing to do");
        }
        let mut counts: Vec<(&str, usize)> = Vec::new();
        for name in self.outcomes().map(StepOutcome::name) {
            match counts.iter_mut().find(|(known, _)| *known == name) {
                Some((_, count)) => *count += 1,
                None => counts.push((name, 1)),
            }
        }
        for (index, (name, count)) in counts.into_iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(f, "{comma}{count} {name}")?;
        }
        match &self.unverified {
            Some(error) => write!(f, "; not verified: {error}"),
            None => Ok(()),
        }
    }
}

impl Applied {
    /// The result of a plan of which each step has the outcome at its place, for tests of
    /// programs. `unverified` is the error for which the table could not be read afterwards.
    pub fn new(outcomes: impl IntoIterator<Item = StepOutcome>, unverified: Option<Error>) -> Self {
        Self { outcomes: outcomes.into_iter().collect(), unverified }
    }

    /// Every outcome, in the order of the steps.
    pub fn outcomes(
        &self,
    ) -> impl ExactSizeIterator<Item = &StepOutcome> + DoubleEndedIterator + Clone {
        // Every step of a finished plan has an outcome.
        (0..self.outcomes.len())
            .map(|index| self.outcomes.get(index).unwrap_or(&StepOutcome::Draining))
    }

    /// The outcome of the step at `index`, if there were that many.
    #[must_use]
    pub fn outcome(&self, index: usize) -> Option<&StepOutcome> {
        self.outcomes.get(index)
    }

    /// The steps that are not done, by their index.
    pub fn failures(&self) -> impl Iterator<Item = (usize, &StepOutcome)> {
        self.outcomes.iter().filter(|(_, outcome)| !outcome.is_done())
    }

    /// The steps that [cut](StepOutcome::Cut) connections which still carried data, by their
    /// index, with how many connections the destination or service had.
    pub fn cut(&self) -> impl Iterator<Item = (usize, Connections)> {
        self.outcomes.iter().filter_map(|(index, outcome)| Some((index, outcome.cut()?)))
    }

    /// Success if every step is done and was found to be so, as [`is_done`](Self::is_done)
    /// tells. What was cut is done.
    ///
    /// # Errors
    ///
    /// [`Incomplete`], with the first step that failed.
    pub fn into_result(self) -> Result<(), Incomplete> {
        self.result(&[])
    }

    /// The same with the changes of the steps, where they are at hand.
    pub(crate) fn result(&self, changes: &[&Change]) -> Result<(), Incomplete> {
        let failures = self.failures();
        let failures = failures.map(|(index, outcome)| (changes.get(index).copied(), outcome));
        match (Incomplete::steps(self.outcomes.len(), failures), &self.unverified) {
            (Some(error), _) => Err(error),
            (None, Some(error)) => Err(Incomplete::unverified(error)),
            (None, None) => Ok(()),
        }
    }

    /// Why the table could not be read again after the writing, if it could not. Then
    /// outcomes are what the kernel answered, and nothing is known of other writers.
    #[must_use]
    pub const fn unverified(&self) -> Option<&Error> {
        self.unverified.as_ref()
    }

    /// Whether every step is done, and what they touched was found to be so. What else
    /// somebody has done meanwhile shows in a new plan.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.unverified.is_none() && self.outcomes().all(StepOutcome::is_done)
    }
}

use std::fmt;

use crate::error::{Certainty, Error};
use crate::model::{Change, Connections};
use crate::table::execute::incomplete::Incomplete;
use crate::table::execute::outcomes::StepOutcomes;

/// The outcome of a step of a [`Plan`](crate::table::Plan).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[must_use = "the step may have failed"]
pub enum StepOutcome {
    /// The step is done.
    Done,
    /// The step is done: another program had added the object, and the plan replaced its settings.
    Replaced,
    /// There was nothing to do: another program had made the same change.
    AlreadySo,
    /// The step is done: the destination or service was deleted while connections carried data, and
    /// these broke. Either the deadline of [`DrainPolicy`](crate::table::DrainPolicy) had come,
    /// with the connections that there were then, or nobody was to wait for them, with the
    /// connections that there were when the plan was made.
    Cut(Connections),
    /// The observer ended the wait. The destination or service continues to drain with weight 0;
    /// a new plan waits again.
    Draining,
    /// The step was not executed: the service would have no usable destination left, because
    /// another program has deleted those that were to take over, or set their weight to 0.
    Kept,
    /// The step was not executed, because the step at the index `because` failed.
    #[non_exhaustive]
    Skipped {
        /// The index of the step that failed.
        because: usize,
    },
    /// The step was not executed, because the observer had ended the work.
    Stopped,
    /// The step was executed and undone: none of the usable destinations of a new service could be
    /// added, or the service of a destination could not, because another program had added one.
    #[non_exhaustive]
    Undone {
        /// The index of the step that failed.
        because: usize,
    },
    /// The kernel accepted the step, but the table differs: another program has changed the object
    /// since, or the kernel does not know one of its settings. A destination that drained and got a
    /// weight from another program is not deleted.
    Differs,
    /// The step failed, or a reading that it depends on failed. [`Error::certainty`] says whether
    /// the change may have been made.
    Failed(Error),
}

impl StepOutcome {
    /// Returns `true` if the table is as the step asks.
    #[must_use]
    pub const fn is_done(&self) -> bool {
        matches!(self, Self::Done | Self::Replaced | Self::AlreadySo | Self::Cut(_))
    }

    /// Returns `true` if the kernel changed something for this step, or may have.
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

    /// Returns the connections that broke, if the step [cut](Self::Cut) some.
    #[must_use]
    pub const fn cut(&self) -> Option<Connections> {
        if let Self::Cut(connections) = self { Some(*connections) } else { None }
    }

    /// Returns `true` if the observer ended the wait for connections.
    #[must_use]
    pub const fn is_draining(&self) -> bool {
        matches!(self, Self::Draining)
    }

    /// Returns the name for programs and metrics, such as `done` or `already-so`.
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

    /// Returns `true` if the outcome shows that another program writes the table.
    #[must_use]
    pub const fn is_foreign(&self) -> bool {
        matches!(self, Self::Replaced | Self::AlreadySo | Self::Differs | Self::Kept)
    }
}

impl fmt::Display for StepOutcome {
    /// Prints a short description, such as `done` or `skipped: an earlier step failed`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done => f.write_str("done"),
            Self::Replaced => f.write_str("done, and replaced what another program had added"),
            Self::AlreadySo => f.write_str("nothing to do: another program had done it"),
            Self::Kept => f.write_str("kept: no usable destination would be left"),
            Self::Cut(connections) => {
                write!(f, "done, and cut connections that carried data: {connections}")
            }
            Self::Draining => f.write_str("still draining"),
            Self::Skipped { .. } => f.write_str("skipped: an earlier step failed"),
            Self::Stopped => f.write_str("not started: the work was ended"),
            Self::Undone { .. } => f.write_str("undone: another step failed"),
            Self::Differs => f.write_str("differs: another program has changed it"),
            Self::Failed(error) => error.fmt(f),
        }
    }
}

/// The result of applying a [`Plan`](crate::table::Plan): one outcome for each step, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "steps may have failed"]
pub struct Applied {
    pub(crate) outcomes: StepOutcomes,
    pub(crate) unverified: Option<Error>,
}

impl fmt::Display for Applied {
    /// Prints the number of steps with each outcome, such as `12 done, 1 failed, 2 skipped`.
    /// Prints `nothing to do` if the plan had no steps.
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
    /// Creates a result, for tests of programs. `outcomes` has one outcome for each step;
    /// `unverified` is the error of reading the table afterwards, if it failed.
    pub fn new(outcomes: impl IntoIterator<Item = StepOutcome>, unverified: Option<Error>) -> Self {
        Self { outcomes: outcomes.into_iter().collect(), unverified }
    }

    /// Returns every outcome, in the order of the steps.
    pub fn outcomes(
        &self,
    ) -> impl ExactSizeIterator<Item = &StepOutcome> + DoubleEndedIterator + Clone {
        // Every step of a finished plan has an outcome.
        (0..self.outcomes.len())
            .map(|index| self.outcomes.get(index).unwrap_or(&StepOutcome::Draining))
    }

    /// Returns the outcome of the step at `index`, or `None` if the plan has fewer steps.
    #[must_use]
    pub fn outcome(&self, index: usize) -> Option<&StepOutcome> {
        self.outcomes.get(index)
    }

    /// Returns the index and outcome of every step that is not done.
    pub fn failures(&self) -> impl Iterator<Item = (usize, &StepOutcome)> {
        self.outcomes.iter().filter(|(_, outcome)| !outcome.is_done())
    }

    /// Returns the index of every step that [cut](StepOutcome::Cut) connections, and the
    /// connections that the destination or service had.
    pub fn cut(&self) -> impl Iterator<Item = (usize, Connections)> {
        self.outcomes.iter().filter_map(|(index, outcome)| Some((index, outcome.cut()?)))
    }

    /// Returns an error unless every step is done and verified, as [`is_done`](Self::is_done) says.
    /// A step that cut connections is done.
    ///
    /// # Errors
    ///
    /// [`Incomplete`], with the first step that failed.
    pub fn into_result(self) -> Result<(), Incomplete> {
        self.result(&[])
    }

    /// Does what [`into_result`](Self::into_result) does, and names the change of the failed step.
    /// `changes` are the changes of the steps, by index; a missing one is not named.
    pub(crate) fn result(&self, changes: &[&Change]) -> Result<(), Incomplete> {
        let failures = self.failures();
        let failures = failures.map(|(index, outcome)| (changes.get(index).copied(), outcome));
        match (Incomplete::steps(self.outcomes.len(), failures), &self.unverified) {
            (Some(error), _) => Err(error),
            (None, Some(error)) => Err(Incomplete::unverified(error)),
            (None, None) => Ok(()),
        }
    }

    /// Returns the error of reading the table after the last step, if that failed. The outcomes are
    /// then the kernel's answers alone, and other writers went unnoticed.
    #[must_use]
    pub const fn unverified(&self) -> Option<&Error> {
        self.unverified.as_ref()
    }

    /// Returns `true` if every step is done, and reading the table afterwards has confirmed it.
    /// Changes of other programs to other objects show only in a new plan.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.unverified.is_none() && self.outcomes().all(StepOutcome::is_done)
    }
}

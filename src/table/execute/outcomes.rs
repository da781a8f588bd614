use std::collections::BTreeMap;

use crate::table::execute::applied::StepOutcome;

/// The outcomes of the steps of a plan, by their index.
///
/// Most steps of a large plan are [`StepOutcome::Done`]. Such an outcome takes one byte; only the
/// others are stored as values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct StepOutcomes {
    marks: Vec<Mark>,
    others: BTreeMap<usize, StepOutcome>,
}

/// The state of a step, in one byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mark {
    /// The step has no outcome yet.
    Undecided,
    /// The outcome is [`StepOutcome::Done`].
    Done,
    /// The outcome is in `others`.
    Other,
}

/// The value that [`StepOutcomes::get`] lends for every step that is done.
static DONE: StepOutcome = StepOutcome::Done;

impl StepOutcomes {
    /// Creates the outcomes of `steps` steps. No step has an outcome yet.
    pub(crate) fn undecided(steps: usize) -> Self {
        Self { marks: vec![Mark::Undecided; steps], others: BTreeMap::new() }
    }

    pub(crate) fn len(&self) -> usize {
        self.marks.len()
    }

    /// Returns the outcome of the step at `index`, or `None` if the step has none yet.
    pub(crate) fn get(&self, index: usize) -> Option<&StepOutcome> {
        match self.marks.get(index)? {
            Mark::Undecided => None,
            Mark::Done => Some(&DONE),
            Mark::Other => self.others.get(&index),
        }
    }

    /// Sets the outcome of the step at `index`. Does nothing if there is no such step.
    pub(crate) fn set(&mut self, index: usize, outcome: StepOutcome) {
        let Some(mark) = self.marks.get_mut(index) else { return };
        if matches!(outcome, StepOutcome::Done) {
            if std::mem::replace(mark, Mark::Done) == Mark::Other {
                self.others.remove(&index);
            }
        } else {
            *mark = Mark::Other;
            self.others.insert(index, outcome);
        }
    }

    /// Returns the index and outcome of every step that has an outcome, in order.
    pub(crate) fn iter(
        &self,
    ) -> impl DoubleEndedIterator<Item = (usize, &StepOutcome)> + Clone + '_ {
        (0..self.marks.len()).filter_map(|index| Some((index, self.get(index)?)))
    }
}

impl FromIterator<StepOutcome> for StepOutcomes {
    fn from_iter<I: IntoIterator<Item = StepOutcome>>(outcomes: I) -> Self {
        let mut all = Self::default();
        for (index, outcome) in outcomes.into_iter().enumerate() {
            all.marks.push(Mark::Undecided);
            all.set(index, outcome);
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outcome_takes_the_place_of_the_one_before() {
        let mut outcomes = StepOutcomes::undecided(3);
        assert_eq!(outcomes.iter().count(), 0);
        outcomes.set(1, StepOutcome::Kept);
        outcomes.set(2, StepOutcome::Done);
        outcomes.set(3, StepOutcome::Done);
        assert_eq!(outcomes.len(), 3);
        let known: Vec<_> = outcomes.iter().map(|(at, outcome)| (at, outcome.name())).collect();
        assert_eq!(known, [(1, "kept"), (2, "done")]);
        outcomes.set(1, StepOutcome::Done);
        outcomes.set(2, StepOutcome::Stopped);
        let known: Vec<_> = outcomes.iter().map(|(at, outcome)| (at, outcome.name())).collect();
        assert_eq!(known, [(1, "done"), (2, "stopped")]);
        assert_eq!(outcomes.others.len(), 1);
    }

    /// Memory matters: a plan from an empty table has one outcome for every object.
    #[test]
    fn steps_that_are_done_take_one_byte() {
        let done: StepOutcomes = std::iter::repeat_n(StepOutcome::Done, 1000).collect();
        assert!(done.others.is_empty());
        assert_eq!(size_of_val(&done.marks[..]), 1000);
    }
}

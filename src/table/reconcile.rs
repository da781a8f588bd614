//! The rounds of reconciling, and their result.

use std::{fmt, mem};

use crate::error::{Error, ErrorKind};
use crate::model::{Connections, Snapshot};
use crate::table::{
    Applied, Incomplete, OnFailure, Plan, PlanError, PlanOptions, Step, StepOutcome, Table,
};

/// The number of plans that are applied. What differs after the last one is only reported.
const ROUNDS: usize = 2;

/// The result of [`Client::reconcile`](crate::Client::reconcile).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[must_use = "the kernel's table may differ from the desired one"]
pub struct Reconciled {
    /// The plans that were applied, with their outcomes. Empty if nothing differed; more than
    /// one if something still differed after the first plan.
    pub rounds: Vec<Round>,
    /// The changes that are still needed: those that failed, those that another program undid,
    /// and the deletion of destinations that still drain.
    pub rest: Plan,
    /// `true` if `rest` was made from a [complete](crate::Snapshot::is_complete) reading. If
    /// other programs wrote the table all the time, this is `false`, and `rest` may have too few
    /// or too many changes.
    ///
    /// After a plan the client reads the services that the plan was about, and the list of
    /// services if the scope does not name its services. A change that another program made
    /// meanwhile to the destinations of other services shows in the next call.
    pub complete: bool,
    /// Why it is not known what still differs: the table could not be read or planned again
    /// after something was written. `None` if it is known.
    pub unfinished: Option<ReconcileError>,
}

/// A plan that [`Client::reconcile`](crate::Client::reconcile) applied, and its outcomes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Round {
    /// The plan.
    pub plan: Plan,
    /// The outcomes of its steps.
    pub applied: Applied,
}

impl Round {
    /// Creates a round, for tests of programs.
    pub const fn new(plan: Plan, applied: Applied) -> Self {
        Self { plan, applied }
    }

    /// Returns each step with its outcome, in their order.
    pub fn steps(&self) -> impl ExactSizeIterator<Item = (&Step, &StepOutcome)> {
        self.plan.steps().zip(self.applied.outcomes())
    }
}

impl Reconciled {
    /// Creates the result of these rounds, for tests of programs. The reading is complete and
    /// nothing is unfinished; set the fields for another result.
    ///
    /// ```
    /// use ipvs_netlink::table::{Plan, Reconciled};
    ///
    /// let mut reconciled = Reconciled::new([], Plan::default());
    /// assert!(reconciled.is_done());
    /// reconciled.complete = false;
    /// assert!(reconciled.into_result().is_err());
    /// ```
    pub fn new(rounds: impl IntoIterator<Item = Round>, rest: Plan) -> Self {
        Self { rounds: rounds.into_iter().collect(), rest, complete: true, unfinished: None }
    }

    /// Returns `true` if the table was read completely and is as desired.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.rest.is_empty() && self.complete && self.unfinished.is_none()
    }

    /// Returns `Ok` if [`is_done`](Self::is_done) returns `true`.
    ///
    /// # Errors
    ///
    /// [`Incomplete`], with the first step of the last plan that failed, or with what still
    /// differs.
    pub fn into_result(self) -> Result<(), Incomplete> {
        if self.is_done() {
            return Ok(());
        }
        if let Some(Round { plan, applied }) = self.rounds.last() {
            let changes: Vec<_> = plan.steps().map(|step| &step.change).collect();
            applied.result(&changes)?;
        }
        Err(match (&self.unfinished, self.rest.steps().next()) {
            (Some(error), _) => Incomplete::other(error.to_string(), error.kind()),
            (None, Some(step)) => {
                let text = format!("{} changes are needed still, first {step}", self.rest.len());
                Incomplete::other(text, ErrorKind::NotAttempted)
            }
            (None, None) => {
                let text = "others kept writing the table while it was read";
                Incomplete::other(text, ErrorKind::NotAttempted)
            }
        })
    }

    /// Returns the steps that broke connections which still carried data, with the connections
    /// that the destination or service had.
    pub fn cut(&self) -> impl Iterator<Item = (&Step, Connections)> {
        self.rounds.iter().flat_map(|Round { plan, applied }| {
            applied.cut().filter_map(|(index, cut)| Some((plan.step(index)?, cut)))
        })
    }

    /// Returns `true` if something was written or may have been written.
    #[must_use]
    pub fn is_changed(&self) -> bool {
        let mut outcomes = self.rounds.iter().flat_map(|round| round.applied.outcomes());
        outcomes.any(StepOutcome::is_written)
    }
}

impl fmt::Display for Reconciled {
    /// Prints a line for each round, with the number of steps for each outcome, and then what
    /// still differs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.rounds.is_empty() {
            f.write_str("nothing differed\n")?;
        }
        for round in &self.rounds {
            writeln!(f, "{}", round.applied)?;
        }
        if let Some(error) = &self.unfinished {
            writeln!(f, "what differs still is not known: {error}")?;
        } else if !self.complete {
            f.write_str("others kept writing the table\n")?;
        }
        match self.rest.is_empty() {
            true => Ok(()),
            false => write!(f, "differs still:\n{}", self.rest),
        }
    }
}

/// The error of [`Client::reconcile`](crate::Client::reconcile). The call has written nothing.
///
/// The same type tells in [`Reconciled::unfinished`] why the table could not be read or planned
/// again. Then something was written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReconcileError {
    /// The table could not be read.
    #[error(transparent)]
    Read(#[from] Error),
    /// The table could be read, but there is no plan.
    #[error(transparent)]
    Plan(Box<PlanError>),
}

impl ReconcileError {
    /// Returns the kind of the error that reading met, or [`PlanError::kind`].
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Read(error) => error.kind(),
            Self::Plan(error) => error.kind(),
        }
    }
}

impl From<PlanError> for ReconcileError {
    fn from(error: PlanError) -> Self {
        Self::Plan(Box::new(error))
    }
}

/// The rounds of one call of `reconcile`: which plans are applied, and when to give up.
#[derive(Debug)]
pub(crate) struct Rounds<'d> {
    desired: &'d Table,
    options: &'d PlanOptions,
    snapshot: Snapshot,
    /// The plan from `snapshot` to the desired table.
    rest: Result<Plan, ReconcileError>,
    rounds: Vec<Round>,
    given_up: bool,
}

/// What shows whether the outcomes of a round are true.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Proof<'r> {
    /// Nothing is left to be changed: everything is as the steps asked.
    Settled,
    /// The table could not be read.
    Unread(&'r Error),
    /// The steps are to be compared with this reading.
    Snapshot(&'r Snapshot),
}

impl<'d> Rounds<'d> {
    /// Plans the first round from a reading of the table.
    pub(crate) fn new(
        desired: &'d Table,
        options: &'d PlanOptions,
        snapshot: Snapshot,
    ) -> Result<Self, ReconcileError> {
        let rest = Ok(Plan::new(&snapshot, desired, options)?);
        Ok(Self { desired, options, snapshot, rest, rounds: Vec::new(), given_up: false })
    }

    /// Takes the plan to be applied next and the reading that it was made from. Returns `None` if no
    /// plan is to be applied.
    pub(crate) fn next(&mut self) -> Option<(Plan, Snapshot)> {
        match &mut self.rest {
            Ok(plan) if !plan.is_empty() && !self.given_up && self.rounds.len() < ROUNDS => {
                Some((mem::take(plan), mem::take(&mut self.snapshot)))
            }
            _ => None,
        }
    }

    /// Takes in the reading after a plan, and plans what still differs.
    pub(crate) fn saw(&mut self, reading: Result<Snapshot, Error>) {
        self.rest = match reading {
            Ok(snapshot) => {
                self.snapshot = snapshot;
                let plan = Plan::new(&self.snapshot, self.desired, self.options);
                plan.map_err(ReconcileError::from)
            }
            Err(error) => Err(ReconcileError::Read(error)),
        };
    }

    /// Returns what shows whether the outcomes of the plan are true.
    pub(crate) fn proof(&self) -> Proof<'_> {
        match &self.rest {
            Ok(rest) if rest.is_empty() && self.snapshot.is_complete() => Proof::Settled,
            Err(ReconcileError::Read(error)) => Proof::Unread(error),
            _ => Proof::Snapshot(&self.snapshot),
        }
    }

    /// Ends the round of a plan. Gives up if the observer stopped the work, if something drains
    /// still, or if a failure is to stop everything.
    pub(crate) fn applied(&mut self, plan: Plan, applied: Applied, stopped: bool) {
        // Where nothing was left to be stopped, no outcome tells.
        self.given_up |= stopped
            || applied.outcomes().any(|outcome| match outcome {
                StepOutcome::Draining => true,
                outcome => plan.on_failure == OnFailure::Stop && !outcome.is_done(),
            });
        self.rounds.push(Round { plan, applied });
    }

    /// Returns the result.
    pub(crate) fn finish(self) -> Reconciled {
        let Self { snapshot, rest, rounds, .. } = self;
        match rest {
            Ok(rest) => {
                let complete = snapshot.is_complete();
                Reconciled { rounds, rest, complete, unfinished: None }
            }
            Err(error) => {
                let (rest, unfinished) = (Plan::default(), Some(error));
                Reconciled { rounds, rest, complete: false, unfinished }
            }
        }
    }
}

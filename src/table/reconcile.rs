//! Reconciling: reading, planning, applying, and reading again.

use std::fmt;

use crate::engine::{Engine, Transport};
use crate::error::{Error, ErrorKind};
use crate::model::{Connections, Snapshot};
use crate::table::execute::{Observer, carry_out, check_outcomes, read_scope, read_scope_again};
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

/// Makes the kernel's table as desired: up to [`ROUNDS`] plans.
pub(crate) async fn reconcile<T: Transport>(
    engine: &mut Engine<T>,
    desired: &Table,
    options: &PlanOptions,
    observer: Observer<'_>,
) -> Result<Reconciled, ReconcileError> {
    let mut rounds = Vec::new();
    let mut given_up = false;
    // A scope that names its services needs no list of all services.
    let ids = options.scope.named(desired);
    let ids = ids.as_deref();
    let mut snapshot = read_scope(engine, ids).await?;
    let mut plan = Plan::new(&snapshot, desired, options)?;
    while !plan.is_empty() && !given_up && rounds.len() < ROUNDS {
        let mut execution = carry_out(engine, &plan, observer).await;
        let next = match read_scope_again(engine, &plan, snapshot, ids).await {
            Ok(now) => {
                snapshot = now;
                Plan::new(&snapshot, desired, options).map_err(ReconcileError::from)
            }
            Err(error) => {
                snapshot = Snapshot::default();
                Err(ReconcileError::Read(error))
            }
        };
        let unverified = match &next {
            // What need not be changed is as the steps asked.
            Ok(next) if next.is_empty() && snapshot.is_complete() => None,
            Err(ReconcileError::Read(error)) => Some(error.clone()),
            _ => check_outcomes(engine, &mut execution, Some(&snapshot)).await.err(),
        };
        // Where nothing was left to be stopped, no outcome tells.
        given_up = execution.ended;
        let applied = execution.finish(unverified);
        given_up |= applied.outcomes().any(|outcome| match outcome {
            StepOutcome::Draining => true,
            outcome => plan.on_failure == OnFailure::Stop && !outcome.is_done(),
        });
        rounds.push(Round { plan, applied });
        plan = match next {
            Ok(next) => next,
            Err(error) => {
                let (rest, unfinished) = (Plan::default(), Some(error));
                return Ok(Reconciled { rounds, rest, complete: false, unfinished });
            }
        };
    }
    let complete = snapshot.is_complete();
    Ok(Reconciled { rounds, rest: plan, complete, unfinished: None })
}

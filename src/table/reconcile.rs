//! Reading, planning, applying, and looking again.

use std::fmt;

use crate::engine::{Engine, Transport};
use crate::error::{Error, ErrorKind};
use crate::model::{Connections, Snapshot};
use crate::table::execute::{Observer, carry_out, check_outcomes, read_scope, read_scope_again};
use crate::table::{
    Applied, Incomplete, OnFailure, Plan, PlanError, PlanOptions, Step, StepOutcome, Table,
};

/// How often a plan is made and applied before what differs is only reported.
const ROUNDS: usize = 2;

/// The result of [`Client::reconcile`](crate::Client::reconcile): the plans that were applied, and
/// what still differs.
#[derive(Clone, Debug)]
#[non_exhaustive]
#[must_use = "the table may not be as desired"]
pub struct Reconciled {
    /// The plans that were applied, with their outcomes: none if nothing differed, and more than one
    /// if something still differed after the first.
    pub rounds: Vec<(Plan, Applied)>,
    /// What still differs: changes that failed, changes that another program undid, and destinations
    /// that still drain.
    pub rest: Plan,
    /// Whether that was seen in a [complete](crate::Snapshot::is_complete) reading of
    /// the table. If not, others kept writing, and `rest` may have too little or too much. After
    /// a plan that is the list of services and the services that the plan was about: what
    /// others have changed meanwhile in the destinations of other services shows in the next
    /// call.
    pub consistent: bool,
    /// The error of reading or planning again after something was written. `rest` is then unknown.
    pub unfinished: Option<ReconcileError>,
}

impl Reconciled {
    /// Returns `true` if a reading of the table has confirmed that it is as desired.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.rest.is_empty() && self.consistent && self.unfinished.is_none()
    }

    /// Returns an error unless the table is as desired, as [`is_done`](Self::is_done) says.
    ///
    /// # Errors
    ///
    /// [`Incomplete`], with the first failed step of the last plan, or with what still differs.
    pub fn into_result(self) -> Result<(), Incomplete> {
        if self.is_done() {
            return Ok(());
        }
        if let Some((plan, applied)) = self.rounds.last() {
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

    /// Returns the steps that cut connections, with the connections that the destination or service
    /// had.
    pub fn cut(&self) -> impl Iterator<Item = (&Step, Connections)> {
        self.rounds.iter().flat_map(|(plan, applied)| {
            applied.cut().filter_map(|(index, cut)| Some((plan.step(index)?, cut)))
        })
    }

    /// Returns `true` if something was written, or may have been.
    #[must_use]
    pub fn is_changed(&self) -> bool {
        let mut outcomes = self.rounds.iter().flat_map(|(_, applied)| applied.outcomes());
        outcomes.any(StepOutcome::is_written)
    }
}

impl fmt::Display for Reconciled {
    /// A line for each plan that was applied, with the outcomes of its steps, and then
    /// what differs still.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.rounds.is_empty() {
            f.write_str("nothing differed\n")?;
        }
        for (_, applied) in &self.rounds {
            writeln!(f, "{applied}")?;
        }
        if let Some(error) = &self.unfinished {
            writeln!(f, "what differs still is not known: {error}")?;
        } else if !self.consistent {
            f.write_str("others kept writing the table\n")?;
        }
        match self.rest.is_empty() {
            true => Ok(()),
            false => write!(f, "differs still:\n{}", self.rest),
        }
    }
}

/// The reason why a table was not reconciled. Nothing was written, unless the error is in
/// [`Reconciled::unfinished`].
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReconcileError {
    /// The table could not be read.
    #[error(transparent)]
    Read(#[from] Error),
    /// No plan could be made.
    #[error(transparent)]
    Plan(Box<PlanError>),
}

impl ReconcileError {
    /// Returns the kind of the kernel's error, or that of [`PlanError::kind`].
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

/// Makes the table as desired, as far as it goes.
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
        rounds.push((plan, applied));
        plan = match next {
            Ok(next) => next,
            Err(error) => {
                let (rest, unfinished) = (Plan::default(), Some(error));
                return Ok(Reconciled { rounds, rest, consistent: false, unfinished });
            }
        };
    }
    let consistent = snapshot.is_complete();
    Ok(Reconciled { rounds, rest: plan, consistent, unfinished: None })
}

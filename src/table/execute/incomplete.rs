use std::fmt;

use crate::error::{Error, ErrorKind};
use crate::model::Change;
use crate::table::execute::applied::StepOutcome;

/// The reason why the kernel's table is not as a plan or a desired table asks: the error of
/// [`Applied::into_result`](crate::table::Applied::into_result) and
/// [`Reconciled::into_result`](crate::table::Reconciled::into_result).
///
/// `Display` says how many steps are not done, and the outcome of the first of them.
#[derive(Clone, PartialEq, Eq)]
pub struct Incomplete(Box<Inner>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Inner {
    text: String,
    kind: ErrorKind,
    error: Option<Error>,
}

impl Incomplete {
    /// Creates the error of a plan with `steps` steps, or returns `None` if `failures` is empty.
    /// `failures` are the outcomes of the steps that are not done, each with its change if the
    /// change is known.
    pub(crate) fn steps<'a>(
        steps: usize,
        failures: impl Iterator<Item = (Option<&'a Change>, &'a StepOutcome)>,
    ) -> Option<Self> {
        let failures: Vec<_> = failures.collect();
        // Prefer a step that failed by itself to a step that another failure skipped or undid.
        let cause = |(_, outcome): &&(_, &StepOutcome)| {
            !matches!(outcome, StepOutcome::Skipped { .. } | StepOutcome::Undone { .. })
        };
        let (change, outcome) = failures.iter().find(cause).or(failures.first())?;
        let change = change.map(|change| format!("{change}: ")).unwrap_or_default();
        let are = if failures.len() == 1 { "is" } else { "are" };
        let text = format!("{} of {steps} steps {are} not done; {change}{outcome}", failures.len());
        let error = match outcome {
            StepOutcome::Failed(error) => Some(error.clone()),
            _ => None,
        };
        let kind = error.as_ref().map_or(ErrorKind::NotAttempted, Error::kind);
        Some(Self(Box::new(Inner { text, kind, error })))
    }

    /// Creates the error for a plan whose steps are done, but whose reading afterwards failed.
    pub(crate) fn unverified(error: &Error) -> Self {
        let text = format!("what was done could not be verified: {error}");
        let (kind, error) = (error.kind(), Some(error.clone()));
        Self(Box::new(Inner { text, kind, error }))
    }

    /// Creates an error with another cause.
    pub(crate) fn other(text: impl Into<String>, kind: ErrorKind) -> Self {
        Self(Box::new(Inner { text: text.into(), kind, error: None }))
    }

    /// Returns the kind of the error of the first failed step. The kind is
    /// [`ErrorKind::NotAttempted`] if the step had no error: another program has changed the table,
    /// or the observer has ended the work or the wait.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Returns the error of the first failed step, if it had one.
    #[must_use]
    pub const fn error(&self) -> Option<&Error> {
        self.0.error.as_ref()
    }
}

impl fmt::Display for Incomplete {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.text)
    }
}

impl fmt::Debug for Incomplete {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self} [{:?}]", self.0.kind)
    }
}

impl std::error::Error for Incomplete {}

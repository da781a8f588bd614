use crate::error::ErrorKind;
use crate::model::{Change, InvalidValue, Object, ServiceId};
use crate::table::options::Actions;

/// Why there is no plan.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// A service or destination that the kernel would refuse.
    #[error("{object}: {invalid}")]
    #[non_exhaustive]
    Invalid {
        /// Which one.
        object: Object,
        /// What is wrong with it.
        invalid: InvalidValue,
    },
    /// A service is desired that is outside a [`Scope::only`](crate::table::Scope::only), or
    /// that the scope excludes.
    #[error("{0}: desired, but outside the scope of what is ours")]
    OutOfScope(ServiceId),
    /// Steps are needed that are not allowed.
    #[error("{missing} is not allowed, but needed: {}", list(.changes))]
    #[non_exhaustive]
    NotAllowed {
        /// What would have to be allowed, too.
        missing: Actions,
        /// The steps that need it.
        changes: Vec<Change>,
    },
}

impl PlanError {
    /// The kind: [`ErrorKind::InvalidValue`], [`ErrorKind::OutOfScope`] or
    /// [`ErrorKind::NotAllowed`].
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        match self {
            Self::Invalid { .. } => ErrorKind::InvalidValue,
            Self::OutOfScope(_) => ErrorKind::OutOfScope,
            Self::NotAllowed { .. } => ErrorKind::NotAllowed,
        }
    }
}

/// The first few changes.
fn list(changes: &[Change]) -> String {
    const SHOWN: usize = 3;
    let mut text = changes.iter().take(SHOWN).map(Change::to_string).collect::<Vec<_>>().join("; ");
    if changes.len() > SHOWN {
        text += &format!("; and {} more", changes.len() - SHOWN);
    }
    text
}

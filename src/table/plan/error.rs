use crate::error::ErrorKind;
use crate::model::{Change, InvalidSetting, InvalidValue, Object, ServiceId};
use crate::table::options::Actions;

/// The reason why no plan was made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// A desired service or destination breaks a rule of the kernel.
    #[error("{object}: {invalid}")]
    #[non_exhaustive]
    Invalid {
        /// The service or destination.
        object: Object,
        /// The field, the value and the rule.
        invalid: InvalidValue,
    },
    /// Declared timeouts break a rule of the kernel.
    #[error("{0}")]
    InvalidTimeouts(InvalidValue),
    /// A declared setting breaks the rule of its setting.
    #[error("{0}")]
    InvalidSetting(InvalidSetting),
    /// A desired service is outside a [`Scope::only`](crate::table::Scope::only), or the scope
    /// excludes it.
    #[error("{0}: desired, but outside the scope of what is ours")]
    OutOfScope(ServiceId),
    /// The plan needs kinds of changes that are not allowed.
    #[error("{missing} is not allowed, but needed: {}", list(.changes))]
    #[non_exhaustive]
    NotAllowed {
        /// The kinds of changes that would have to be allowed, too.
        missing: Actions,
        /// The changes that need them.
        changes: Vec<Change>,
    },
}

impl PlanError {
    /// Returns the kind: [`ErrorKind::InvalidValue`], [`ErrorKind::OutOfScope`] or
    /// [`ErrorKind::NotAllowed`].
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        match self {
            Self::Invalid { .. } | Self::InvalidTimeouts(_) | Self::InvalidSetting(_) => {
                ErrorKind::InvalidValue
            }
            Self::OutOfScope(_) => ErrorKind::OutOfScope,
            Self::NotAllowed { .. } => ErrorKind::NotAllowed,
        }
    }
}

/// Lists the first few changes, and says how many more there are.
fn list(changes: &[Change]) -> String {
    const SHOWN: usize = 3;
    let mut text = changes.iter().take(SHOWN).map(Change::to_string).collect::<Vec<_>>().join("; ");
    if changes.len() > SHOWN {
        text += &format!("; and {} more", changes.len() - SHOWN);
    }
    text
}

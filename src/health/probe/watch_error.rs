use thiserror::Error;

use crate::health::through::ThroughError;
use crate::model::{InvalidValue, ServiceId};

/// Why a service cannot be watched. See [`Runner::watch`](crate::health::probe::Runner::watch).
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum WatchError {
    /// A check [through](crate::health::probe::Probe::through) the virtual address cannot be done.
    #[error("{service}: {error}")]
    #[non_exhaustive]
    Through {
        /// The service.
        service: ServiceId,
        /// The reason.
        error: ThroughError,
    },
    /// A setting of the service's policy or checks is out of its range.
    #[error("{service}: {invalid}")]
    #[non_exhaustive]
    Invalid {
        /// The service.
        service: ServiceId,
        /// The setting, its value and the rule.
        invalid: InvalidValue,
    },
}

use thiserror::Error;

use crate::health::through::ThroughError;
use crate::model::ServiceId;

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
}

use crate::health::through::ThroughError;
use crate::model::{DestinationId, InvalidValue, ServiceId};

/// Why a service cannot be watched. See [`Runner::watch`](crate::health::probe::Runner::watch).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
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
    /// A check needs a port, the probe has none, and that of the destination is 0, as it often is
    /// behind a service of a firewall mark. See [`Probe::port`](crate::health::probe::Probe::port).
    #[error("{service}: {destination} has port 0, so the check needs a port of its own")]
    #[non_exhaustive]
    NoPort {
        /// The service.
        service: ServiceId,
        /// The destination.
        destination: DestinationId,
    },
    /// The thread of the runner has ended by itself.
    #[error("{service}: the thread of the checks has ended")]
    #[non_exhaustive]
    Ended {
        /// The service.
        service: ServiceId,
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

use std::fmt;
use std::time::Duration;

use crate::health::Outcome;
use crate::health::probe::Probe;
use crate::model::{DestinationId, ServiceId};

/// A check that has ended. See [`Runner::observe`](crate::health::probe::Runner::observe).
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct FinishedCheck<'c> {
    /// The services that have the destination with this check, in their order.
    pub services: &'c [ServiceId],
    /// The destination.
    pub destination: DestinationId,
    /// What was checked.
    pub probe: &'c Probe,
    /// The result.
    pub outcome: &'c Outcome,
    /// How long the check took.
    pub took: Duration,
}

/// Is told of checks that have ended.
pub(super) struct Observer(pub(super) Box<dyn FnMut(FinishedCheck<'_>) + Send>);

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Observer")
    }
}

//! Whether a service can be watched, as far as no runner needs to be asked.

use std::collections::BTreeSet;

use crate::health::probe::{Probe, WatchError, through};
use crate::health::through::Pair;
use crate::health::{Pace, Watched};
use crate::model::DestinationId;

impl Watched<Probe> {
    /// Checks whether a [`Runner`](crate::health::probe::Runner) can watch this. `has_marks` says whether
    /// that runner has marks for checks [through](Probe::through) virtual addresses.
    ///
    /// # Errors
    ///
    /// Those of [`Runner::watch`](crate::health::probe::Runner::watch), except that the thread has ended or
    /// that marks run out.
    pub fn examine(&self, has_marks: bool) -> Result<(), WatchError> {
        examine(self, has_marks).map(drop)
    }
}

/// Returns what the checks of a service need marks for.
pub(super) fn examine(
    watched: &Watched<Probe>,
    has_marks: bool,
) -> Result<BTreeSet<Pair>, WatchError> {
    let service = watched.id();
    let probes = || watched.all_checks().try_for_each(|(probe, _)| probe.validate());
    watched
        .validate()
        .and_then(|()| probes())
        .map_err(|invalid| WatchError::Invalid { service, invalid })?;
    let needs_port = |(probe, _): &(Probe, Pace)| probe.needs_port();
    let mut ids = watched.service.destinations().map(|destination| destination.id());
    let lacks_port = |id: &DestinationId| {
        id.address.port() == 0 && watched.checks_at(*id).iter().any(needs_port)
    };
    if let Some(destination) = ids.find(lacks_port) {
        return Err(WatchError::NoPort { service, destination });
    }
    through::pairs(watched, has_marks).map_err(|error| WatchError::Through { service, error })
}

use std::cmp::Ordering;
use std::fmt;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;

use crate::health::Outcome;
use crate::health::probe::through::facts::{Hindrance, source};
use crate::health::probe::through::{Through, Way, since_start};
use crate::health::probe::{Origin, Probe, Update};
use crate::health::through::{Flight, ThroughError};
use crate::model::{DestinationId, ServiceId};

/// By which marks a check of a service goes through its address. Checks of different services are
/// different, also at the same destination.
#[derive(Clone)]
pub(in crate::health::probe) struct Lease {
    service: ServiceId,
    through: Arc<Through>,
}

impl Lease {
    pub(super) const fn new(service: ServiceId, through: Arc<Through>) -> Self {
        Self { service, through }
    }

    /// Does a check of the destination at `address`.
    pub(in crate::health::probe) async fn run(
        &self,
        probe: &Probe,
        address: SocketAddr,
    ) -> Outcome {
        let destination = DestinationId::from(address);
        match self.try_run(probe, destination).await {
            Ok(outcome) => outcome,
            Err(error) => {
                if !is_passing(&error) {
                    self.through.refused(self.service, destination, &probe.origin, Some(&error));
                }
                Outcome::not_done(error.to_string())
            }
        }
    }

    async fn try_run(
        &self,
        probe: &Probe,
        destination: DestinationId,
    ) -> Result<Outcome, ThroughError> {
        let running = Running::begin(self, probe, destination)?;
        let pair = running.flight.pair;
        let origin = &probe.origin;
        let found = origin.inside(|| {
            let state = self.through.state();
            Ok(source(&pair, origin, |address| state.is_virtual(address)))
        });
        let source = match found.map_err(|error| ThroughError::System(error.to_string()))? {
            Ok(source) => source,
            Err(Hindrance::Here(error)) => return Err(error),
            Err(Hindrance::There(reason)) => return Ok(Outcome::failed(reason)),
        };
        let way = running.way.clone();
        let origin = Origin {
            source: Some(source),
            mark: Some(running.flight.mark),
            way: Some(way),
            ..origin.clone()
        };
        let outcome = {
            let mut check = pin!(probe.run_from(&origin, pair.target));
            tokio::select! {
                biased;
                () = running.lost() => None,
                outcome = &mut check => Some(outcome),
            }
        };
        // A result without the mark may be another server's.
        let outcome = outcome.filter(|_| running.is_valid()).ok_or(ThroughError::NotYet)?;
        match running.way.take_failure() {
            Some(error) => Err(error),
            None => {
                self.through.refused(self.service, destination, &probe.origin, None);
                Ok(outcome)
            }
        }
    }
}

/// Returns `true` if the check only has to wait, so that there is nothing to tell.
const fn is_passing(error: &ThroughError) -> bool {
    matches!(error, ThroughError::NotYet | ThroughError::TakenBack)
}

/// A check that runs with a mark.
struct Running {
    through: Arc<Through>,
    flight: Flight,
    way: Way,
}

impl Running {
    fn begin(
        lease: &Lease,
        probe: &Probe,
        destination: DestinationId,
    ) -> Result<Self, ThroughError> {
        let one_packet = probe.kind.sends_datagrams()?;
        let through = Arc::clone(&lease.through);
        let key = (destination, probe.port, one_packet);
        let flight = through.state().leases.begin(lease.service, key)?;
        let way = Way::new(Arc::clone(&through), flight.pair.answers_from());
        Ok(Self { through, flight, way })
    }

    fn is_valid(&self) -> bool {
        self.through.state().leases.is_valid(&self.flight)
    }

    /// Waits until the table may not have the mark any more, or is not to have it.
    async fn lost(&self) {
        loop {
            let mut changed = pin!(self.through.changed.notified());
            changed.as_mut().enable();
            if !self.is_valid() {
                return;
            }
            changed.await;
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let mut state = self.through.state();
        if !state.leases.is_valid(&self.flight) {
            // The kernel may not have seen the ends of the connections.
            let now = since_start();
            for (source, target, port) in self.way.take_ports() {
                state.ports.put_aside(source, target, port, now);
            }
        }
        let forgotten = state.leases.end(&self.flight);
        drop(state);
        self.through.updates.add(forgotten.map(Update::Forget));
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Lease").field(&self.service).finish()
    }
}

impl PartialEq for Lease {
    fn eq(&self, other: &Self) -> bool {
        self.service == other.service
    }
}

impl Eq for Lease {}

impl PartialOrd for Lease {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Lease {
    fn cmp(&self, other: &Self) -> Ordering {
        self.service.cmp(&other.service)
    }
}

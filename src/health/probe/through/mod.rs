//! Checks through virtual addresses: the part with sockets.

mod facts;
mod lease;
mod route;
mod rules;
mod sysctl;
mod way;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use tokio::sync::Notify;

use crate::health::Watched;
use crate::health::probe::{Origin, Probe, Update, Updates};
use crate::health::through::{Changes, Leases, Marks, Pair, Patience, Ports, ThroughError};
use crate::model::{DestinationId, ServiceId};
use crate::table::controller::Event;

pub(super) use lease::Lease;
pub(super) use rules::pairs;
pub use sysctl::AcceptLocal;
pub(super) use way::Way;

/// What the checks of a runner through virtual addresses share.
#[derive(Debug)]
pub(super) struct Through {
    state: Mutex<State>,
    /// Tells the checks that run that some of them may have lost their marks.
    changed: Notify,
    updates: Updates,
}

/// What a check is told of by.
type Checked = (ServiceId, DestinationId, Origin);

#[derive(Debug)]
struct State {
    leases: Leases,
    ports: Ports,
    /// The virtual addresses of all services, each with the number of its services.
    virtuals: BTreeMap<IpAddr, usize>,
    /// The services that are watched.
    watched: BTreeSet<ServiceId>,
    /// What the program was told last of the checks that are refused.
    refused: BTreeMap<Checked, ThroughError>,
    /// The checks that wait for source ports.
    waiting: BTreeMap<Checked, Patience>,
}

impl State {
    /// Counts how often a check waits for a source port. Returns `false` if the program need not
    /// know the error, or that there is none.
    fn is_to_be_told(&mut self, object: &Checked, error: Option<&ThroughError>) -> bool {
        match error {
            Some(ThroughError::NoSourcePort) => {
                self.waiting.entry(object.clone()).or_default().waits()
            }
            Some(_) => true,
            None => {
                let waits = self.waiting.get_mut(object).is_some_and(Patience::goes_on);
                !(waits && self.refused.get(object) == Some(&ThroughError::NoSourcePort))
            }
        }
    }

    fn is_virtual(&self, address: IpAddr) -> bool {
        self.virtuals.contains_key(&address)
    }
}

/// Returns the time since the machine started, by the clock of the kernel's timers.
fn since_start() -> Duration {
    let time = clock_gettime(ClockId::Monotonic);
    let (seconds, nanoseconds) = (u64::try_from(time.tv_sec), u32::try_from(time.tv_nsec));
    Duration::new(seconds.unwrap_or_default(), nanoseconds.unwrap_or_default())
}

/// Gives the checks of a service the marks that they need. `pairs` is what they need marks for.
pub(super) fn lease(
    through: Option<&Arc<Through>>,
    watched: &mut Watched<Probe>,
    pairs: BTreeSet<Pair>,
) -> Result<(), ThroughError> {
    let service = watched.id();
    let Some(through) = through else { return Ok(()) };
    let otherwise = watched.checks_of.values_mut().flat_map(|own| &mut own.checks);
    for (probe, _) in watched.checks.iter_mut().chain(otherwise).filter(|(it, _)| it.through) {
        probe.lease = Some(Lease::new(service, Arc::clone(through)));
    }
    through.watch(service, pairs)
}

impl Through {
    pub(super) fn new(marks: &Marks, updates: Updates) -> Arc<Self> {
        let (leases, changes) = Leases::new(marks);
        let ports = Ports::new(marks, since_start());
        let (virtuals, watched) = (BTreeMap::new(), BTreeSet::new());
        let (refused, waiting) = (BTreeMap::new(), BTreeMap::new());
        let state = Mutex::new(State { leases, ports, virtuals, watched, refused, waiting });
        let through = Self { state, changed: Notify::new(), updates };
        through.tell(changes);
        Arc::new(through)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while the lock is held.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, changes: Changes) {
        let Changes { wishes, forgotten } = changes;
        let forgotten = forgotten.into_iter().map(Update::Forget);
        self.updates.add(wishes.into_iter().map(Update::Wish).chain(forgotten));
        self.changed.notify_waiters();
    }

    /// Checks that the marks suffice for all these services.
    pub(super) fn examine(
        &self,
        all: &BTreeMap<ServiceId, BTreeSet<Pair>>,
    ) -> Result<(), (ServiceId, ThroughError)> {
        self.state().leases.examine(all)
    }

    fn watch(&self, service: ServiceId, pairs: BTreeSet<Pair>) -> Result<(), ThroughError> {
        let mut state = self.state();
        let changes = state.leases.watch(service, pairs)?;
        state.refused.retain(|(of, ..), _| *of != service);
        state.waiting.retain(|(of, ..), _| *of != service);
        if let (true, Some(address)) = (state.watched.insert(service), service.address()) {
            *state.virtuals.entry(address.ip()).or_default() += 1;
        }
        state.ports.forget_old(since_start());
        drop(state);
        self.tell(changes);
        Ok(())
    }

    /// Gives the marks of a service back.
    pub(super) fn forget(&self, service: ServiceId) {
        let mut state = self.state();
        let forgotten = state.leases.forget(service);
        state.refused.retain(|(of, ..), _| *of != service);
        state.waiting.retain(|(of, ..), _| *of != service);
        if let (true, Some(address)) = (state.watched.remove(&service), service.address()) {
            let left = state.virtuals.get(&address.ip()).map_or(0, |count| count.saturating_sub(1));
            match left {
                0 => state.virtuals.remove(&address.ip()),
                _ => state.virtuals.insert(address.ip(), left),
            };
        }
        drop(state);
        self.tell(Changes { wishes: Vec::new(), forgotten });
    }

    /// Gives all marks back.
    pub(super) fn forget_all(&self) {
        let forgotten = self.state().leases.forget_all();
        self.tell(Changes { wishes: Vec::new(), forgotten });
    }

    /// Takes in what the controller says.
    pub(super) fn event(&self, event: &Event) {
        let lost = self.state().leases.event(event);
        if lost {
            self.changed.notify_waiters();
        }
    }

    /// Tells the program that a check is refused, or notes that it is not any more.
    fn refused(
        &self,
        service: ServiceId,
        destination: DestinationId,
        origin: &Origin,
        error: Option<&ThroughError>,
    ) {
        let object = (service, destination, origin.clone());
        let mut state = self.state();
        if !state.is_to_be_told(&object, error) || state.refused.get(&object) == error {
            return;
        }
        let Some(error) = error.cloned() else {
            state.refused.remove(&object);
            return;
        };
        state.refused.insert(object, error.clone());
        drop(state);
        self.updates.add([Update::Refused { service, destination, error }]);
    }
}

#[cfg(test)]
mod tests {
    use std::iter;
    use std::net::SocketAddr;

    use super::*;
    use crate::health::through::MarkRange;

    #[test]
    fn a_check_that_waits_long_for_a_source_port_is_told_once() {
        let marks = Marks::new(MarkRange::new(1..=9).unwrap(), &iter::empty().collect()).unwrap();
        let through = Through::new(&marks, Updates::new());
        let service = ServiceId::tcp(([192, 0, 2, 10], 80).into());
        let destination = DestinationId::from(SocketAddr::from(([10, 0, 0, 2], 80)));
        let say = |error: Option<&ThroughError>| {
            through.refused(service, destination, &Origin::new(), error);
        };
        let told = || iter::from_fn(|| through.updates.try_next()).count();
        let no_port = ThroughError::NoSourcePort;
        // Two checks of three have a port.
        for _ in 0..100 {
            [Some(&no_port), None, None].into_iter().for_each(say);
        }
        assert_eq!(told(), 0);
        // Every second one.
        for _ in 0..100 {
            [Some(&no_port), None].into_iter().for_each(say);
        }
        assert_eq!(told(), 1);
        // All is well for a while, and then not.
        (0..50).for_each(|_| say(None));
        (0..50).for_each(|_| say(Some(&no_port)));
        assert_eq!(told(), 1);
        say(Some(&ThroughError::NoMarks));
        assert_eq!(told(), 1);
    }
}

//! Decides which command is due.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::{Duration, Instant};

use ipvs_netlink::ServiceId;
use ipvs_netlink::health::PoolEvent;
use ipvs_netlink::table::controller::Event;

use crate::announcement::address::{Addresses, Standing, key_of};
use crate::announcement::service::{GRACE, Running, Service, Serving};
use crate::announcement::{Action, AnnouncementStatus, Outcome, Reason, State, Told};
use crate::configuration::{Commands, SharedAddress};

/// Decides which command is due, for all services.
///
/// A service takes clients while its pool is [available](PoolEvent::Available) and the controller says
/// that the table [serves](Event::Serving) it. Of each service one command runs at a time, and of those
/// that share an address none for one state beside one for the other. The newest state wins: a command
/// that is due for an older one does not run, and an `available` command that runs while the service
/// goes down is stopped.
///
/// After each input, and at the time [`next`](Self::next), the program carries out what is
/// [`due`](Self::due).
#[derive(Debug)]
pub struct Announcements {
    pub(super) services: BTreeMap<ServiceId, Service>,
    pub(super) addresses: Addresses,
    /// The services to be looked at.
    pub(super) touched: BTreeSet<ServiceId>,
    pub(super) timers: BTreeSet<(Instant, ServiceId)>,
    /// The services that wait for their turn. Those to be withdrawn come first.
    pub(super) to_withdraw: VecDeque<ServiceId>,
    pub(super) to_announce: VecDeque<ServiceId>,
    pub(super) stops: VecDeque<u64>,
    pub(super) runs: BTreeMap<u64, ServiceId>,
    pub(super) last_number: u64,
    most: usize,
    pub(super) told: VecDeque<Told>,
    /// The services that were forgotten, and need no command any more.
    pub(super) removed: Vec<ServiceId>,
    /// When the machine [was concluded](Self::conclude).
    pub(super) concluded: Option<Instant>,
}

/// A service to be watched.
#[derive(Clone, Debug)]
pub struct Watch {
    /// The service.
    pub service: ServiceId,
    /// Its commands.
    pub commands: Option<Commands>,
    /// How long its checks may need to find a live destination. A service that was never up since the
    /// start is withdrawn after this time, in case that it was announced before.
    pub settles: Duration,
    /// Whether the controller has said that the table serves it.
    pub is_serving: bool,
}

impl Announcements {
    /// Creates a machine without services. At most `most` commands run at a time, one at least.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self {
            services: BTreeMap::new(),
            addresses: Addresses::default(),
            touched: BTreeSet::new(),
            timers: BTreeSet::new(),
            to_withdraw: VecDeque::new(),
            to_announce: VecDeque::new(),
            stops: VecDeque::new(),
            runs: BTreeMap::new(),
            last_number: 0,
            most: most.max(1),
            told: VecDeque::new(),
            removed: Vec::new(),
            concluded: None,
        }
    }

    /// Watches a service, or replaces its commands.
    ///
    /// A service that is announced stays so. If its `available` command is another one now, that runs
    /// once. Commands that are not in the file any more do not run, and what they have announced stays.
    pub fn watch(&mut self, watch: Watch, now: Instant) {
        let Watch { service: id, commands, settles, is_serving } = watch;
        let serving = if is_serving { Serving::Yes } else { Serving::No };
        let neutral = now.checked_add(settles);
        let service = self.services.entry(id).or_insert_with(|| Service::new(serving, neutral));
        if !service.is_watched {
            service.is_watched = true;
            service.neutral = neutral;
            service.down = Reason::NeverAvailable;
            if let Serving::Lost(_) = service.serving {
                service.serving = Serving::No;
            }
        }
        if service.commands != commands {
            let before = service.command(State::Available).to_vec();
            service.commands = commands;
            service.trouble = None;
            let is_same = service.commands.is_some() && before == service.command(State::Available);
            if !is_same && service.told == Some(State::Available) {
                service.told = None;
            }
            if service.commands.is_none() {
                service.told = None;
            }
        }
        let rule = service.commands.as_ref().map(|commands| commands.shared_address);
        let address = key_of(id, rule.unwrap_or(SharedAddress::Ignore));
        if service.address != address {
            let former = std::mem::replace(&mut service.address, address);
            let standing = std::mem::replace(&mut service.standing, Standing::Gone);
            if let Some(key) = address {
                self.addresses.add(key, id);
            }
            if let Some(key) = former {
                if self.addresses.count(key, standing, Standing::Gone) {
                    self.touched.extend(self.addresses.services(key));
                }
                self.addresses.remove(key, id);
            }
        }
        self.update(id, now);
    }

    /// Takes back a service that is not in the file any more. Its `unavailable` command runs, and is
    /// tried again until it has succeeded.
    pub fn forget(&mut self, id: ServiceId, now: Instant) {
        if let Some(service) = self.services.get_mut(&id) {
            (service.is_watched, service.is_available) = (false, false);
            service.goes_down(Reason::Leaves);
            self.update(id, now);
        }
    }

    /// Takes back all services.
    pub fn forget_all(&mut self, now: Instant) {
        let ids: Vec<_> = self.services.keys().copied().collect();
        for id in ids {
            self.forget(id, now);
        }
    }

    /// Notes that the runner's updates say that a service is forgotten. Its pool has said all that it
    /// had to say; one that is watched again since then has a new one.
    pub fn pool_ended(&mut self, id: ServiceId, now: Instant) {
        if let Some(service) = self.services.get_mut(&id) {
            service.is_available = false;
            self.update(id, now);
        }
    }

    /// Takes in what a pool says.
    pub fn pool_event(&mut self, id: ServiceId, event: &PoolEvent, now: Instant) {
        match event {
            PoolEvent::Available => self.available(id, now),
            PoolEvent::Unavailable { until, .. } => self.unavailable(id, *until, now),
            _ => {}
        }
    }

    /// Takes in what the controller says.
    pub fn controller_event(&mut self, event: &Event, now: Instant) {
        match event {
            Event::Serving(id) => self.serving(*id, now),
            Event::NotServing(id) => self.not_serving(*id, now),
            Event::Leaving { service, .. } => self.leaving(*service, now),
            Event::Left(id) => self.left(*id, now),
            _ => {}
        }
    }

    /// Ends the announcing, because the program ends and leaves the table as it is.
    ///
    /// From now on no `available` command begins. Each withdrawal that is due by now begins, and is tried
    /// once, also if it has failed before. What would be due later by itself is left to the next start.
    pub fn conclude(&mut self, now: Instant) {
        self.concluded = Some(now);
        for service in self.services.values_mut() {
            if let Some(trouble) = &mut service.trouble {
                trouble.retry = trouble.retry.min(now);
            }
        }
        self.touched.extend(self.services.keys());
    }

    /// Returns the services that are to be withdrawn, and of which no `unavailable` command has succeeded
    /// yet.
    pub fn not_withdrawn(&self) -> impl Iterator<Item = ServiceId> {
        let waits = |service: &Service| {
            let wanted = self.wanted(service).map(|(state, _)| state);
            wanted == Some(State::Unavailable) && service.told != wanted
        };
        self.services.iter().filter(move |(_, service)| waits(service)).map(|(id, _)| *id)
    }

    /// Notes that the pool of a service has enough live destinations.
    pub fn available(&mut self, id: ServiceId, now: Instant) {
        if let Some(service) = self.services.get_mut(&id) {
            service.is_available = true;
            self.update(id, now);
        }
    }

    /// Notes that the pool of a service has too few live destinations. An operator takes out the last
    /// one after the time `until`, if that is to come.
    pub fn unavailable(&mut self, id: ServiceId, until: Instant, now: Instant) {
        if let Some(service) = self.services.get_mut(&id) {
            service.is_available = false;
            let reason = if until > now { Reason::Maintenance } else { Reason::Dead };
            service.goes_down(reason);
            self.update(id, now);
        }
    }

    /// Takes in whether the pool of a service has enough live destinations, where its events were lost.
    /// `until` is the time after which an operator takes out the last one, if that is to come.
    pub fn pool_is(
        &mut self,
        id: ServiceId,
        available: bool,
        until: Option<Instant>,
        now: Instant,
    ) {
        let before = self.services.get(&id).map(|service| service.is_available);
        match (before, available) {
            (Some(false), true) => self.available(id, now),
            (Some(true), false) => self.unavailable(id, until.unwrap_or(now), now),
            _ => {}
        }
    }

    /// Notes that the table has the service with a usable destination.
    pub fn serving(&mut self, id: ServiceId, now: Instant) {
        if let Some(service) = self.services.get_mut(&id) {
            service.serving = Serving::Yes;
            self.update(id, now);
        }
    }

    /// Notes that the table has no usable destination of the service.
    pub fn not_serving(&mut self, id: ServiceId, now: Instant) {
        if let Some(service) = self.services.get_mut(&id) {
            service.serving = match service.serving {
                Serving::Yes => now.checked_add(GRACE).map_or(Serving::No, Serving::Lost),
                Serving::Lost(from) => Serving::Lost(from),
                Serving::No | Serving::Leaving => Serving::No,
            };
            self.update(id, now);
        }
    }

    /// Notes that the service is about to leave the table.
    pub fn leaving(&mut self, id: ServiceId, now: Instant) {
        if let Some(service) = self.services.get_mut(&id) {
            service.serving = Serving::Leaving;
            service.goes_down(Reason::Leaves);
            self.update(id, now);
        }
    }

    /// Notes that the service has left the table.
    pub fn left(&mut self, id: ServiceId, now: Instant) {
        if let Some(service) = self.services.get_mut(&id) {
            service.serving = Serving::No;
            self.update(id, now);
        }
    }

    /// Takes in the end of a command. Does nothing if no such command runs.
    pub fn ended(&mut self, number: u64, outcome: Outcome, now: Instant) {
        let Some(id) = self.runs.remove(&number) else { return };
        let Some(service) = self.services.get_mut(&id) else { return };
        let Some(running) = service.running.take() else { return };
        let Running { state, begun, attempt, .. } = running;
        let took = now.saturating_duration_since(begun);
        match outcome {
            Outcome::Succeeded(output) => {
                (service.told, service.trouble) = (Some(state), None);
                self.told.push_back(Told::Succeeded { service: id, state, attempt, took, output });
            }
            Outcome::Failed(reason) => {
                let again = service.failed(state, reason.clone(), now);
                let again = self.concluded.is_none().then(|| again.saturating_duration_since(now));
                self.told.push_back(Told::Failed { service: id, state, attempt, reason, again });
            }
            Outcome::Stopped => self.told.push_back(Told::Stopped { service: id, state }),
        }
        if let Some(key) = running.address
            && self.addresses.ended(key, state)
        {
            self.touched.extend(self.addresses.services(key));
        }
        self.update(id, now);
    }

    /// Notes that a command was killed and runs still. Nothing else runs for its service until it ends.
    pub fn stuck(&mut self, number: u64) {
        let Some(id) = self.runs.get(&number).copied() else { return };
        let running = self.services.get_mut(&id).and_then(|service| service.running.as_mut());
        if let Some(running) = running {
            running.is_stuck = true;
            self.told.push_back(Told::Stuck { service: id });
        }
    }

    /// Returns what is to be done at the time `now`. Call it until it returns `None`.
    pub fn due(&mut self, now: Instant) -> Option<Action> {
        let time_of_start = now;
        let now = self.concluded.unwrap_or(now);
        while let Some((time, id)) = self.timers.first().copied().filter(|(time, _)| *time <= now) {
            self.timers.remove(&(time, id));
            self.update(id, now);
        }
        while let Some(id) = self.touched.pop_first() {
            self.look(id, now);
        }
        if let Some(number) = self.stops.pop_front() {
            return Some(Action::Stop(number));
        }
        while self.runs.len() < self.most {
            let (id, state) = match self.to_withdraw.pop_front() {
                Some(id) => (id, State::Unavailable),
                None => (self.to_announce.pop_front()?, State::Available),
            };
            let Some(service) = self.services.get_mut(&id) else { continue };
            if service.ready != Some(state) {
                continue;
            }
            service.ready = None;
            match self.startable(id, now) {
                Some((wanted, reason)) if wanted == state => {
                    if let Some(run) = self.start(id, state, reason, time_of_start) {
                        return Some(Action::Start(run));
                    }
                }
                _ => {}
            }
        }
        None
    }

    /// Returns when something is due: at the time `now`, or later by itself.
    #[must_use]
    pub fn next(&self, now: Instant) -> Option<Instant> {
        let waits = !self.to_withdraw.is_empty() || !self.to_announce.is_empty();
        let has_turn = waits && self.runs.len() < self.most;
        match has_turn || !self.touched.is_empty() || !self.stops.is_empty() {
            true => Some(now),
            false => self.timers.first().map(|(time, _)| *time),
        }
    }

    /// Returns `true` if no command runs and none is due, now or after a failure.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.runs.is_empty()
            && self.services.values().all(|service| {
                let wanted = self.wanted(service);
                wanted.is_none_or(|(state, _)| service.told == Some(state))
            })
    }

    /// Returns `true` if a command runs.
    #[must_use]
    pub fn runs_any(&self) -> bool {
        !self.runs.is_empty()
    }

    /// Takes out what there is to tell people.
    pub fn told(&mut self) -> impl Iterator<Item = Told> + use<'_> {
        self.told.drain(..)
    }

    /// Takes out the services that were forgotten, and need no command any more.
    pub fn removed(&mut self) -> Vec<ServiceId> {
        std::mem::take(&mut self.removed)
    }

    /// Returns what is announced of a service, or `None` without commands.
    #[must_use]
    pub fn status(&self, id: ServiceId, now: Instant) -> Option<AnnouncementStatus> {
        let service = self.services.get(&id)?;
        service.commands.as_ref()?;
        let wanted = self.wanted(service);
        Some(AnnouncementStatus::of(service, wanted.map(|(state, _)| state), now))
    }

    /// Returns the services that are not in the file any more and could not be withdrawn yet.
    pub fn forgotten(&self) -> impl Iterator<Item = ServiceId> {
        self.services.iter().filter(|(_, service)| !service.is_watched).map(|(id, _)| *id)
    }
}

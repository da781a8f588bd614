//! Decides which command is due.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::{Duration, Instant};

use ipvs_netlink::ServiceId;
use ipvs_netlink::health::PoolEvent;
use ipvs_netlink::table::controller::Event;

use crate::announcement::address::{Addresses, Standing, key_of};
use crate::announcement::service::{GRACE, Running, Service, Serving, Trouble};
use crate::announcement::{Action, AnnouncementStatus, Outcome, Reason, Run, State, Told};
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
    services: BTreeMap<ServiceId, Service>,
    addresses: Addresses,
    /// The services to be looked at.
    touched: BTreeSet<ServiceId>,
    timers: BTreeSet<(Instant, ServiceId)>,
    /// The services that wait for their turn. Those to be withdrawn come first.
    to_withdraw: VecDeque<ServiceId>,
    to_announce: VecDeque<ServiceId>,
    stops: VecDeque<u64>,
    runs: BTreeMap<u64, ServiceId>,
    last_number: u64,
    most: usize,
    told: VecDeque<Told>,
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
                let again =
                    service.failed(state, reason.clone(), now).saturating_duration_since(now);
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
        if let Some(service) = self.runs.get(&number) {
            self.told.push_back(Told::Stuck { service: *service });
        }
    }

    /// Returns what is to be done at the time `now`. Call it until it returns `None`.
    pub fn due(&mut self, now: Instant) -> Option<Action> {
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
                    if let Some(run) = self.start(id, state, reason, now) {
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

    /// Notes how a service stands, after something has happened.
    fn update(&mut self, id: ServiceId, now: Instant) {
        let Some(service) = self.services.get_mut(&id) else { return };
        let standing = service.standing(now);
        if service.neutral.is_some_and(|until| until <= now) {
            service.neutral = None;
        }
        let before = std::mem::replace(&mut service.standing, standing);
        self.touched.insert(id);
        if let Some(key) = service.address
            && before != standing
            && self.addresses.count(key, before, standing)
        {
            self.touched.extend(self.addresses.services(key));
        }
    }

    /// Decides what becomes of a service.
    fn look(&mut self, id: ServiceId, now: Instant) {
        let startable = self.startable(id, now);
        let Some(service) = self.services.get(&id) else { return };
        let wanted = self.wanted(service);
        let is_done = wanted.is_none_or(|(state, _)| service.told == Some(state));
        let Some(service) = self.services.get_mut(&id) else { return };
        if let Some(running) = &mut service.running {
            let is_withdrawn = wanted.is_some_and(|(state, _)| state == State::Unavailable);
            if is_withdrawn && running.state == State::Available && !running.is_stopped {
                running.is_stopped = true;
                self.stops.push_back(running.number);
            }
        } else if is_done && !service.is_watched {
            return self.remove(id);
        } else if let Some((state, _)) = startable {
            if service.command(state).is_empty() {
                (service.told, service.trouble) = (Some(state), None);
                self.touched.insert(id);
            } else if service.ready != Some(state) {
                service.ready = Some(state);
                match state {
                    State::Available => self.to_announce.push_back(id),
                    State::Unavailable => self.to_withdraw.push_back(id),
                }
            }
        }
        let next = service.next(now);
        if let Some(time) = std::mem::replace(&mut service.timer, next) {
            self.timers.remove(&(time, id));
        }
        self.timers.extend(next.map(|time| (time, id)));
    }

    /// Returns the command that is to run now, if there is one.
    fn startable(&self, id: ServiceId, now: Instant) -> Option<(State, Reason)> {
        let service = self.services.get(&id)?;
        let (state, reason) = self.wanted(service)?;
        let waits = |trouble: &Trouble| trouble.state == state && trouble.retry > now;
        let opposes = service.address.is_some_and(|key| self.addresses.runs(key, state.opposite()));
        let is_due = service.told != Some(state)
            && service.running.is_none()
            && !service.trouble.as_ref().is_some_and(waits)
            && !opposes;
        is_due.then_some((state, reason))
    }

    /// Returns what the network is to know of a service, and why. `None` if that is to stay as it is.
    fn wanted(&self, service: &Service) -> Option<(State, Reason)> {
        let rule = service.commands.as_ref()?.shared_address;
        let of_address = service.address.map(|key| self.addresses.standing(key));
        let is_up = service.standing == Standing::Up;
        let is_available = match (rule, of_address) {
            (SharedAddress::Ignore, _) | (_, None) => match service.standing {
                Standing::Undecided => return None,
                standing => standing == Standing::Up,
            },
            (SharedAddress::Any, Some(standing)) => match standing {
                Standing::Up if !is_up => return None,
                Standing::Undecided if !service.has_acted => return None,
                standing => standing == Standing::Up,
            },
            (SharedAddress::All, Some(standing)) => match standing {
                Standing::Up if !service.is_watched => return None,
                Standing::Undecided if service.is_watched || !service.has_acted => return None,
                standing => standing == Standing::Up,
            },
        };
        Some(match is_available {
            true => (State::Available, Reason::Serves),
            false if is_up => (State::Unavailable, Reason::Shared),
            false if service.is_available && service.serving != Serving::Leaving => {
                (State::Unavailable, Reason::NotServing)
            }
            false => (State::Unavailable, service.down),
        })
    }

    fn start(&mut self, id: ServiceId, state: State, reason: Reason, now: Instant) -> Option<Run> {
        let service = self.services.get_mut(&id)?;
        let arguments = service.command(state).to_vec();
        let timeout = service.commands.as_ref()?.timeout;
        self.last_number += 1;
        let number = self.last_number;
        let before = service.trouble.as_ref().filter(|trouble| trouble.state == state);
        let attempt = before.map_or(0, |trouble| trouble.failures).saturating_add(1);
        let address = service.address;
        (service.told, service.neutral, service.has_acted) = (None, None, true);
        service.running =
            Some(Running { number, state, address, begun: now, attempt, is_stopped: false });
        if let Some(key) = address {
            self.addresses.began(key, state);
        }
        self.runs.insert(number, id);
        self.told.push_back(Told::Began { service: id, state, attempt, reason });
        Some(Run { number, service: id, state, reason, attempt, arguments, timeout })
    }

    fn remove(&mut self, id: ServiceId) {
        let Some(service) = self.services.remove(&id) else { return };
        if let Some(time) = service.timer {
            self.timers.remove(&(time, id));
        }
        if let Some(key) = service.address {
            self.addresses.remove(key, id);
        }
    }
}

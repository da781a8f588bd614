//! What becomes of a service when something has happened.

use std::time::Instant;

use ipvs_netlink::ServiceId;

use crate::announcement::address::Standing;
use crate::announcement::announcements::Announcements;
use crate::announcement::service::{Running, Service, Serving, Trouble};
use crate::announcement::{Reason, Run, State, Told};
use crate::configuration::SharedAddress;

impl Announcements {
    /// Notes how a service stands, after something has happened.
    pub(super) fn update(&mut self, id: ServiceId, now: Instant) {
        let now = self.concluded.unwrap_or(now);
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
    pub(super) fn look(&mut self, id: ServiceId, now: Instant) {
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
    pub(super) fn startable(&self, id: ServiceId, now: Instant) -> Option<(State, Reason)> {
        let service = self.services.get(&id)?;
        let (state, reason) = self.wanted(service)?;
        let waits = |trouble: &Trouble| trouble.state == state && trouble.retry > now;
        let opposes = service.address.is_some_and(|key| self.addresses.runs(key, state.opposite()));
        let may_begin = self.concluded.is_none() || state == State::Unavailable;
        let is_due = may_begin
            && service.told != Some(state)
            && service.running.is_none()
            && !service.trouble.as_ref().is_some_and(waits)
            && !opposes;
        is_due.then_some((state, reason))
    }

    /// Returns what the network is to know of a service, and why. `None` if that is to stay as it is.
    pub(super) fn wanted(&self, service: &Service) -> Option<(State, Reason)> {
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

    pub(super) fn start(
        &mut self,
        id: ServiceId,
        state: State,
        reason: Reason,
        now: Instant,
    ) -> Option<Run> {
        let service = self.services.get_mut(&id)?;
        let arguments = service.command(state).to_vec();
        let timeout = service.commands.as_ref()?.timeout;
        self.last_number += 1;
        let number = self.last_number;
        let before = service.trouble.as_ref().filter(|trouble| trouble.state == state);
        let attempt = before.map_or(0, |trouble| trouble.failures).saturating_add(1);
        let address = service.address;
        (service.told, service.neutral, service.has_acted) = (None, None, true);
        let (begun, is_stopped, is_stuck) = (now, false, false);
        service.running =
            Some(Running { number, state, address, begun, attempt, is_stopped, is_stuck });
        if let Some(key) = address {
            self.addresses.began(key, state);
        }
        self.runs.insert(number, id);
        self.told.push_back(Told::Began { service: id, state, attempt, reason });
        Some(Run { number, service: id, state, reason, attempt, arguments, timeout })
    }

    fn remove(&mut self, id: ServiceId) {
        let Some(service) = self.services.remove(&id) else { return };
        self.removed.push(id);
        if let Some(time) = service.timer {
            self.timers.remove(&(time, id));
        }
        if let Some(key) = service.address {
            self.addresses.remove(key, id);
        }
    }
}

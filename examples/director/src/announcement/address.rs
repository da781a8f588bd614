//! Services that share an address.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use ipvs_netlink::ServiceId;

use crate::announcement::State;
use crate::configuration::SharedAddress;

/// What services share: an address, and the rule when the address is announced.
pub(super) type AddressKey = (IpAddr, SharedAddress);

/// The addresses that services share.
#[derive(Debug, Default)]
pub(super) struct Addresses(BTreeMap<AddressKey, Members>);

/// The services of one address.
#[derive(Debug, Default)]
struct Members {
    services: BTreeSet<ServiceId>,
    /// How many of them stand how.
    up: usize,
    down: usize,
    undecided: usize,
    /// How many commands run, by what they tell.
    available: usize,
    unavailable: usize,
}

/// How a service stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// It is not watched, and counts no more.
    Gone,
    /// It may come up, because its checks have not decided yet.
    Undecided,
    /// It takes no clients.
    Down,
    /// It takes clients.
    Up,
}

impl Members {
    /// Returns how the address stands. Nothing is known to be wrong with one that is undecided.
    const fn standing(&self, rule: SharedAddress) -> Standing {
        match (rule, self.up, self.down, self.undecided) {
            (SharedAddress::All, 1.., 0, 0) => Standing::Up,
            (SharedAddress::All, _, 0, 1..) => Standing::Undecided,
            (SharedAddress::All, ..) => Standing::Down,
            (_, 1.., ..) => Standing::Up,
            (.., 1..) => Standing::Undecided,
            _ => Standing::Down,
        }
    }

    const fn of(&mut self, standing: Standing) -> Option<&mut usize> {
        match standing {
            Standing::Gone => None,
            Standing::Undecided => Some(&mut self.undecided),
            Standing::Down => Some(&mut self.down),
            Standing::Up => Some(&mut self.up),
        }
    }

    const fn running(&mut self, state: State) -> &mut usize {
        match state {
            State::Available => &mut self.available,
            State::Unavailable => &mut self.unavailable,
        }
    }

    fn is_over(&self) -> bool {
        self.services.is_empty() && self.available == 0 && self.unavailable == 0
    }
}

/// Returns the address of a service, if it has one that others may share.
pub(super) fn key_of(id: ServiceId, rule: SharedAddress) -> Option<AddressKey> {
    let address = id.address()?.ip();
    (rule != SharedAddress::Ignore).then_some((address, rule))
}

impl Addresses {
    /// Returns how an address stands.
    pub(super) fn standing(&self, key: AddressKey) -> Standing {
        self.0.get(&key).map_or(Standing::Down, |members| members.standing(key.1))
    }

    /// Returns the services of an address.
    pub(super) fn services(&self, key: AddressKey) -> Vec<ServiceId> {
        let members = self.0.get(&key);
        members.map_or_else(Vec::new, |members| members.services.iter().copied().collect())
    }

    /// Adds a service that is [gone](Standing::Gone).
    pub(super) fn add(&mut self, key: AddressKey, id: ServiceId) {
        self.0.entry(key).or_default().services.insert(id);
    }

    /// Removes a service that is [gone](Standing::Gone).
    pub(super) fn remove(&mut self, key: AddressKey, id: ServiceId) {
        if let Some(members) = self.0.get_mut(&key) {
            members.services.remove(&id);
        }
        self.end(key);
    }

    /// Notes how a service stands. Returns `true` if the address stands otherwise by it.
    pub(super) fn count(&mut self, key: AddressKey, before: Standing, after: Standing) -> bool {
        let Some(members) = self.0.get_mut(&key) else { return false };
        let stood = members.standing(key.1);
        if let Some(number) = members.of(before) {
            *number = number.saturating_sub(1);
        }
        if let Some(number) = members.of(after) {
            *number += 1;
        }
        stood != members.standing(key.1)
    }

    /// Notes that a command begins.
    pub(super) fn began(&mut self, key: AddressKey, state: State) {
        *self.0.entry(key).or_default().running(state) += 1;
    }

    /// Notes that a command has ended. Returns `true` if it was the last one for this state.
    pub(super) fn ended(&mut self, key: AddressKey, state: State) -> bool {
        let Some(members) = self.0.get_mut(&key) else { return false };
        let running = members.running(state);
        *running = running.saturating_sub(1);
        let is_last = *running == 0;
        self.end(key);
        is_last
    }

    /// Returns `true` if a command runs for this state.
    pub(super) fn runs(&self, key: AddressKey, state: State) -> bool {
        self.0.get(&key).is_some_and(|members| match state {
            State::Available => members.available > 0,
            State::Unavailable => members.unavailable > 0,
        })
    }

    fn end(&mut self, key: AddressKey) {
        if self.0.get(&key).is_some_and(Members::is_over) {
            self.0.remove(&key);
        }
    }
}

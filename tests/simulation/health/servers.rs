//! The servers that the checks meet.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use ipvs_netlink::DestinationId;
use ipvs_netlink::health::{Outcome, Share};

use crate::random::Random;

/// How a server answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Works,
    /// Works, and asks for a part of its weight.
    Asks(u16),
    Refuses,
    /// Answers nothing.
    Silent,
}

/// The time after which a check gives up.
pub(crate) const TIMEOUT: Duration = Duration::from_millis(800);

/// All servers. Those with the same last byte of the address are one machine.
#[derive(Debug)]
pub(crate) struct Servers {
    random: Random,
    states: BTreeMap<u8, (State, Instant)>,
    checks: Random,
    heals: bool,
}

fn machine(id: DestinationId) -> u8 {
    match id.address.ip() {
        std::net::IpAddr::V4(address) => address.octets()[3],
        std::net::IpAddr::V6(address) => address.octets()[15],
    }
}

impl Servers {
    pub(crate) fn new(seed: u64) -> Self {
        let random = Random::fork(seed, "servers");
        let checks = Random::fork(seed, "checks");
        Self { random, states: BTreeMap::new(), checks, heals: false }
    }

    /// One server changes, or many at once.
    pub(crate) fn change(&mut self, now: Instant) {
        self.heals = false;
        let most = u32::from(crate::universe::SERVERS);
        let state = self.random.one([
            State::Works,
            State::Works,
            State::Works,
            State::Refuses,
            State::Refuses,
            State::Silent,
            State::Asks(50),
            State::Asks(0),
        ]);
        let machines = match self.random.below(10) {
            0 => 1..=most,
            1 => 1..=self.random.between(1, most),
            _ => {
                let one = self.random.between(1, most);
                one..=one
            }
        };
        for machine in machines {
            let machine = u8::try_from(machine).expect("a few machines");
            let before = self.states.insert(machine, (state, now));
            if let Some((_, since)) =
                before.filter(|(before, _)| is_good(*before) == is_good(state))
            {
                self.states.insert(machine, (state, since));
            }
        }
    }

    pub(crate) fn heal(&mut self, now: Instant) {
        self.heals = true;
        for (state, since) in self.states.values_mut() {
            if *state != State::Works {
                (*state, *since) = (State::Works, now);
            }
        }
    }

    /// The result of a check that begins now, and how long it takes.
    pub(crate) fn check(&mut self, id: DestinationId) -> (Outcome, Duration) {
        let state = self.states.get(&machine(id)).map_or(State::Works, |(state, _)| *state);
        let time = self.checks.pause(0, 20);
        if !self.heals && self.checks.rarely(5) {
            return (Outcome::not_done("no descriptors"), time);
        }
        match state {
            State::Works => (Outcome::passed(), time),
            State::Asks(percent) => (Outcome::Passed(Share::percent(percent)), time),
            State::Refuses => (Outcome::failed("refused"), time),
            State::Silent => (Outcome::failed("timeout"), TIMEOUT),
        }
    }

    /// Since when the server fails its checks, if it does.
    pub(crate) fn fails_since(&self, id: DestinationId) -> Option<Instant> {
        let (state, since) = self.states.get(&machine(id))?;
        matches!(state, State::Refuses | State::Silent).then_some(*since)
    }

    /// Since when the server works without a reserve, if that was not always so.
    pub(crate) fn works(&self, id: DestinationId, since: Instant) -> bool {
        match self.states.get(&machine(id)) {
            None => true,
            Some((state, begun)) => *state == State::Works && *begun <= since,
        }
    }
}

const fn is_good(state: State) -> bool {
    matches!(state, State::Works | State::Asks(1..))
}

//! What the program is told to watch: services, policies and checks at random.

use std::time::Duration;

use ipvs_netlink::health::{
    Checks, Combination, Damping, Pace, PoolPolicy, SlowStart, Watched, WhenDead,
};
use ipvs_netlink::table::{TableDestination, TableService};
use ipvs_netlink::{Destination, DestinationId, ServiceId};

use crate::profile::Profile;
use crate::random::Random;
use crate::universe::{SERVERS, server};
use crate::wishes::{Taste, destination, edited, service};

#[derive(Debug)]
pub(crate) struct Desires {
    random: Random,
    services: Vec<ServiceId>,
    taste: Taste,
    pace: Pace,
}

impl Desires {
    pub(crate) fn new(profile: &Profile, index: usize, services: Vec<ServiceId>) -> Self {
        let mut random = Random::fork(profile.seed, &format!("desires {index}"));
        let seconds = |random: &mut Random| Duration::from_secs(random.one([1, 2, 5]));
        let pace = Pace::new()
            .interval(seconds(&mut random))
            .down(seconds(&mut random))
            .changing(Duration::from_millis(random.one([200, 500, 1_000])))
            .rise(random.between(1, 3))
            .fall(random.between(1, 3))
            .damping(random.chance(50).then(Damping::new));
        let taste = Taste { any_weight: profile.taste.any_weight, impossible: false, servers: 5 };
        Self { random, services, taste, pace }
    }

    pub(crate) fn services(&self) -> &[ServiceId] {
        &self.services
    }

    /// Any server of a service.
    pub(crate) fn server(&mut self, of: ServiceId) -> DestinationId {
        let host = self.random.between(1, u32::from(SERVERS));
        server(of, u16::try_from(host).expect("a few hosts"))
    }

    pub(crate) fn fresh(&mut self, id: ServiceId) -> Watched<u8> {
        let random = &mut self.random;
        let mut new = TableService::new(service(random, id));
        for _ in 0..random.between(1, 5) {
            new.insert(destination(random, id));
        }
        let policy = policy(random, id);
        let combination = random.one([Combination::All, Combination::All, Combination::Any]);
        let mut watched = Watched::new(new).policy(policy).combination(combination);
        for check in 0..random.one([1, 1, 2]) {
            watched = watched.check(check, self.pace);
        }
        watched
    }

    /// A single difference.
    pub(crate) fn edited(&mut self, old: &Watched<u8>) -> Watched<u8> {
        let random = &mut self.random;
        let mut new = old.clone();
        match random.below(10) {
            0..=5 => new.service = edited(random, self.taste, &old.service),
            6 => new.service = self.fresh(old.id()).service,
            7 | 8 => new.policy = policy(random, old.id()),
            // Another check takes the place of the first.
            _ if random.chance(50) => new.checks = vec![(random.one([2, 3]), self.pace)],
            _ => {
                // A destination is checked otherwise, or not at all, or as the others again.
                let ids: Vec<_> = old.service.destinations().map(TableDestination::id).collect();
                let Some(to) = random.pick(&ids).copied() else { return new };
                let check = random.one([Some(0), Some(1), Some(2), None]);
                if new.checks_of.remove(&to).is_none() || random.chance(50) {
                    let mut checks = Checks::new();
                    checks.checks.extend(check.map(|check| (check, self.pace)));
                    new.checks_of.insert(to, checks);
                }
            }
        }
        new
    }
}

fn policy(random: &mut Random, id: ServiceId) -> PoolPolicy {
    let sorry: Option<Destination> = random.chance(30).then(|| destination(random, id));
    let slow = random.chance(30).then(|| {
        let time = Duration::from_secs(random.one([2, 20]));
        SlowStart::new(time).steps(random.between(2, 10))
    });
    PoolPolicy::new()
        .quorum(random.one([1, 1, 2]))
        .hysteresis(random.one([0, 0, 1]))
        .panic(random.one([0, 0, 0, 50]))
        .keep_last(!random.chance(15))
        .sorry(sorry)
        .slow_start(slow)
        .when_dead(random.one([WhenDead::Auto, WhenDead::WeightZero, WhenDead::Delete]))
        .hold(Duration::from_millis(random.one([0, 0, 500, 5_000])))
}

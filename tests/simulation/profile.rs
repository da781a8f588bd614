//! What a seed decides about a run before it begins.

use std::time::Duration;

use ipvs_netlink::ServiceId;
use ipvs_netlink::table::controller::{ControllerOptions, RetryPolicy};
use ipvs_netlink::table::{Actions, DrainPolicy, DrainUntil, OnFailure, PlanOptions, Scope};

use crate::random::Random;
use crate::universe::{NETWORK, Universe};
use crate::wishes::Taste;

/// Who takes part in a run. To find what a failure needs, the run is repeated without one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Actors {
    pub(crate) foreign: bool,
    pub(crate) connections: bool,
    pub(crate) faults: bool,
    /// Steps that are not answered, or late, and controllers that start again.
    pub(crate) crashes: bool,
    /// Steps take time.
    pub(crate) latency: bool,
    /// Some services are watched by a program that checks their servers.
    pub(crate) health: bool,
}

impl Actors {
    /// The names of the actors that can be left out.
    pub(crate) const NAMES: [&str; 6] =
        ["latency", "connections", "crashes", "foreign", "faults", "health"];

    /// Takes an actor out of the run.
    pub(crate) fn leave_out(&mut self, name: &str) {
        match name {
            "foreign" => self.foreign = false,
            "connections" => self.connections = false,
            "faults" => self.faults = false,
            "crashes" => self.crashes = false,
            "latency" => self.latency = false,
            "health" => self.health = false,
            _ => {}
        }
    }
}

/// The settings of a run.
#[derive(Clone, Debug)]
pub(crate) struct Profile {
    pub(crate) seed: u64,
    pub(crate) controllers: usize,
    pub(crate) large: bool,
    pub(crate) actors: Actors,
    pub(crate) taste: Taste,
    /// How long user, others and faults are at work, and how often that happens.
    pub(crate) storm: Duration,
    pub(crate) storms: u32,
    /// The longest pause between two inputs of the user, of others, and between two faults, in
    /// milliseconds.
    pub(crate) user_pause: u32,
    pub(crate) foreign_pause: u32,
    pub(crate) fault_pause: u32,
    pub(crate) health_pause: u32,
}

impl Profile {
    pub(crate) fn new(seed: u64) -> Self {
        let mut random = Random::fork(seed, "profile");
        let mut health = Random::fork(seed, "health profile");
        let large = random.chance(2);
        let controllers = if large { 1 } else { random.one([1, 1, 1, 2, 3]) };
        let taste = Taste {
            any_weight: random.chance(40),
            impossible: random.chance(50),
            servers: if large { 2 } else { 5 },
        };
        let actors = Actors {
            foreign: random.chance(60),
            connections: random.chance(80),
            faults: random.chance(60),
            crashes: random.chance(50),
            latency: random.chance(70),
            health: health.chance(50) && !large,
        };
        let storm = match large {
            true => random.between(20, 40),
            false => random.between(30, 240),
        };
        Self {
            seed,
            controllers,
            large,
            actors,
            taste,
            storm: Duration::from_secs(u64::from(storm)),
            storms: if large { 1 } else { random.between(1, 3) },
            user_pause: random.one([300, 2_000, 2_000, 10_000, 40_000]),
            foreign_pause: random.one([500, 3_000, 10_000, 60_000]),
            fault_pause: random.one([1_000, 5_000, 5_000, 30_000]),
            health_pause: health.one([300, 2_000, 2_000, 10_000]),
        }
    }

    /// Nothing happens that makes a controller wait for anything but its drains.
    pub(crate) const fn is_faultless(&self) -> bool {
        !self.actors.foreign
            && !self.actors.faults
            && !self.actors.crashes
            && !self.taste.impossible
    }

    /// Nobody but the controllers writes to the kernel, and it does what they ask for.
    pub(crate) const fn is_undisturbed(&self) -> bool {
        !self.actors.foreign && !self.actors.faults
    }

    /// The options of the controller with this index.
    pub(crate) fn options(&self, universe: &Universe, index: usize) -> ControllerOptions {
        let mut random = Random::fork(self.seed, &format!("options {index}"));
        let first = random.one([100, 1_000, 1_000]);
        let retry = RetryPolicy::new()
            .first(Duration::from_millis(first))
            .most(Duration::from_secs(random.one([2, 10, 60])));
        ControllerOptions::new()
            .plan(self.plan(&mut random, universe, index))
            .resync(Duration::from_secs(random.one([5, 20, 60, 60, 120])))
            .retry(retry)
            .hold(Duration::from_millis(random.one([0, 0, 0, 500, 5_000])))
            .seed(random.number())
    }

    fn plan(&self, random: &mut Random, universe: &Universe, index: usize) -> PlanOptions {
        let plan = PlanOptions::new()
            .scope(scope(random, universe, index))
            .keep_weights(self.taste.any_weight && random.chance(70))
            .drain(drain(random));
        let plan = match random.chance(10) {
            true => plan.on_failure(OnFailure::Stop),
            false => plan,
        };
        match random.chance(10) {
            true => {
                let forbidden = random.one([
                    Actions::CHANGE_SCHEDULER,
                    Actions::UPDATE_SERVICE,
                    Actions::DELETE_SERVICE,
                    Actions::DELETE_DESTINATION,
                    Actions::ADD_SERVICE,
                ]);
                plan.allowed(Actions::all() - forbidden)
            }
            false => plan,
        }
    }
}

fn drain(random: &mut Random) -> Option<DrainPolicy> {
    if random.chance(10) {
        return None;
    }
    let until = random.one([
        DrainUntil::NoTraffic,
        DrainUntil::NoTraffic,
        DrainUntil::NoActive,
        DrainUntil::NoConnections,
        DrainUntil::NoClients,
    ]);
    let deadline = random.one([None, Some(0), Some(3), Some(10), Some(30), Some(30)]);
    let policy = DrainPolicy::new()
        .until(until)
        .quiet(Duration::from_secs(random.one([3, 5])))
        .deadline(deadline.map(Duration::from_secs))
        .interval(Duration::from_millis(random.one([250, 500, 500, 2_000])));
    Some(policy)
}

/// A scope that holds the services of its controller and no others, said in one of many ways.
fn scope(random: &mut Random, universe: &Universe, index: usize) -> Scope {
    let mine = universe.of(index);
    let others: Vec<ServiceId> = (0..=universe.controllers)
        .filter(|owner| *owner != index)
        .flat_map(|owner| universe.of(owner))
        .collect();
    let named = |ids: &[ServiceId]| ids.iter().fold(Scope::new(), |scope, id| scope.service(*id));
    let network = NETWORK.parse().expect("a network");
    match random.below(7) {
        // No more than what is wished.
        0 | 1 => Scope::new(),
        2 => Scope::new().everything().except(named(&others)),
        3 => Scope::only(named(&mine)),
        4 => {
            let mine: std::collections::BTreeSet<_> = mine.into_iter().collect();
            Scope::only(Scope::new().matching(move |id| mine.contains(&id)))
        }
        5 => {
            let marks = others.iter().fold(Scope::new(), |scope, id| scope.service(*id));
            Scope::only(Scope::new().network(network).marks(1..=2).ports(1..=65535)).except(marks)
        }
        _ => named(&mine[..mine.len() / 2]),
    }
}

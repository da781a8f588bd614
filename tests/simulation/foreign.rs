//! Another program, which writes the same table and asks nobody.

use std::time::Duration;

use ipvs_netlink::{Change, ServiceId, Snapshot};

use crate::profile::Profile;
use crate::random::Random;
use crate::universe::Universe;
use crate::wishes::{destination, service};

/// The other program.
#[derive(Debug)]
pub(crate) struct Foreign {
    random: Random,
}

impl Foreign {
    pub(crate) fn new(profile: &Profile) -> Self {
        Self { random: Random::fork(profile.seed, "foreign") }
    }

    pub(crate) fn pause(&mut self, longest: u32) -> Duration {
        self.random.pause(50, longest)
    }

    /// The next changes, which a kernel without faults makes.
    pub(crate) fn act(&mut self, universe: &Universe, truth: &Snapshot) -> Vec<Change> {
        let mut changes = Vec::new();
        for _ in 0..self.random.one([1, 1, 1, 2, 4]) {
            changes.extend(self.change(universe, truth));
        }
        changes
    }

    fn change(&mut self, universe: &Universe, truth: &Snapshot) -> Vec<Change> {
        let there: Vec<ServiceId> = truth.services().map(|present| present.id()).collect();
        let any = universe.any(&mut self.random);
        if truth.service(any).is_none() && self.random.chance(25) {
            return self.new_service(any);
        }
        let Some(id) = self.random.pick(&there).copied() else { return self.new_service(any) };
        let Some(present) = truth.service(id) else { return Vec::new() };
        let entry = self.random.pick(&present.destinations).cloned();
        let change = match (self.random.below(100), entry) {
            (0..=9, _) => Change::DeleteService(id),
            (10..=19, _) => {
                let mut settings = service(&mut self.random, id);
                settings.id = id;
                Change::UpdateService(settings)
            }
            (20, _) if self.random.chance(15) => Change::Flush,
            (21..=44, Some(entry)) => Change::DeleteDestination(id, entry.destination.id),
            (45..=74, Some(entry)) => {
                let weight = self.random.one([0, 0, 1, 2, 5]);
                Change::UpdateDestination(id, entry.destination.weight(weight))
            }
            _ => {
                let new = destination(&mut self.random, id);
                match present.destination(new.id).is_some() {
                    true => Change::UpdateDestination(id, new),
                    false => Change::AddDestination(id, new),
                }
            }
        };
        vec![change]
    }

    fn new_service(&mut self, id: ServiceId) -> Vec<Change> {
        let mut changes = vec![Change::AddService(service(&mut self.random, id))];
        let new = destination(&mut self.random, id);
        changes.push(Change::AddDestination(id, new));
        changes
    }
}

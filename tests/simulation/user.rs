//! A user who changes their mind.

use std::collections::BTreeSet;

use ipvs_netlink::ServiceId;
use ipvs_netlink::table::controller::{ControllerOptions, Wish};
use ipvs_netlink::table::{Table, TableService};

use crate::judge::wishes::Wishes;
use crate::profile::Profile;
use crate::random::Random;
use crate::universe::Universe;
use crate::wishes::{Taste, edited, is_possible, table_service, wish};

/// What a user asks of a controller.
#[derive(Clone, Debug)]
pub(crate) enum Input {
    Wish(Box<Wish>),
    Forget(ServiceId),
    WishAll(Vec<Wish>),
    Resynchronize,
}

impl Input {
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Wish(_) => "wish",
            Self::Forget(_) => "forget",
            Self::WishAll(_) => "wish-all",
            Self::Resynchronize => "resynchronize",
        }
    }
}

/// The user of one controller.
#[derive(Debug)]
pub(crate) struct User {
    random: Random,
    taste: Taste,
    mine: Vec<ServiceId>,
    /// Services that the scope refuses, wished or not.
    outside: Vec<ServiceId>,
    large: bool,
}

impl User {
    pub(crate) fn new(
        profile: &Profile,
        universe: &Universe,
        options: &ControllerOptions,
        index: usize,
    ) -> Self {
        let mut mine = universe.of(index);
        if profile.actors.health {
            let watched = universe.watched(index);
            mine.retain(|id| !watched.contains(id));
        }
        let refused = |id: &ServiceId| {
            let wished = TableService::new(ipvs_netlink::Service::new(*id));
            !options.plan.scope.contains(*id, &Table::from_iter([wished]))
        };
        let others = (0..=universe.controllers).filter(|owner| *owner != index);
        let outside = others.flat_map(|owner| universe.of(owner)).filter(refused).collect();
        Self {
            random: Random::fork(profile.seed, &format!("user {index}")),
            taste: profile.taste,
            mine,
            outside,
            large: profile.large,
        }
    }

    /// The milliseconds until the next input.
    pub(crate) fn pause(&mut self, longest: u32) -> std::time::Duration {
        // Now and then several inputs come in a moment.
        match self.random.chance(15) {
            true => self.random.pause(0, 20),
            false => self.random.pause(10, longest),
        }
    }

    /// The wishes at the start.
    pub(crate) fn begin(&mut self) -> Input {
        let share = if self.large { 98 } else { 70 };
        let mut wishes = Vec::new();
        for id in self.mine.clone() {
            if self.random.chance(share) {
                wishes.push(self.fresh(id));
            }
        }
        Input::WishAll(wishes)
    }

    fn fresh(&mut self, id: ServiceId) -> Wish {
        let service = table_service(&mut self.random, self.taste, id);
        wish(&mut self.random, service)
    }

    fn changed(&mut self, wishes: &Wishes, id: ServiceId) -> Wish {
        match wishes.current.get(&id) {
            Some(old) if self.random.chance(80) => {
                let service = edited(&mut self.random, self.taste, old.service());
                wish(&mut self.random, service)
            }
            _ => self.fresh(id),
        }
    }

    /// The next input.
    pub(crate) fn act(&mut self, wishes: &Wishes) -> Input {
        let Some(id) = self.random.pick(&self.mine).copied() else {
            return Input::Resynchronize;
        };
        match self.random.below(100) {
            0..=71 => Input::Wish(Box::new(self.changed(wishes, id))),
            72..=74 => match wishes.current.get(&id) {
                // The same once more changes nothing.
                Some(same) => Input::Wish(Box::new(same.clone())),
                None => Input::Forget(id),
            },
            75..=90 => Input::Forget(id),
            91..=94 => self.all(wishes),
            95 | 96 => match self.random.pick(&self.outside).copied() {
                Some(outside) if !wishes.current.contains_key(&outside) => {
                    Input::Wish(Box::new(self.fresh(outside)))
                }
                Some(outside) => Input::Forget(outside),
                None => Input::Forget(id),
            },
            97 => Input::Resynchronize,
            _ => Input::Wish(Box::new(self.changed(wishes, id))),
        }
    }

    /// Everything at once, of which most stays.
    fn all(&mut self, wishes: &Wishes) -> Input {
        let mut all = Vec::new();
        let changes = self.random.one([2, 10, 50]);
        for id in self.mine.clone() {
            match wishes.current.get(&id) {
                Some(old) if !self.random.chance(changes) => all.push(old.clone()),
                Some(_) if self.random.chance(30) => {}
                None if !self.random.chance(20) => {}
                _ => all.push(self.changed(wishes, id)),
            }
        }
        Input::WishAll(all)
    }

    /// The wishes of a program that has started again, which has forgotten some. Its pools wish
    /// the `watched` ones themselves.
    pub(crate) fn again(
        &mut self,
        wishes: &Wishes,
        watched: impl Fn(ServiceId) -> bool,
    ) -> Vec<Wish> {
        let kept = wishes.current.values().filter(|_| !self.random.chance(8));
        kept.filter(|wish| !watched(wish.id())).cloned().collect()
    }

    /// Replaces wishes that no kernel can carry out.
    pub(crate) fn come_to_reason(&mut self, wishes: &Wishes) -> Vec<Input> {
        let impossible: BTreeSet<ServiceId> = wishes
            .current
            .values()
            .filter(|wish| !is_possible(wish.service()))
            .map(Wish::id)
            .collect();
        let taste = Taste { impossible: false, ..self.taste };
        let mut inputs = Vec::new();
        for id in impossible {
            let service = table_service(&mut self.random, taste, id);
            inputs.push(Input::Wish(Box::new(Wish::new(service))));
        }
        inputs
    }
}

//! What is known of one virtual service that is watched.

use std::collections::BTreeSet;
use std::mem;

use ipvs_netlink::DestinationId;
use ipvs_netlink::kubernetes::ObjectName;
use ipvs_netlink::table::TableService;
use ipvs_netlink::table::controller::Wish;

use super::effective::{Effective, effective};
use super::targets::{Target, targets};

/// A virtual service that is watched.
#[derive(Debug)]
pub(super) struct State {
    pub(super) name: ObjectName,
    pub(super) desired: TableService,
    /// The number of checks of each endpoint.
    pub(super) checks: usize,
    /// What the pool said last.
    pub(super) wish: Option<Wish>,
    /// The endpoints about which checks have decided.
    judged: BTreeSet<DestinationId>,
    /// Others that serve as the conversion gives them: those that cannot be checked, and those that came when
    /// nobody else was left.
    unchecked: BTreeSet<DestinationId>,
    keeps_all: bool,
}

impl State {
    /// Begins to watch a virtual service of which the pool has not said anything.
    pub(super) const fn new(name: ObjectName, desired: TableService, checks: usize) -> Self {
        Self {
            name,
            desired,
            checks,
            wish: None,
            judged: BTreeSet::new(),
            unchecked: BTreeSet::new(),
            keeps_all: false,
        }
    }

    /// Goes on with another version of the virtual service.
    pub(super) fn changed(self, name: ObjectName, desired: TableService, checks: usize) -> Self {
        Self { name, desired, checks, ..self }
    }

    /// Returns its checks.
    pub(super) fn targets(&self) -> Vec<Target> {
        targets(&self.name, &self.desired, self.checks)
    }

    /// Takes in that checks have decided about an endpoint.
    pub(super) fn judged(&mut self, destination: DestinationId) {
        self.judged.insert(destination);
        self.unchecked.remove(&destination);
    }

    /// Takes in that an endpoint cannot be checked. Returns `false` if that changes nothing.
    pub(super) fn cannot_check(&mut self, destination: DestinationId) -> bool {
        let is_there = self.desired.destination(destination).is_some();
        let concerns = is_there && !self.judged.contains(&destination);
        if concerns {
            self.unchecked.insert(destination);
        }
        concerns
    }

    /// Returns what the table is to hold, if the pool has said anything, and what the log should have of it.
    pub(super) fn take_effective(&mut self) -> Option<(Wish, Option<&'static str>)> {
        let there = |it: &DestinationId| self.desired.destination(*it).is_some();
        self.judged.retain(there);
        self.unchecked.retain(there);
        let wish = self.wish.as_ref()?;
        let Effective { wish, mut keeps_all } = effective(&self.desired, wish, &self.unchecked);
        if keeps_all {
            // Those that serve before their first checks do so until these have decided.
            let given = self.desired.destinations().filter(|it| it.destination().weight > 0);
            let ids = given.map(|it| it.id());
            self.unchecked = ids.filter(|it| !self.judged.contains(it)).collect();
            keeps_all = self.unchecked.is_empty();
        }
        let is_new = mem::replace(&mut self.keeps_all, keeps_all) != keeps_all;
        let told = match keeps_all {
            true => "all endpoints fail their checks, and so all stay",
            false => "not all endpoints fail their checks any more",
        };
        Some((wish, is_new.then_some(told)))
    }
}

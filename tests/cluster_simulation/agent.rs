//! The agent of the node: what a program makes of a `Converter` and a `Controller`.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::{Duration, Instant};

use ipvs_netlink::kubernetes::{
    Changes, Converter, Event, ObjectName, ServiceFacts, Skipped, VirtualService, scopes,
};
use ipvs_netlink::table::controller::{
    Controller, ControllerOptions, Next, RetryPolicy, Task, Wish,
};
use ipvs_netlink::table::{DrainPolicy, PlanOptions, Scope, TableService};
use ipvs_netlink::{Protocol, ServiceId};

use crate::broken::Bug;
use crate::cluster::Cluster;
use crate::kernel::FOREIGN;
use crate::random::Random;

/// The sum of all changes of the converter.
#[derive(Debug, Default)]
pub(crate) struct Sum {
    pub(crate) virtual_services: BTreeMap<ServiceId, VirtualService>,
    pub(crate) addresses: BTreeSet<IpAddr>,
    pub(crate) services: BTreeMap<ObjectName, ServiceFacts>,
    pub(crate) skipped: Vec<Skipped>,
}

impl Sum {
    fn add(&mut self, changes: &Changes) {
        for (service, facts) in &changes.set {
            self.virtual_services.insert(service.id(), facts.clone());
        }
        for id in &changes.removed {
            self.virtual_services.remove(id);
        }
        self.addresses.extend(&changes.addresses_added);
        self.addresses.retain(|address| !changes.addresses_removed.contains(address));
        for (name, facts) in &changes.services {
            match facts {
                Some(facts) => self.services.insert(name.clone(), facts.clone()),
                None => self.services.remove(name),
            };
        }
        for gone in &changes.skipped_removed {
            let at = self.skipped.iter().position(|it| it == gone);
            self.skipped.remove(at.unwrap_or_else(|| panic!("{gone}: was not told")));
        }
        self.skipped.extend_from_slice(&changes.skipped_added);
    }
}

/// A program on a node.
#[derive(Debug)]
pub(crate) struct Agent {
    pub(crate) converter: Converter,
    pub(crate) controller: Controller,
    pub(crate) options: ControllerOptions,
    pub(crate) sum: Sum,
    /// Whether the program keeps the ids of its services over a restart. Otherwise its scope is
    /// all that kube-proxy would own.
    keeps_ids: bool,
    bug: Option<Bug>,
}

/// The longest time from silence to the right table. The next resynchronization finds what others
/// did. What failed before, or was undone, waits for its next attempt, which may find more and wait
/// once again. Then come the drain, and a last look.
pub(crate) fn longest(options: &ControllerOptions) -> Duration {
    let drain = options
        .plan
        .drain
        .map_or(Duration::ZERO, |drain| drain.deadline.unwrap_or_default() + drain.interval * 4);
    options.resync.mul_f64(1.1) + options.retry.most * 3 + drain + Duration::from_secs(10)
}

impl Agent {
    /// Starts the program when all objects have come.
    pub(crate) fn new(seed: u64, cluster: &Cluster, bug: Option<Bug>) -> Self {
        let mut random = Random::fork(seed, "agent");
        let keeps_ids = random.chance(50);
        let foreign = [FOREIGN.parse().expect("a network")];
        let scope = match keeps_ids && bug != Some(Bug::Greedy) {
            true => Scope::new(),
            false if bug == Some(Bug::Greedy) => Scope::new().everything(),
            false => scopes::in_place_of_kube_proxy(&foreign),
        };
        let drain = DrainPolicy::new()
            .deadline(Some(Duration::from_secs(random.one([0, 3, 10, 30]))))
            .interval(Duration::from_millis(500));
        let retry = RetryPolicy::new().most(Duration::from_secs(random.one([2, 10, 30])));
        let options = ControllerOptions::new()
            .plan(PlanOptions::new().scope(scope).drain(Some(drain)))
            .resync(Duration::from_secs(random.one([5, 20, 60])))
            .retry(retry)
            .seed(random.number());
        let mut agent = Self {
            converter: Converter::new(&cluster.options),
            controller: Controller::new(options.clone()),
            options,
            sum: Sum::default(),
            keeps_ids,
            bug,
        };
        agent.begin(cluster);
        agent
    }

    /// Converts all objects, and wishes the whole table before the first step.
    fn begin(&mut self, cluster: &Cluster) {
        let changes = self.converter.apply_all(cluster.everything());
        self.sum.add(&changes);
        self.controller.wish_all(changes.set.into_iter().map(|(service, _)| wish(service)));
    }

    /// Starts the program again.
    pub(crate) fn restart(&mut self, cluster: &Cluster) {
        let owned: BTreeSet<ServiceId> = match self.bug {
            Some(Bug::Forgetful) => BTreeSet::new(),
            _ => self.controller.owned().filter(|_| self.keeps_ids).collect(),
        };
        self.converter = Converter::new(&cluster.options);
        self.controller = Controller::new(self.options.clone());
        self.sum = Sum::default();
        self.begin(cluster);
        self.controller.formerly(owned);
    }

    /// Applies what a watch tells.
    pub(crate) fn apply(&mut self, events: Vec<Event>) {
        let changes = self.converter.apply_all(events);
        self.sum.add(&changes);
        for id in changes.removed {
            if self.bug != Some(Bug::Hoarder) {
                self.controller.forget(id);
            }
        }
        for (service, _) in changes.set {
            self.controller.wish(wish(service));
        }
    }

    /// Applies a list after a watch broke: what it does not have is gone.
    pub(crate) fn relist(&mut self, cluster: &Cluster) {
        let mut events = vec![Event::Options(cluster.options.clone())];
        events.extend(cluster.everything());
        let converter = &self.converter;
        if self.bug != Some(Bug::Additive) {
            let gone = converter.services().filter(|it| !cluster.services.contains_key(*it));
            events.extend(gone.cloned().map(Event::ServiceDeleted));
            let gone = converter.slices().filter(|it| !cluster.slices.contains_key(*it));
            events.extend(gone.cloned().map(Event::SliceDeleted));
            let gone = converter.nodes().filter(|it| !cluster.nodes.contains_key(*it));
            events.extend(gone.map(|it| Event::NodeDeleted(it.to_owned())));
            let gone = converter.pods().filter(|it| !cluster.pods.contains_key(*it));
            events.extend(gone.cloned().map(Event::PodDeleted));
        }
        self.apply(events);
    }

    /// Returns the next task, or the time to wait for.
    pub(crate) fn next(&mut self, now: Instant) -> Result<Task, Option<Instant>> {
        let next = self.controller.next(now);
        self.controller.events().for_each(drop);
        match next {
            Next::Do(task) => Ok(task),
            Next::Wait(until) => Err(until),
        }
    }
}

/// Destinations of TCP drain, and those of UDP and SCTP leave at once.
fn wish(service: TableService) -> Wish {
    let drains = matches!(service.id(), ServiceId::Address { protocol: Protocol::TCP, .. });
    let wish = Wish::new(service);
    if drains { wish } else { wish.all_at_once() }
}

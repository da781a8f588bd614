//! Which virtual services are watched, and what the table is to hold of them.

use std::collections::{BTreeMap, BTreeSet};
use std::mem;
use std::sync::Arc;

use ipvs_netlink::health::Watched;
use ipvs_netlink::health::probe::Probe;
use ipvs_netlink::kubernetes::{Changes, ObjectName, VirtualService};
use ipvs_netlink::table::TableService;
use ipvs_netlink::table::controller::Wish;
use ipvs_netlink::{DestinationId, ServiceId};

use super::document::Document;
use super::names::Names;
use super::state::State;
use super::targets::{Targets, targets};
use super::{CheckOptions, left_out};

/// Decides which virtual services are watched, and what follows from checks.
#[derive(Debug)]
pub(super) struct Watching {
    options: CheckOptions,
    /// Why nothing is checked, if it is so.
    off: Option<String>,
    annotations: BTreeMap<ObjectName, Annotation>,
    /// The Kubernetes services of all virtual services that are wished.
    names: Names,
    watched: BTreeMap<ServiceId, State>,
    /// The virtual services whose end the runner has not told yet, and how often it will.
    ending: BTreeMap<ServiceId, usize>,
    targets: Targets,
    /// Virtual services with an annotation that are not watched, and why.
    refused: BTreeMap<ServiceId, String>,
    /// Those that are refused for want of room.
    crowded_out: BTreeMap<ServiceId, (TableService, VirtualService)>,
    /// Checks have ended since these were looked at.
    has_room: bool,
    /// The virtual services of which something has changed.
    touched: BTreeSet<ServiceId>,
    told: Vec<String>,
}

/// An annotation, and what it says if it can be used.
#[derive(Debug)]
struct Annotation {
    text: Arc<str>,
    document: Option<Arc<Document>>,
}

/// What follows from a change of a virtual service.
#[derive(Debug, Default)]
pub(super) struct Step {
    /// The runner is to forget it, before anything else.
    pub(super) forget: bool,
    /// The runner is to watch it.
    pub(super) watch: Option<Watched<Probe>>,
    /// It was not watched before.
    pub(super) is_new: bool,
    /// The table is to hold this. Without it the runner will say so.
    pub(super) wish: Option<Wish>,
}

impl Watching {
    pub(super) fn new(options: CheckOptions) -> Self {
        Self {
            off: options.off(),
            options,
            annotations: BTreeMap::new(),
            names: Names::default(),
            watched: BTreeMap::new(),
            ending: BTreeMap::new(),
            targets: Targets::default(),
            refused: BTreeMap::new(),
            crowded_out: BTreeMap::new(),
            has_room: false,
            touched: BTreeSet::new(),
            told: Vec::new(),
        }
    }

    /// Returns the lines for the log, and forgets them.
    pub(super) fn take_told(&mut self) -> Vec<String> {
        mem::take(&mut self.told)
    }

    /// Returns the Kubernetes service of a virtual service that is wished.
    pub(super) fn service_of(&self, id: ServiceId) -> Option<&ObjectName> {
        self.names.service_of(id)
    }

    /// Returns `true` while the pool has not said anything about a virtual service that is watched.
    pub(super) fn waits(&self, id: ServiceId) -> bool {
        self.watched.get(&id).is_some_and(|state| state.wish.is_none())
    }

    /// Returns `true` if a virtual service is watched.
    pub(super) fn watches(&self, id: ServiceId) -> bool {
        self.watched.contains_key(&id)
    }

    /// Reads the annotations that have changed. Adds the virtual services that they concern to the changes.
    pub(super) fn annotated(
        &mut self,
        changes: &mut Changes,
        of_converter: impl Fn(ServiceId) -> Option<(TableService, VirtualService)>,
    ) {
        let mut concerned = BTreeSet::new();
        for (name, facts) in &changes.services {
            let text = facts.as_ref().and_then(|facts| facts.health_checks.clone());
            if self.annotations.get(name).map(|known| &known.text) == text.as_ref() {
                continue;
            }
            match text {
                Some(text) => {
                    let document = self.read(name, &text);
                    self.annotations.insert(name.clone(), Annotation { text, document });
                }
                None => {
                    self.annotations.remove(name);
                }
            }
            concerned.extend(self.names.ids(name));
        }
        if concerned.is_empty() {
            return;
        }
        for id in changes.set.iter().map(|(service, _)| service.id()).chain(changes.removed.clone())
        {
            concerned.remove(&id);
        }
        changes.set.extend(concerned.into_iter().filter_map(of_converter));
        changes.set.sort_by_key(|(service, _)| service.id());
    }

    fn read(&mut self, name: &ObjectName, text: &str) -> Option<Arc<Document>> {
        let read = match &self.off {
            Some(off) => Err(off.clone()),
            None => Document::read(text, self.options.least_check_interval),
        };
        read.map(Arc::new).map_err(|why| self.told.push(left_out(name, &why))).ok()
    }

    /// Takes in a virtual service that is to be wished.
    pub(super) fn set(&mut self, service: TableService, facts: &VirtualService) -> Step {
        let before = self.targets.checks();
        let step = self.watch(service, facts);
        self.has_room |= self.targets.checks() < before;
        step
    }

    fn watch(&mut self, service: TableService, facts: &VirtualService) -> Step {
        let id = service.id();
        self.names.insert(id, &facts.service);
        self.crowded_out.remove(&id);
        let former = self.watched.remove(&id);
        if let Some(former) = &former {
            self.targets.remove(former.targets());
        }
        let annotation = self.annotations.get(&facts.service);
        let Some(document) = annotation.and_then(|it| it.document.clone()) else {
            self.refused.remove(&id);
            return self.unwatched(service, former.is_some());
        };
        let watched = document.watched(service.clone());
        let (name, checks) = (facts.service.clone(), document.checks.len());
        let is_new = former.is_none();
        let state = match former {
            Some(former) => former.changed(name, service, checks),
            None => State::new(name, service, checks),
        };
        self.targets.add(state.targets());
        let crowded = self.crowded(state.name.namespace());
        if let Some(why) = crowded.clone().or_else(|| self.objection(&watched)) {
            self.targets.remove(state.targets());
            if crowded.is_some() {
                self.crowded_out.insert(id, (state.desired.clone(), facts.clone()));
            }
            self.refuse(id, why, &state.name);
            return self.unwatched(state.desired, !is_new);
        }
        self.refused.remove(&id);
        self.watched.insert(id, state);
        let wish = self.effective(id);
        Step { forget: false, watch: Some(watched), is_new, wish }
    }

    /// Returns the virtual services that were refused for want of room and have it now, to be set again.
    pub(super) fn take_fitting(&mut self) -> Vec<(TableService, VirtualService)> {
        let mut fitting = Vec::new();
        if !mem::take(&mut self.has_room) {
            return fitting;
        }
        let mut added = Vec::new();
        for (id, (service, facts)) in mem::take(&mut self.crowded_out) {
            let document = self.annotations.get(&facts.service).and_then(|it| it.document.clone());
            let checks = document.map_or(0, |it| it.checks.len());
            let targets = targets(&facts.service, &service, checks);
            self.targets.add(targets.clone());
            if self.crowded(facts.service.namespace()).is_some() {
                self.targets.remove(targets);
                self.crowded_out.insert(id, (service, facts));
            } else {
                added.push(targets);
                fitting.push((service, facts));
            }
        }
        self.targets.remove(added.into_iter().flatten());
        fitting
    }

    /// Returns why there is no room for a virtual service of a namespace, whose targets are counted already.
    fn crowded(&self, namespace: &str) -> Option<String> {
        let (checks, most) = (self.targets.checks(), self.options.most_checks);
        if checks > most {
            return Some(format!("the node would have {checks} checks, more than {most}"));
        }
        let checks = self.targets.checks_in(namespace);
        let most = self.options.most_namespace_checks;
        (checks > most).then(|| {
            format!("the node would have {checks} checks of the namespace, more than {most}")
        })
    }

    /// Returns why a virtual service cannot be watched, whatever others are.
    fn objection(&self, watched: &Watched<Probe>) -> Option<String> {
        match &self.off {
            Some(off) => Some(off.clone()),
            None => watched.examine(false).err().map(|error| error.to_string()),
        }
    }

    fn refuse(&mut self, id: ServiceId, why: String, name: &ObjectName) {
        if self.refused.get(&id) != Some(&why) {
            self.told.push(left_out(name, &why));
            self.refused.insert(id, why);
        }
    }

    /// Returns what follows for a virtual service that is not watched any more, or never was.
    fn unwatched(&mut self, service: TableService, was_watched: bool) -> Step {
        if was_watched {
            *self.ending.entry(service.id()).or_default() += 1;
        }
        let wish = Some(Wish::new(service));
        Step { forget: was_watched, wish, ..Step::default() }
    }

    /// Takes in that the runner does not watch a virtual service. Returns what the table is to hold.
    pub(super) fn give_up(&mut self, id: ServiceId, why: String) -> Option<Wish> {
        let state = self.watched.remove(&id)?;
        self.targets.remove(state.targets());
        self.has_room = true;
        self.refuse(id, why, &state.name);
        Some(Wish::new(state.desired))
    }

    /// Takes in that a virtual service is to leave. Returns `true` if the runner is to forget it.
    pub(super) fn forget(&mut self, id: ServiceId) -> bool {
        self.names.remove(id);
        self.refused.remove(&id);
        self.crowded_out.remove(&id);
        let Some(state) = self.watched.remove(&id) else { return false };
        self.targets.remove(state.targets());
        self.has_room = true;
        *self.ending.entry(id).or_default() += 1;
        true
    }

    /// Takes in that the runner does not watch a virtual service any more, as it was told. What it said of it
    /// before was of no use.
    pub(super) fn ended(&mut self, id: ServiceId) {
        if let Some(times) = self.ending.get_mut(&id) {
            *times -= 1;
            if *times == 0 {
                self.ending.remove(&id);
            }
        }
    }

    /// Returns what is watched as the runner knows it.
    fn current(&mut self, id: ServiceId) -> Option<&mut State> {
        match self.ending.contains_key(&id) {
            true => None,
            false => self.watched.get_mut(&id),
        }
    }

    /// Takes in what a pool says.
    pub(super) fn wished(&mut self, wish: Wish) {
        let id = wish.id();
        if let Some(state) = self.current(id) {
            state.wish = Some(wish);
            self.touched.insert(id);
        }
    }

    /// Takes in that checks have decided about an endpoint.
    pub(super) fn judged(&mut self, id: ServiceId, destination: DestinationId) {
        if let Some(state) = self.current(id) {
            state.judged(destination);
            self.touched.insert(id);
        }
    }

    /// Takes in that an endpoint cannot be checked.
    pub(super) fn not_done(&mut self, destination: DestinationId) {
        for (id, state) in &mut self.watched {
            if state.cannot_check(destination) {
                self.touched.insert(*id);
            }
        }
    }

    /// Returns what the table is to hold of everything that has changed.
    pub(super) fn take_wishes(&mut self) -> Vec<Wish> {
        let touched = mem::take(&mut self.touched);
        touched.into_iter().filter_map(|id| self.effective(id)).collect()
    }

    /// Ends all checks. Returns what the table is to hold.
    pub(super) fn end(&mut self, why: &str) -> Vec<Wish> {
        self.off = Some(why.to_owned());
        self.told.push(format!("no endpoint is checked any more: {why}"));
        self.ending.clear();
        self.crowded_out.clear();
        self.targets = Targets::default();
        let watched = mem::take(&mut self.watched).into_values();
        watched.map(|state| Wish::new(state.desired)).collect()
    }

    fn effective(&mut self, id: ServiceId) -> Option<Wish> {
        let state = self.watched.get_mut(&id)?;
        let (wish, told) = state.take_effective()?;
        self.told.extend(told.map(|told| format!("Service {}, {id}: {told}", state.name)));
        Some(wish)
    }
}

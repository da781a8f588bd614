//! Conversion event by event.

mod changes;
mod claimants;
mod claiming;
mod difference;
mod event;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::mem;
use std::net::IpAddr;

use crate::hashing::Map;
use crate::kubernetes::convert::{Converted, bad_pod, orphan};
use crate::kubernetes::converter::claimants::Claimants;
use crate::kubernetes::converter::claiming::moved_claims;
use crate::kubernetes::converter::difference::Difference;
use crate::kubernetes::objects::{EndpointSlice, Node, Pod, Service};
use crate::kubernetes::rules::{Outcome, convert_service};
use crate::kubernetes::surroundings::Surroundings;
use crate::kubernetes::virtual_service::Claim;
use crate::kubernetes::{ObjectKind, ObjectName, Options, Skipped, VirtualService, annotations};
use crate::model::ServiceId;
use crate::table::TableService;

pub use changes::Changes;
pub use event::Event;

/// Converts event by event: it holds the objects that it has seen, and says what each event changes.
///
/// After every event the result equals that of [`convert`](crate::kubernetes::convert()) of all
/// objects. The cost of an event depends on its own service only, not on how many others there are;
/// events that concern every service say so.
///
/// Deliver the objects that are there when the program begins in one call of
/// [`apply_all`](Self::apply_all), and give the result to
/// [`Controller::wish_all`](crate::table::controller::Controller::wish_all). Until then nothing may
/// be removed from the kernel's table, because what is not listed yet looks like what is gone.
///
/// ```
/// use ipvs_netlink::kubernetes::{Converter, Event, Options, Service, ServicePort};
/// use ipvs_netlink::table::controller::{Controller, ControllerOptions};
///
/// let mut controller = Controller::new(ControllerOptions::new());
/// let mut converter = Converter::new(&Options::new("node-a"));
///
/// let mut web = Service::new("shop", "web");
/// web.spec.cluster_ip = "10.96.0.10".to_owned();
/// web.spec.ports.push(ServicePort::new(80));
/// let changes = converter.apply(Event::Service(web));
/// for (service, _) in changes.set {
///     controller.wish(service);
/// }
/// for id in changes.removed {
///     controller.forget(id);
/// }
/// assert_eq!(changes.addresses_added, ["10.96.0.10".parse::<std::net::IpAddr>()?]);
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
#[derive(Debug)]
pub struct Converter {
    around: Surroundings,
    nodes: BTreeMap<String, Node>,
    entries: Map<ObjectName, Entry>,
    /// The service that each slice belongs to.
    slices: Map<ObjectName, ObjectName>,
    /// What is left out of objects that belong to no service.
    loose: BTreeMap<(ObjectKind, ObjectName), Skipped>,
    /// The services that take the weight of a pod.
    of_pods: Map<ObjectName, BTreeSet<ObjectName>>,
    claims: Map<ServiceId, Claimants>,
    /// The addresses of the dummy interface, with how many virtual services have each.
    addresses: Map<IpAddr, usize>,
}

/// A Kubernetes service, if it is there, with its slices.
#[derive(Debug, Default)]
struct Entry {
    service: Option<Service>,
    /// In the order of their names.
    slices: Vec<EndpointSlice>,
    /// Whether the service is to be converted again.
    dirty: bool,
    outcome: Outcome,
}

impl Entry {
    fn place_of(&self, slice: &str) -> Result<usize, usize> {
        self.slices.binary_search_by(|it| it.metadata.name.as_str().cmp(slice))
    }

    /// Notes that the service is to be converted again.
    fn taint(&mut self, name: &ObjectName, difference: &mut Difference) {
        if !self.dirty {
            self.dirty = true;
            difference.dirty.push(name.clone());
        }
    }

    fn set_slice(&mut self, slice: EndpointSlice) {
        match self.place_of(&slice.metadata.name) {
            Ok(at) => {
                if let Some(known) = self.slices.get_mut(at) {
                    *known = slice;
                }
            }
            Err(at) => {
                // Mostly a service has one slice.
                self.slices.reserve_exact(usize::from(self.slices.is_empty()));
                self.slices.insert(at, slice);
            }
        }
    }

    fn remove_slice(&mut self, name: &str) {
        if let Ok(at) = self.place_of(name) {
            self.slices.remove(at);
        }
    }

    fn claim(&self, id: ServiceId) -> Option<&Claim> {
        let claims = &self.outcome.claims;
        let at = claims.binary_search_by_key(&id, Claim::id).ok()?;
        claims.get(at)
    }

    fn convert(&self, name: &ObjectName, around: &Surroundings) -> Outcome {
        match &self.service {
            Some(service) => convert_service(service, name, self.slices.iter(), around),
            None => Outcome::default(),
        }
    }
}

impl Converter {
    /// Creates a converter that has seen nothing.
    #[must_use]
    pub fn new(options: &Options) -> Self {
        Self {
            around: Surroundings::new(options, None, HashMap::new()),
            nodes: BTreeMap::new(),
            entries: Map::default(),
            slices: Map::default(),
            loose: BTreeMap::new(),
            of_pods: Map::default(),
            claims: Map::default(),
            addresses: Map::default(),
        }
    }

    /// Returns the present options.
    #[must_use]
    pub const fn options(&self) -> &Options {
        &self.around.options
    }

    /// Applies an event.
    pub fn apply(&mut self, event: Event) -> Changes {
        self.apply_all([event])
    }

    /// Applies events in their order, and converts each service that they concern once. The changes
    /// are those from before all events to after them.
    pub fn apply_all(&mut self, events: impl IntoIterator<Item = Event>) -> Changes {
        let mut difference = Difference::default();
        let events = events.into_iter();
        if self.entries.is_empty() {
            // Mostly as many slices as services.
            let (least, _) = events.size_hint();
            self.entries.reserve(least / 2);
            self.slices.reserve(least / 2);
        }
        events.for_each(|event| self.take(event, &mut difference));
        let dirty: Vec<ObjectName> = match difference.everything {
            true => self.entries.keys().cloned().collect(),
            false => mem::take(&mut difference.dirty),
        };
        if self.claims.is_empty() {
            self.claims.reserve(dirty.len());
            difference.touched.reserve(dirty.len());
        }
        for name in dirty {
            self.update(&name, &mut difference);
        }
        for (key, before) in mem::take(&mut difference.loose) {
            let after = self.loose.get(&key).cloned();
            difference.skipped(before.as_slice(), after.as_slice());
        }
        self.changes(difference)
    }

    /// Returns the names of the services that the converter has seen and that are not gone. After a
    /// watch was lost, a program tells by them what to delete.
    pub fn services(&self) -> impl Iterator<Item = &ObjectName> {
        self.entries.iter().filter(|(_, entry)| entry.service.is_some()).map(|(name, _)| name)
    }

    /// Returns the names of the slices that the converter has seen and that are not gone.
    pub fn slices(&self) -> impl Iterator<Item = &ObjectName> {
        let loose = self.loose.keys().filter(|(kind, _)| *kind == ObjectKind::EndpointSlice);
        self.slices.keys().chain(loose.map(|(_, name)| name))
    }

    /// Returns the names of the nodes that the converter has seen and that are not gone.
    pub fn nodes(&self) -> impl Iterator<Item = &str> {
        self.nodes.keys().map(String::as_str)
    }

    /// Returns the [`Node`] that [`Options::node_name`] names, if the converter has seen it and it is
    /// not gone. Without it the zone is not known, nor the primary addresses for node ports, unless
    /// the options say them.
    #[must_use]
    pub fn own_node(&self) -> Option<&Node> {
        self.nodes.get(&self.around.options.node_name)
    }

    /// Returns the names of the pods that have an annotation with a weight. Of other pods the
    /// converter keeps nothing.
    pub fn pods(&self) -> impl Iterator<Item = &ObjectName> {
        let loose = self.loose.keys().filter(|(kind, _)| *kind == ObjectKind::Pod);
        self.around.pods.keys().chain(loose.map(|(_, name)| name))
    }

    /// Returns a virtual service that is served now, with its destinations.
    #[must_use]
    pub fn get(&self, id: ServiceId) -> Option<(TableService, &VirtualService)> {
        self.holder(id).map(|claim| (claim.table_service(), &claim.facts))
    }

    /// Returns the virtual services of a Kubernetes service that are served now, in the order of their
    /// ids. The cost does not depend on other services.
    pub fn of_service(
        &self,
        name: &ObjectName,
    ) -> impl Iterator<Item = (TableService, &VirtualService)> {
        let claims = self.entries.get(name).into_iter().flat_map(|entry| &entry.outcome.claims);
        let own = claims.filter(|claim| {
            self.holder(claim.id())
                .is_some_and(|holder| holder.facts.service == claim.facts.service)
        });
        own.map(|claim| (claim.table_service(), &claim.facts))
    }

    /// Returns the whole result. The cost is that of all services.
    #[must_use]
    pub fn converted(&self) -> Converted {
        let mut ids: Vec<ServiceId> = self.claims.keys().copied().collect();
        ids.sort_unstable();
        let mut names: Vec<&ObjectName> = self.entries.keys().collect();
        names.sort_unstable();
        let entries = || names.iter().filter_map(|name| Some((*name, self.entries.get(*name)?)));
        let winners = || ids.iter().filter_map(|id| self.holder(*id));
        let (there, gone): (Vec<_>, Vec<_>) =
            entries().partition(|(_, entry)| entry.service.is_some());
        let skipped = |(_, entry): (_, &'_ Entry)| entry.outcome.skipped.clone();
        let mut orphans: Vec<Skipped> = gone.into_iter().flat_map(skipped).collect();
        let mut skipped: Vec<Skipped> = there.into_iter().flat_map(skipped).collect();
        for id in &ids {
            let Some(claimants) = self.claims.get(id) else { continue };
            let Some(holder) = claimants.holder() else { continue };
            skipped.extend(claimants.losers().map(|rank| rank.lost(*id, &holder.name)));
        }
        let (slices, pods): (Vec<_>, Vec<_>) =
            self.loose.values().cloned().partition(|it| it.kind == ObjectKind::EndpointSlice);
        orphans.extend(slices);
        orphans.sort_by(|a, b| a.name.cmp(&b.name));
        skipped.extend(orphans);
        skipped.extend(pods);
        let facts = entries().filter(|(_, entry)| !entry.outcome.facts.is_empty());
        Converted {
            table: winners().map(Claim::table_service).collect(),
            addresses: self.addresses.keys().copied().collect(),
            virtual_services: winners().map(|it| (it.id(), it.facts.clone())).collect(),
            services: facts.map(|(name, it)| (name.clone(), it.outcome.facts.clone())).collect(),
            skipped,
            own_node: self.own_node().is_some(),
        }
    }

    fn holder(&self, id: ServiceId) -> Option<&Claim> {
        self.claim_of_holder(id, self.claims.get(&id)?)
    }

    /// Returns the claim that wins among those to a virtual service.
    fn claim_of_holder(&self, id: ServiceId, claimants: &Claimants) -> Option<&Claim> {
        self.entries.get(&claimants.holder()?.name)?.claim(id)
    }

    fn take(&mut self, event: Event, difference: &mut Difference) {
        match event {
            Event::Service(service) => {
                let name = service.metadata.object_name();
                self.entry(&name, difference).service = Some(service);
            }
            Event::ServiceDeleted(name) => {
                if self.entries.contains_key(&name) {
                    self.entry(&name, difference).service = None;
                }
            }
            Event::Slice(slice) => self.take_slice(slice, difference),
            Event::SliceDeleted(name) => self.remove_slice(&name, difference),
            Event::Node(node) => {
                let own = node.metadata.name == self.around.options.node_name;
                self.nodes.insert(node.metadata.name.clone(), node);
                if own {
                    self.look_around(difference);
                }
            }
            Event::NodeDeleted(name) => {
                self.nodes.remove(&name);
                if name == self.around.options.node_name {
                    self.look_around(difference);
                }
            }
            Event::Pod(pod) => self.take_pod(&pod, difference),
            Event::PodDeleted(name) => {
                self.weigh(&name, None, difference);
                self.set_loose(ObjectKind::Pod, name, None, difference);
            }
            Event::Options(options) => {
                self.around.options = options;
                self.look_around(difference);
                difference.everything = true;
            }
        }
    }

    /// Returns an entry, to change it.
    fn entry(&mut self, name: &ObjectName, difference: &mut Difference) -> &mut Entry {
        let entry = self.entries.entry(name.clone()).or_default();
        entry.taint(name, difference);
        entry
    }

    fn take_slice(&mut self, slice: EndpointSlice, difference: &mut Difference) {
        let name = slice.metadata.object_name();
        let Some(service) = slice.service() else {
            self.remove_slice(&name, difference);
            let told = Some(orphan(&slice));
            self.set_loose(ObjectKind::EndpointSlice, name, told, difference);
            return;
        };
        let service = ObjectName::new(name.namespace(), service);
        let before = self.slices.insert(name.clone(), service.clone());
        if before.as_ref() != Some(&service) {
            if let Some(before) = before {
                self.entry(&before, difference).remove_slice(name.name());
            }
            self.set_loose(ObjectKind::EndpointSlice, name, None, difference);
        }
        self.entry(&service, difference).set_slice(slice);
    }

    fn remove_slice(&mut self, name: &ObjectName, difference: &mut Difference) {
        if let Some(service) = self.slices.remove(name) {
            self.entry(&service, difference).remove_slice(name.name());
        }
        self.set_loose(ObjectKind::EndpointSlice, name.clone(), None, difference);
    }

    fn take_pod(&mut self, pod: &Pod, difference: &mut Difference) {
        let name = pod.metadata.object_name();
        let (weight, told) = match annotations::pod_weight(pod) {
            None => (None, None),
            Some(Ok(weight)) => (Some(weight), None),
            Some(Err(invalid)) => (None, Some(bad_pod(pod, invalid))),
        };
        self.weigh(&name, weight, difference);
        self.set_loose(ObjectKind::Pod, name, told, difference);
    }

    fn weigh(&mut self, pod: &ObjectName, weight: Option<u32>, difference: &mut Difference) {
        let before = match weight {
            Some(weight) => self.around.pods.insert(pod.clone(), weight),
            None => self.around.pods.remove(pod),
        };
        if before != weight {
            for service in self.of_pods.get(pod).into_iter().flatten() {
                if let Some(entry) = self.entries.get_mut(service) {
                    entry.taint(service, difference);
                }
            }
        }
    }

    fn set_loose(
        &mut self,
        kind: ObjectKind,
        name: ObjectName,
        told: Option<Skipped>,
        difference: &mut Difference,
    ) {
        let key = (kind, name);
        let before = match &told {
            Some(told) => self.loose.insert(key.clone(), told.clone()),
            None => self.loose.remove(&key),
        };
        if before != told {
            difference.loose.entry(key).or_insert(before);
        }
    }

    /// Takes over what follows from the options and the own node.
    fn look_around(&mut self, difference: &mut Difference) {
        let node = self.nodes.get(&self.around.options.node_name);
        let pods = mem::take(&mut self.around.pods);
        let mut around = Surroundings::new(&self.around.options, node, HashMap::new());
        if around != self.around {
            difference.everything = true;
        }
        around.pods = pods;
        self.around = around;
    }

    /// Converts a service again.
    fn update(&mut self, name: &ObjectName, difference: &mut Difference) {
        let Some(entry) = self.entries.get(name) else { return };
        let mut outcome = entry.convert(name, &self.around);
        if entry.service.is_none() {
            outcome.skipped = entry.slices.iter().map(orphan).collect();
        }
        difference.skipped(&entry.outcome.skipped, &outcome.skipped);
        if entry.outcome.facts != outcome.facts {
            let facts = Some(outcome.facts.clone()).filter(|facts| !facts.is_empty());
            difference.services.insert(name.clone(), facts);
        }
        for pod in outcome.pods.difference(&entry.outcome.pods) {
            self.of_pods.entry(pod.clone()).or_default().insert(name.clone());
        }
        for pod in entry.outcome.pods.difference(&outcome.pods) {
            if let Some(services) = self.of_pods.get_mut(pod) {
                services.remove(name);
                if services.is_empty() {
                    self.of_pods.remove(pod);
                }
            }
        }
        for (id, released, claimed) in moved_claims(&entry.outcome, &outcome) {
            self.move_claim(id, released, claimed, difference);
        }
        if let Some(entry) = self.entries.get_mut(name) {
            entry.outcome = outcome;
            entry.dirty = false;
            if entry.service.is_none() && entry.slices.is_empty() {
                self.entries.remove(name);
            }
        }
    }
}

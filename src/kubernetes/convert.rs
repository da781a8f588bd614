use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::iter::Peekable;
use std::net::IpAddr;

use crate::kubernetes::objects::{EndpointSlice, Node, Pod, Service};
use crate::kubernetes::rank::Rank;
use crate::kubernetes::surroundings::Surroundings;
use crate::kubernetes::virtual_service::Claim;
use crate::kubernetes::{
    Exposure, Item, ObjectKind, ObjectName, Options, Reason, ServiceFacts, Skipped, VirtualService,
    annotations, rules,
};
use crate::model::{InvalidValue, ServiceId};
use crate::table::Table;

/// The objects of a cluster.
///
/// If an object comes more than once, by namespace and name, the last one counts.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Objects<'o> {
    /// The services.
    pub services: &'o [Service],
    /// The endpoint slices.
    pub slices: &'o [EndpointSlice],
    /// The nodes. Only the own one counts.
    pub nodes: &'o [Node],
    /// The pods, for weights.
    pub pods: &'o [Pod],
}

impl<'o> Objects<'o> {
    /// Takes services and slices, without nodes and pods.
    #[must_use]
    pub const fn new(services: &'o [Service], slices: &'o [EndpointSlice]) -> Self {
        Self { services, slices, nodes: &[], pods: &[] }
    }

    /// Adds nodes.
    #[must_use]
    pub const fn nodes(mut self, nodes: &'o [Node]) -> Self {
        self.nodes = nodes;
        self
    }

    /// Adds pods.
    #[must_use]
    pub const fn pods(mut self, pods: &'o [Pod]) -> Self {
        self.pods = pods;
        self
    }
}

/// What a conversion made of the objects of a cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Converted {
    /// The virtual services with their destinations.
    pub table: Table,
    /// The addresses that the node must have on a dummy interface, so that the kernel takes packets
    /// to them. Never addresses of the node itself, from
    /// [`Options::node_addresses`] and its [`Node`] object.
    pub addresses: BTreeSet<IpAddr>,
    /// What a node proxy has to know of each virtual service of the table.
    pub virtual_services: BTreeMap<ServiceId, VirtualService>,
    /// The Kubernetes services that ask for something beside virtual services.
    pub services: BTreeMap<ObjectName, ServiceFacts>,
    /// Everything that was left out, with the reason.
    pub skipped: Vec<Skipped>,
    /// `true` if the objects have the [`Node`] that [`Options::node_name`] names. Without it the
    /// zone is not known, nor the primary addresses for node ports, unless the options say them.
    pub own_node: bool,
}

/// Converts the objects of a cluster to the table of one node.
///
/// The same objects and options give the same result, in whatever order objects come.
///
/// ```
/// use ipvs_netlink::kubernetes::{
///     Endpoint, EndpointPort, EndpointSlice, Objects, Options, Service, ServicePort, convert,
/// };
///
/// let mut web = Service::new("shop", "web");
/// web.spec.cluster_ip = "10.96.0.10".to_owned();
/// web.spec.ports.push(ServicePort::new(80));
/// let mut slice = EndpointSlice::new("shop", "web-x7k2p", "web");
/// slice.ports.push(EndpointPort::new(8080));
/// slice.endpoints.push(Endpoint::new("10.244.1.2"));
///
/// let converted = convert(&Objects::new(&[web], &[slice]), &Options::new("node-a"));
/// assert_eq!(
///     converted.table.to_string(),
///     "-A -t 10.96.0.10:80 -s rr\n-a -t 10.96.0.10:80 -r 10.244.1.2:8080 -m -w 1\n",
/// );
/// assert!(converted.skipped.is_empty());
/// ```
#[must_use]
pub fn convert(objects: &Objects<'_>, options: &Options) -> Converted {
    let mut loose = Loose::default();
    let node = objects.nodes.iter().rfind(|node| node.metadata.name == options.node_name);
    let around = Surroundings::new(options, node, loose.weights(objects.pods));
    let services = loose.unique(objects.services, ObjectKind::Service, |it| it.metadata.key());
    let mut slices =
        loose.unique(objects.slices, ObjectKind::EndpointSlice, |it| it.metadata.key());
    slices.sort_by_key(|slice| owner(slice));
    let mut slices = slices.into_iter().peekable();
    let mut skipped = Vec::new();
    let mut facts = Vec::new();
    let mut claims: Vec<(Claim, Rank)> = Vec::with_capacity(services.len());
    let mut own = Vec::new();
    for service in services {
        loose.before(&mut slices, service);
        take_slices(&mut slices, service, &mut own);
        let name = service.metadata.object_name();
        let outcome = rules::convert_service(service, &name, own.iter().copied(), &around);
        skipped.extend_from_slice(&outcome.skipped);
        claims.extend(outcome.claims.iter().map(|claim| (claim.clone(), outcome.rank(claim))));
        if !outcome.facts.is_empty() {
            facts.push((name, outcome.facts));
        }
    }
    slices.for_each(|slice| loose.slice(slice));
    // Services come in the order of their names, and the sort keeps the order of equals.
    claims.sort_by(|(a, a_rank), (b, b_rank)| a.id().cmp(&b.id()).then_with(|| a_rank.cmp(b_rank)));
    let winners = winners(claims, &mut skipped);
    loose.tell(&mut skipped);
    Converted {
        table: winners.iter().map(Claim::table_service).collect(),
        addresses: winners.iter().filter_map(|claim| dummy_address(claim, &around)).collect(),
        virtual_services: winners.into_iter().map(|claim| (claim.id(), claim.facts)).collect(),
        services: facts.into_iter().collect(),
        skipped,
        own_node: node.is_some(),
    }
}

/// Returns the first claim of each virtual service, and tells of the others. `claims` are in the
/// order of their virtual services and ranks.
fn winners(claims: Vec<(Claim, Rank)>, skipped: &mut Vec<Skipped>) -> Vec<Claim> {
    let mut winners: Vec<Claim> = Vec::with_capacity(claims.len());
    for (claim, rank) in claims {
        match winners.last() {
            Some(winner) if winner.id() == claim.id() => {
                skipped.push(rank.lost(claim.id(), &winner.facts.service));
            }
            _ => winners.push(claim),
        }
    }
    winners
}

/// Returns the address of a virtual service that the dummy interface needs.
pub(crate) fn dummy_address(claim: &Claim, around: &Surroundings) -> Option<IpAddr> {
    let address = claim.id().address()?.ip();
    let needed = claim.facts.exposure != Exposure::NodePort && around.needs(address);
    needed.then_some(address)
}

/// The namespace and the service of a slice.
fn owner(slice: &EndpointSlice) -> (&str, Option<&str>) {
    (slice.metadata.key().0, slice.service())
}

/// Takes the slices of a service, in the order of their names.
fn take_slices<'o>(
    slices: &mut Peekable<impl Iterator<Item = &'o EndpointSlice>>,
    service: &Service,
    own: &mut Vec<&'o EndpointSlice>,
) {
    let (namespace, name) = service.metadata.key();
    own.clear();
    while let Some(slice) = slices.next_if(|slice| owner(slice) == (namespace, Some(name))) {
        own.push(slice);
    }
}

/// What is left out of objects that belong to no service.
#[derive(Debug, Default)]
struct Loose {
    doubled: Vec<Skipped>,
    slices: Vec<Skipped>,
    pods: BTreeMap<ObjectName, Skipped>,
}

impl Loose {
    /// Returns the objects in the order of their names, the last one of each name.
    fn unique<'o, T>(
        &mut self,
        objects: &'o [T],
        kind: ObjectKind,
        key: fn(&T) -> (&str, &str),
    ) -> Vec<&'o T> {
        let mut all: Vec<&T> = objects.iter().collect();
        all.sort_by(|a, b| key(a).cmp(&key(b)));
        all.dedup_by(|later, kept| {
            let same = key(later) == key(kept);
            if same {
                let (namespace, name) = key(kept);
                let name = ObjectName::new(namespace, name);
                self.doubled.push(Skipped::new(kind, name, Item::Object, Reason::Doubled));
                *kept = *later;
            }
            same
        });
        all
    }

    fn weights(&mut self, pods: &[Pod]) -> HashMap<ObjectName, u32> {
        let pods = self.unique(pods, ObjectKind::Pod, |it| it.metadata.key());
        let mut weights = HashMap::new();
        for pod in pods {
            match annotations::pod_weight(pod) {
                None => {}
                Some(Ok(weight)) => {
                    weights.insert(pod.metadata.object_name(), weight);
                }
                Some(Err(invalid)) => {
                    let told = bad_pod(pod, invalid);
                    self.pods.insert(told.name.clone(), told);
                }
            }
        }
        weights
    }

    /// Tells of the slices that come before those of a service.
    fn before<'o>(
        &mut self,
        slices: &mut Peekable<impl Iterator<Item = &'o EndpointSlice>>,
        service: &Service,
    ) {
        let (namespace, name) = service.metadata.key();
        let is_before =
            |slice: &&EndpointSlice| owner(slice).cmp(&(namespace, Some(name))) == Ordering::Less;
        while let Some(slice) = slices.next_if(is_before) {
            self.slice(slice);
        }
    }

    fn slice(&mut self, slice: &EndpointSlice) {
        self.slices.push(orphan(slice));
    }

    fn tell(mut self, skipped: &mut Vec<Skipped>) {
        self.slices.sort_by(|a, b| a.name.cmp(&b.name));
        skipped.extend(self.slices);
        skipped.extend(self.pods.into_values());
        skipped.extend(self.doubled);
    }
}

/// Tells why a slice without a service counts for nothing.
pub(crate) fn orphan(slice: &EndpointSlice) -> Skipped {
    let reason = match rules::check_labels(&slice.metadata) {
        Err(reason) => reason,
        Ok(()) if slice.service().is_none() => Reason::NoServiceName,
        Ok(()) => Reason::NoService,
    };
    let name = slice.metadata.object_name();
    Skipped::new(ObjectKind::EndpointSlice, name, Item::Object, reason)
}

/// Tells of a pod whose weight cannot be read. The pod has weight 1.
pub(crate) fn bad_pod(pod: &Pod, invalid: InvalidValue) -> Skipped {
    let item = Item::Annotation("ipvs-netlink/weight".to_owned());
    Skipped::new(ObjectKind::Pod, pod.metadata.object_name(), item, invalid.into())
}

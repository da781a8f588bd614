//! The rules of kube-proxy 1.35 in its ipvs mode, each in a file of its own. Their sources are
//! named by file and function of `pkg/proxy` of Kubernetes.

mod attributes;
mod endpoints;
mod families;
mod fronts;
mod left_out;
mod lists;
pub(crate) mod node_ports;
mod objects;
mod ports;
mod topology;

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use crate::kubernetes::annotations::Settings;
use crate::kubernetes::objects::{EndpointSlice, Service, ServiceType, TrafficPolicy};
use crate::kubernetes::rank::Rank;
use crate::kubernetes::rules::endpoints::{Candidate, Joined};
use crate::kubernetes::rules::families::ClusterIps;
use crate::kubernetes::rules::fronts::{Front, Fronts, check_networks};
use crate::kubernetes::rules::left_out::LeftOut;
use crate::kubernetes::rules::lists::Lists;
use crate::kubernetes::rules::ports::Port;
use crate::kubernetes::surroundings::Surroundings;
use crate::kubernetes::told::Told;
use crate::kubernetes::virtual_service::Claim;
use crate::kubernetes::{
    Exposure, HealthCheckNodePort, Item, ObjectName, Reason, ServiceFacts, Skipped, VirtualService,
    address,
};
use crate::model::{AddressFamily, Forwarding, ServiceId};

pub(crate) use attributes::flags;
pub(crate) use endpoints::Member;
pub(crate) use objects::check_labels;

/// The most virtual services that a conversion makes of one Kubernetes service.
pub(crate) const MOST_VIRTUAL_SERVICES: usize = 10_000;

/// The most destinations, in all virtual services of one Kubernetes service together.
pub(crate) const MOST_DESTINATIONS: usize = 1_000_000;

/// The most networks of `loadBalancerSourceRanges` of one Kubernetes service, in all virtual services
/// at addresses of load balancers together.
pub(crate) const MOST_SOURCE_RANGES: usize = 65_536;

/// What becomes of one Kubernetes service.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// When the service was created.
    pub(crate) created: u64,
    /// In the order of their ids, each id once.
    pub(crate) claims: Vec<Claim>,
    pub(crate) facts: ServiceFacts,
    pub(crate) skipped: Vec<Skipped>,
    /// The pods whose weights count.
    pub(crate) pods: BTreeSet<ObjectName>,
}

impl Outcome {
    /// Returns the rank of one of the claims.
    pub(crate) fn rank(&self, claim: &Claim) -> Rank {
        Rank::of(claim, self.created)
    }
}

/// Converts one service. The slices are its own, in the order of their names.
pub(crate) fn convert_service<'a>(
    service: &'a Service,
    name: &ObjectName,
    slices: impl Iterator<Item = &'a EndpointSlice>,
    around: &'a Surroundings,
) -> Outcome {
    let mut told = Told::new(name.clone());
    let converted = Parts::of(service, name, slices, around, &mut told)
        .and_then(|parts| parts.convert(name, &mut told));
    let (claims, facts, pods) = converted.unwrap_or_else(|reason| {
        told.all.clear();
        told.service(Item::Object, reason);
        Default::default()
    });
    let created = service.metadata.created();
    Outcome { created, claims, facts, skipped: told.all, pods }
}

/// One port with its endpoints.
struct Served<'p, 'a> {
    port: &'p Port<'a>,
    /// The family, and the endpoints of it.
    families: Vec<(AddressFamily, Vec<Candidate<'a>>)>,
    /// The number of endpoints whose slices do not have the port.
    without: usize,
}

/// What the rules read from one service.
struct Parts<'a> {
    service: &'a Service,
    around: &'a Surroundings,
    affinity: Option<Duration>,
    ports: Vec<Port<'a>>,
    fronts: Fronts,
    /// The addresses of node ports.
    node_ports: Vec<IpAddr>,
    joined: Vec<(AddressFamily, Joined<'a>)>,
}

impl<'a> Parts<'a> {
    fn of(
        service: &'a Service,
        name: &ObjectName,
        slices: impl Iterator<Item = &'a EndpointSlice>,
        around: &'a Surroundings,
        told: &mut Told,
    ) -> Result<Self, Reason> {
        let options = &around.options;
        objects::check_service(service, name)?;
        let affinity = attributes::affinity(service)?;
        let cluster_ips = ClusterIps::of(service, options, told);
        let ports = ports::of_service(service, told);
        let mut fronts = Fronts::of(service, &cluster_ips, options, told);
        fronts.limit_ranges(ports.len(), told);
        let node_ports = node_ports(&cluster_ips, &ports, around, told);
        check_count("virtual services", MOST_VIRTUAL_SERVICES, {
            let of_nodes = ports.iter().filter(|port| port.node_port.is_some()).count();
            let fronts = fronts.all.len().saturating_mul(ports.len());
            fronts.saturating_add(node_ports.len().saturating_mul(of_nodes))
        })?;
        let mut by_family = Vec::with_capacity(slices.size_hint().0);
        for slice in slices {
            let family = objects::slice_family(slice, options)
                .and_then(|family| cluster_ips.check(family, options).map(|()| family));
            match family {
                Ok(family) => by_family.push((family, slice)),
                Err(reason) => told.slice(slice, Item::Object, reason),
            }
        }
        let served = options.families.iter().copied().filter(|it| cluster_ips.get(*it).is_some());
        let joined = served.map(|family| {
            let slices = by_family.iter().filter(|(it, _)| *it == family).map(|(_, slice)| *slice);
            let joined = Joined::of(slices, family, around, told);
            joined.tell_unknown_ports(&ports, told);
            (family, joined)
        });
        let joined = joined.collect();
        Ok(Self { service, around, affinity, ports, fronts, node_ports, joined })
    }

    /// Returns the addresses at which a port has virtual services, with the port.
    fn fronts<'s>(
        &'s self,
        port: &'s Port<'_>,
        family: AddressFamily,
    ) -> impl Iterator<Item = (Front, u16)> + 's {
        let fronts = self.fronts.of_family(family).map(|front| (front, port.number));
        let node_ports = port.node_port.into_iter().flat_map(move |number| {
            let of_family = move |it: &&IpAddr| address::family(**it) == family;
            let all = self.node_ports.iter().filter(of_family);
            all.map(move |it| (Front { exposure: Exposure::NodePort, address: *it }, number))
        });
        fronts.chain(node_ports)
    }

    fn check_destinations(&self) -> Result<(), Reason> {
        let mut count = 0_usize;
        for port in &self.ports {
            for (family, joined) in &self.joined {
                // Candidates are collected also where there is no front.
                let fronts = self.fronts(port, *family).count().max(1);
                let endpoints = joined.count(port.name, port.protocol);
                count = count.saturating_add(fronts.saturating_mul(endpoints));
            }
        }
        check_count("destinations", MOST_DESTINATIONS, count)
    }

    fn convert(
        &self,
        name: &ObjectName,
        told: &mut Told,
    ) -> Result<(Vec<Claim>, ServiceFacts, BTreeSet<ObjectName>), Reason> {
        self.check_destinations()?;
        let served: Vec<Served<'_, '_>> = self.ports.iter().map(|port| self.serve(port)).collect();
        let settings = Settings::of(self.service, &self.around.options, told, |forwarding| {
            self.check_forwarding(forwarding, &served)
        });
        let mut claims = Vec::with_capacity(self.ports.len());
        for port in &served {
            self.claim(port, name, &settings, &mut claims, told);
        }
        claims.sort_by_key(|claim: &Claim| (claim.id(), claim.facts.exposure));
        claims.dedup_by(|later, kept| {
            let same = later.id() == kept.id();
            if same {
                told.service(Item::VirtualService(later.id()), Reason::Doubled);
            }
            same
        });
        let facts = ServiceFacts {
            health_check_node_port: self.health_check_node_port(&served, told),
            health_checks: settings.health_checks.clone(),
            drain: settings.drain,
        };
        let pods = if settings.weights.are_of_pods() { pods(&served) } else { BTreeSet::new() };
        Ok((claims, facts, pods))
    }

    fn serve<'s>(&'s self, port: &'s Port<'a>) -> Served<'s, 'a> {
        let candidates = |joined: &Joined<'a>| joined.candidates(port.name, port.protocol);
        let families = self.joined.iter().map(|(family, joined)| (*family, candidates(joined)));
        let without = self.joined.iter().map(|(_, it)| it.count_without(port.name, port.protocol));
        Served { port, families: families.collect(), without: without.sum() }
    }

    /// Only masquerading changes ports: with the others an endpoint must have the port of the
    /// service.
    fn check_forwarding(
        &self,
        forwarding: Forwarding,
        served: &[Served<'_, '_>],
    ) -> Result<(), (u16, u16)> {
        if forwarding == Forwarding::Masquerade {
            return Ok(());
        }
        for Served { port, families, .. } in served {
            for candidate in families.iter().flat_map(|(_, candidates)| candidates) {
                if candidate.address.port() != port.number {
                    return Err((candidate.address.port(), port.number));
                }
            }
        }
        Ok(())
    }

    /// Returns `true` if the service is reached from outside in a family.
    ///
    /// Source: `serviceport.go:ExternallyAccessible`.
    fn is_external(&self, port: &Port<'_>, family: AddressFamily) -> bool {
        let is_external = |front: Front| front.exposure != Exposure::ClusterIp;
        port.node_port.is_some() || self.fronts.of_family(family).any(is_external)
    }

    /// Source: `pkg/api/v1/service/util.go:ExternalPolicyLocal`.
    fn external_policy_is_local(&self) -> bool {
        let spec = &self.service.spec;
        let accessible = match spec.service_type {
            ServiceType::LoadBalancer | ServiceType::NodePort => true,
            _ => !spec.external_ips.is_empty(),
        };
        accessible && spec.external_traffic_policy == TrafficPolicy::Local
    }

    /// Adds the virtual services of one port.
    ///
    /// Source: `topology.go:CategorizeEndpoints`, `proxier.go:syncEndpoint`.
    fn claim(
        &self,
        Served { port, families, without }: &Served<'_, '_>,
        name: &ObjectName,
        settings: &Settings,
        claims: &mut Vec<Claim>,
        told: &mut Told,
    ) {
        let port_name: Arc<str> = port.name.into();
        let mut left_out = LeftOut::default();
        let internal_local = self.service.spec.internal_traffic_policy == TrafficPolicy::Local;
        let external_local = self.external_policy_is_local();
        for (family, candidates) in families {
            let local_addresses = topology::local_addresses(candidates);
            let uses_cluster = !internal_local || self.is_external(port, *family);
            let cluster = match uses_cluster {
                true => topology::cluster(candidates, self.around),
                false => Vec::new(),
            };
            let local = match internal_local || external_local {
                true => topology::local(candidates),
                false => Vec::new(),
            };
            let mut lists = Lists::new(settings, self.around);
            for (Front { exposure, address }, number) in self.fronts(port, *family) {
                let local_only = match exposure {
                    Exposure::ClusterIp => internal_local,
                    _ => external_local,
                };
                // Pods of the node reach the service even where it has no local endpoint. What
                // comes from outside is the firewall's matter.
                let use_local = local_only && !(local.is_empty() && uses_cluster);
                let endpoints = if use_local { &local } else { &cluster };
                let address = SocketAddr::new(address, number);
                let id = ServiceId::Address { protocol: port.protocol, address };
                claims.push(Claim {
                    service: attributes::service(id, settings, self.affinity),
                    destinations: lists.of(endpoints, use_local, exposure),
                    facts: VirtualService {
                        exposure,
                        service: name.clone(),
                        port: Arc::clone(&port_name),
                        local_addresses: Arc::clone(&local_addresses),
                        local_only,
                        local_endpoints: local.len(),
                        source_ranges: self.fronts.ranges(exposure, *family),
                    },
                });
            }
            let cluster = lists.has_cluster().then_some(&cluster);
            let local = lists.has_local().then_some(&local);
            left_out.count(candidates, cluster, local);
        }
        let item = || Item::Endpoints(port.label());
        told.many(item, Reason::NoSlicePort, *without);
        left_out.tell(item, told);
    }

    /// Source: `serviceport.go:newBaseServiceInfo`, `util.go:NeedsHealthCheck`,
    /// `endpointschangetracker.go:LocalReadyEndpoints`.
    fn health_check_node_port(
        &self,
        served: &[Served<'_, '_>],
        told: &mut Told,
    ) -> Option<HealthCheckNodePort> {
        let spec = &self.service.spec;
        let needed =
            spec.service_type == ServiceType::LoadBalancer && self.external_policy_is_local();
        if !needed {
            return None;
        }
        let field = "spec.healthCheckNodePort";
        let number = spec.health_check_node_port;
        let port = address::port(field, number)
            .map_err(|invalid| told.address(field, &number.to_string(), invalid))
            .ok()?;
        let count = |family| {
            let of_family = served.iter().flat_map(|port| &port.families);
            let of_family = of_family.filter(|(it, _)| *it == family);
            let ready = of_family
                .flat_map(|(_, candidates)| candidates)
                .filter(|candidate| candidate.member.local && candidate.member.ready);
            ready.map(|candidate| candidate.member.address).collect::<BTreeSet<_>>().len()
        };
        Some(HealthCheckNodePort {
            port,
            ipv4_endpoints: count(AddressFamily::Ipv4),
            ipv6_endpoints: count(AddressFamily::Ipv6),
        })
    }
}

/// Returns the pods behind endpoints.
fn pods(served: &[Served<'_, '_>]) -> BTreeSet<ObjectName> {
    let all = served.iter().flat_map(|port| &port.families).flat_map(|(_, candidates)| candidates);
    all.filter_map(|candidate| candidate.member.pod()).collect()
}

fn node_ports(
    cluster_ips: &ClusterIps,
    ports: &[Port<'_>],
    around: &Surroundings,
    told: &mut Told,
) -> Vec<IpAddr> {
    let options = &around.options;
    let mut all = Vec::new();
    let Some(port) = ports.iter().find(|port| port.node_port.is_some()) else { return all };
    for family in options.families.iter().copied().filter(|it| cluster_ips.get(*it).is_some()) {
        for address in around.node_ports(family).iter().copied() {
            match check_networks(address, options) {
                Ok(()) => all.push(address),
                Err(reason) => told.address("node address", &address.to_string(), reason),
            }
        }
    }
    if all.is_empty() {
        told.service(Item::Port(port.label()), Reason::NoNodeAddress);
    }
    all
}

fn check_count(what: &'static str, limit: usize, count: usize) -> Result<(), Reason> {
    if count > limit { Err(Reason::TooLarge { what, count, limit }) } else { Ok(()) }
}

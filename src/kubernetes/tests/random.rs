//! Random events: after each the converter equals a conversion of everything, and its changes lead
//! from the result before to that after.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::random::Random;

/// The objects that are there, and what the changes so far add up to.
struct Cluster {
    random: Random,
    services: BTreeMap<ObjectName, Service>,
    slices: BTreeMap<ObjectName, EndpointSlice>,
    nodes: BTreeMap<String, Node>,
    pods: BTreeMap<ObjectName, Pod>,
    options: Options,
    converter: Converter,
    sum: Converted,
}

fn below(random: &mut Random, limit: usize) -> usize {
    usize::try_from(random.below(limit as u64)).unwrap()
}

/// One of the texts.
fn one<'t>(random: &mut Random, all: &[&'t str]) -> &'t str {
    all[below(random, all.len())]
}

fn some(random: &mut Random, all: &[&str], percent: u64) -> Vec<String> {
    all.iter().filter(|_| random.percent(percent)).map(|it| (*it).to_owned()).collect()
}

impl Cluster {
    fn new(seed: u64) -> Self {
        let options = options();
        let converter = Converter::new(&options);
        Self {
            random: Random::new(seed),
            services: BTreeMap::new(),
            slices: BTreeMap::new(),
            nodes: BTreeMap::new(),
            pods: BTreeMap::new(),
            options,
            converter,
            sum: Converted::default(),
        }
    }

    fn service(&mut self) -> Service {
        let random = &mut self.random;
        let mut it =
            Service::new(one(random, &["shop", "other"]), one(random, &["a", "b", "c", "d"]));
        it.metadata.creation_timestamp =
            one(random, &["", "2020-01-01T00:00:00Z", "2026-01-01T00:00:00Z"]).into();
        it.spec.service_type =
            one(random, &["ClusterIP", "NodePort", "LoadBalancer", "ExternalName"]).into();
        it.spec.cluster_ip =
            one(random, &["10.96.0.1", "10.96.0.2", "10.96.0.3", "None", "fd00::1"]).into();
        if random.percent(20) {
            it.spec.cluster_ips = vec![it.spec.cluster_ip.clone(), "fd00::2".into()];
            it.spec.ip_families = vec![IpFamily::Ipv4, IpFamily::Ipv6];
        }
        it.spec.external_ips = some(
            random,
            &["198.51.100.1", "10.96.0.2", "192.0.2.1", "192.0.2.2", "x", "fd00::2"],
            25,
        );
        it.spec.load_balancer_source_ranges = some(random, &["10.0.0.0/8", "fd00::/8", "y"], 10);
        for (name, protocol, number) in [("http", "TCP", 80), ("dns", "UDP", 53), ("", "TCP", 80)] {
            if random.percent(60) {
                let node_port = [0, 80, 30080][below(random, 3)];
                let protocol = protocol.into();
                it.spec.ports.push(ServicePort {
                    name: name.into(),
                    protocol,
                    port: number,
                    node_port,
                });
            }
        }
        let ingress = some(random, &["203.0.113.1", "198.51.100.1", ""], 25);
        it.status.load_balancer.ingress =
            ingress.iter().map(|ip| LoadBalancerIngress::new(ip)).collect();
        it.spec.external_traffic_policy = one(random, &["", "Local"]).into();
        it.spec.internal_traffic_policy = one(random, &["", "", "Local"]).into();
        it.spec.session_affinity = one(random, &["", "", "ClientIP"]).into();
        it.spec.health_check_node_port = 30009;
        for (name, value) in [
            ("weights", "pod"),
            ("scheduler", "wrr"),
            ("forwarding", "direct"),
            ("drain", "90s"),
            ("drain", "x"),
            ("upper-threshold", "10"),
        ] {
            if random.percent(12) {
                it.metadata.annotations.insert(format!("ipvs-netlink/{name}"), value.into());
            }
        }
        if random.percent(5) {
            it.metadata
                .labels
                .insert("service.kubernetes.io/service-proxy-name".into(), "x".into());
        }
        it
    }

    fn slice(&mut self) -> EndpointSlice {
        let random = &mut self.random;
        let service = one(random, &["a", "b", "c", "d", "e", ""]);
        let name = one(random, &["s1", "s2", "s3", "s4", "s5", "s6"]);
        let mut it = EndpointSlice::new(one(random, &["shop", "other"]), name, service);
        it.address_type = one(random, &["", "", "IPv6", "FQDN"]).into();
        for address in some(random, &["10.1.0.1", "10.1.0.2", "10.1.0.3", "fd01::1", "x"], 50) {
            let mut endpoint = Endpoint::new(&address);
            let flag = |random: &mut Random| match random.below(3) {
                0 => None,
                1 => Some(true),
                _ => Some(false),
            };
            endpoint.conditions.ready = flag(random);
            endpoint.conditions.serving = flag(random);
            endpoint.conditions.terminating = flag(random);
            endpoint.node_name = Some(one(random, &["a", "b"]).into());
            endpoint.zone = Some(one(random, &["y", "z"]).into());
            endpoint.target_ref = Some(ObjectReference::pod(one(random, &["p", "q", "r"])));
            endpoint.hints.for_zones =
                some(random, &["y", "z"], 80).iter().map(|it| Hint::new(it)).collect();
            endpoint.hints.for_nodes =
                some(random, &["a", "b"], 40).iter().map(|it| Hint::new(it)).collect();
            it.endpoints.push(endpoint);
        }
        for (name, protocol, number) in [
            ("http", "TCP", Some(80)),
            ("dns", "UDP", Some(5353)),
            ("", "TCP", Some(80)),
            ("http", "TCP", None),
        ] {
            if random.percent(60) {
                let protocol = protocol.into();
                it.ports.push(EndpointPort { name: name.into(), protocol, port: number });
            }
        }
        it
    }

    /// A random event, also applied to the objects that are there.
    fn event(&mut self) -> Event {
        match self.random.below(100) {
            0..35 => {
                let service = self.service();
                self.services.insert(service.metadata.object_name(), service.clone());
                Event::Service(service)
            }
            35..45 => {
                let name = self.service().metadata.object_name();
                self.services.remove(&name);
                Event::ServiceDeleted(name)
            }
            45..75 => {
                let slice = self.slice();
                self.slices.insert(slice.metadata.object_name(), slice.clone());
                Event::Slice(slice)
            }
            75..84 => {
                let name = self.slice().metadata.object_name();
                self.slices.remove(&name);
                Event::SliceDeleted(name)
            }
            84..92 => {
                let random = &mut self.random;
                let mut pod =
                    Pod::new(one(random, &["shop", "other"]), one(random, &["p", "q", "r"]));
                if random.percent(80) {
                    let weight = one(random, &["1", "5", "9", "x"]);
                    pod.metadata.annotations.insert("ipvs-netlink/weight".into(), weight.into());
                }
                let name = pod.metadata.object_name();
                if random.percent(25) {
                    self.pods.remove(&name);
                    return Event::PodDeleted(name);
                }
                self.pods.insert(name, pod.clone());
                Event::Pod(pod)
            }
            92..97 => {
                let random = &mut self.random;
                let mut node = Node::new(one(random, &["a", "b"]));
                if random.percent(20) {
                    self.nodes.remove(&node.metadata.name);
                    return Event::NodeDeleted(node.metadata.name);
                }
                let zone = one(random, &["y", "z"]);
                node.metadata.labels.insert("topology.kubernetes.io/zone".into(), zone.into());
                node.status
                    .addresses
                    .push(NodeAddress::internal(one(random, &["192.0.2.1", "192.0.2.2"])));
                self.nodes.insert(node.metadata.name.clone(), node.clone());
                Event::Node(node)
            }
            _ => {
                let random = &mut self.random;
                let mut options = options();
                options.node_name = one(random, &["a", "b"]).into();
                options.pod_weights = random.percent(80);
                if random.percent(30) {
                    options.node_port_addresses = NodePortAddresses::Primary;
                }
                if random.percent(20) {
                    options.exclude = vec!["198.51.100.0/24".parse().unwrap()];
                }
                if random.percent(20) {
                    options.node_addresses.push("203.0.113.1".parse().unwrap());
                }
                if random.percent(20) {
                    options.families.truncate(1);
                }
                self.options = options.clone();
                Event::Options(options)
            }
        }
    }

    /// Adds changes to their sum. Every change must be one.
    fn add(&mut self, changes: Changes) {
        for (service, facts) in changes.set {
            let id = service.id();
            let before = self.sum.table.insert(service.clone());
            let before = before.zip(self.sum.virtual_services.insert(id, facts.clone()));
            assert_ne!(before, Some((service, facts)), "nothing changed");
        }
        for id in changes.removed {
            assert!(self.sum.table.remove(id).is_some(), "{id} was not there");
            self.sum.virtual_services.remove(&id);
        }
        for address in changes.addresses_added {
            assert!(self.sum.addresses.insert(address), "{address} was there");
        }
        for address in changes.addresses_removed {
            assert!(self.sum.addresses.remove(&address), "{address} was not there");
        }
        for (name, facts) in changes.services {
            match facts {
                Some(facts) => self.sum.services.insert(name, facts),
                None => self.sum.services.remove(&name),
            };
        }
        for added in &changes.skipped_added {
            assert!(!changes.skipped_removed.contains(added), "{added} did not change");
        }
        for skipped in changes.skipped_removed {
            let at = self.sum.skipped.iter().position(|it| *it == skipped);
            self.sum.skipped.remove(at.unwrap_or_else(|| panic!("{skipped} was not told")));
        }
        self.sum.skipped.extend(changes.skipped_added);
    }

    /// Compares the converter, the sum of its changes, and a conversion of everything.
    fn check(&mut self) {
        let services: Vec<_> = self.services.values().cloned().collect();
        let slices: Vec<_> = self.slices.values().cloned().collect();
        let nodes: Vec<_> = self.nodes.values().cloned().collect();
        let pods: Vec<_> = self.pods.values().cloned().collect();
        let objects = Objects::new(&services, &slices).nodes(&nodes).pods(&pods);
        let expected = convert(&objects, &self.options);
        assert_eq!(self.converter.converted(), expected);
        assert!(expected.table.validate().is_empty());
        let texts = |all: &[Skipped]| {
            let mut all: Vec<String> = all.iter().map(|it| format!("{it} {}", it.count)).collect();
            all.sort();
            all
        };
        assert_eq!(texts(&self.sum.skipped), texts(&expected.skipped));
        self.sum.skipped.clone_from(&expected.skipped);
        self.sum.own_node = self.nodes.contains_key(&self.options.node_name);
        assert_eq!(self.sum, expected);
        let names: BTreeSet<_> = self.converter.services().cloned().collect();
        assert!(names.iter().eq(self.services.keys()));
        let names: BTreeSet<_> = self.converter.slices().cloned().collect();
        assert!(names.iter().eq(self.slices.keys()));
        assert!(self.converter.nodes().eq(self.nodes.keys()));
        let names: BTreeSet<_> = self.converter.pods().collect();
        let weighed = self.pods.iter().filter(|(_, pod)| !pod.metadata.annotations.is_empty());
        assert!(names.into_iter().eq(weighed.map(|(name, _)| name)));
        for service in &expected.table {
            let (got, facts) = self.converter.get(service.id()).unwrap();
            assert_eq!(got, *service);
            assert_eq!(Some(facts), expected.virtual_services.get(&service.id()));
        }
    }
}

/// Runs events, one by one or in batches.
fn run(seed: u64, steps: u64, batch: u64) {
    let mut cluster = Cluster::new(seed);
    for _ in 0..steps {
        let count = 1 + cluster.random.below(batch);
        let events: Vec<Event> = (0..count).map(|_| cluster.event()).collect();
        let changes = cluster.converter.apply_all(events);
        cluster.add(changes);
        cluster.check();
    }
}

#[test]
fn events_one_by_one_equal_a_conversion_of_everything() {
    for seed in 0..20 {
        run(seed, 150, 1);
    }
}

#[test]
fn events_in_batches_equal_a_conversion_of_everything() {
    for seed in 100..115 {
        run(seed, 60, 8);
    }
}

/// Run by hand: `cargo test --lib --release kubernetes -- --ignored`.
#[test]
#[ignore = "takes minutes"]
fn many_events_equal_a_conversion_of_everything() {
    for seed in 1000..1500 {
        run(seed, 300, 1 + seed % 5);
    }
}

#[test]
fn an_event_that_changes_nothing_says_so() {
    let mut converter = Converter::new(&options());
    assert!(!converter.apply(Event::Service(web())).is_empty());
    assert!(converter.apply(Event::Service(web())).is_empty());
    assert!(converter.apply(Event::Node(Node::new("b"))).is_empty());
    assert!(converter.apply(Event::ServiceDeleted("shop/other".parse().unwrap())).is_empty());
    assert!(converter.apply(Event::SliceDeleted("shop/other".parse().unwrap())).is_empty());
    // Slices before services.
    let mut converter = Converter::new(&options());
    let changes = converter.apply(Event::Slice(slice(&[ready("10.1.0.1")])));
    assert_eq!((changes.set.len(), changes.skipped_added.len()), (0, 1));
    let changes = converter.apply(Event::Service(web()));
    assert_eq!((changes.set.len(), changes.skipped_removed.len()), (1, 1));
}

//! Random objects of a small cluster, so that they often concern each other.

use ipvs_netlink::kubernetes::{
    Endpoint, EndpointPort, EndpointSlice, Hint, IpFamily, LoadBalancerIngress, Node, NodeAddress,
    NodePortAddresses, ObjectName, ObjectReference, Options, Pod, Service, ServicePort,
};

use crate::kernel::FOREIGN;
use crate::random::Random;

/// The names of ports, with protocol, port of the service and port of endpoints.
const PORTS: [(&str, &str, i32, i32); 3] =
    [("http", "TCP", 80, 8080), ("dns", "UDP", 53, 5353), ("sctp", "SCTP", 90, 90)];

/// Texts of the list, each with this probability.
fn some(random: &mut Random, percent: u32, all: &[&str]) -> Vec<String> {
    all.iter().filter(|_| random.chance(percent)).map(|it| (*it).to_owned()).collect()
}

pub(crate) fn service_name(random: &mut Random) -> ObjectName {
    let namespace = random.one(["shop", "bank"]);
    let number = random.below(6);
    ObjectName::new(namespace, &format!("s{number}"))
}

pub(crate) fn service(random: &mut Random) -> Service {
    let name = service_name(random);
    let mut service = Service::new(name.namespace(), name.name());
    let spec = &mut service.spec;
    spec.service_type =
        random.one(["ClusterIP", "ClusterIP", "NodePort", "LoadBalancer", "ExternalName"]).into();
    // Mostly an address of its own.
    let host = 10 * name.namespace().len() + usize::from(name.name().as_bytes()[1]);
    spec.cluster_ip = format!("10.96.0.{host}");
    if random.chance(10) {
        spec.cluster_ip = random.one(["10.96.0.1", "None", "fd00::1", "x"]).to_owned();
    } else if random.chance(30) {
        spec.cluster_ips = vec![spec.cluster_ip.clone(), format!("fd00::{host}")];
        spec.ip_families = vec![IpFamily::Ipv4, IpFamily::Ipv6];
    }
    spec.external_ips = some(random, 15, &["198.51.100.1", "10.96.0.1", "192.0.2.2", "fd00::e"]);
    for (name, protocol, number, _) in PORTS {
        if random.chance(60) {
            let mut port = ServicePort::new(80);
            (port.name, port.protocol, port.port) = (name.into(), protocol.into(), number);
            port.node_port = random.one([0, 30_080, 30_081]);
            spec.ports.push(port);
        }
    }
    spec.external_traffic_policy = random.one(["Cluster", "Local"]).into();
    spec.internal_traffic_policy = random.one(["Cluster", "Cluster", "Local"]).into();
    spec.session_affinity = random.one(["None", "None", "ClientIP"]).into();
    spec.load_balancer_source_ranges = some(random, 10, &["10.0.0.0/8", "fd00::/8", "x"]);
    spec.health_check_node_port = 30_009;
    let ingress = some(random, 20, &["203.0.113.1", "203.0.113.2", "198.51.100.1"]);
    service.status.load_balancer.ingress =
        ingress.iter().map(|ip| LoadBalancerIngress::new(ip)).collect();
    service.metadata.creation_timestamp =
        random.one(["", "2020-01-01T00:00:00Z", "2026-01-01T00:00:00Z"]).into();
    for (name, value) in [
        ("weights", "pod"),
        ("weights", "10.1.0.1=0,*=2"),
        ("scheduler", "wrr"),
        ("scheduler", "mh"),
        ("drain", "90s"),
        ("upper-threshold", "10"),
        ("one-packet", "true"),
        ("one-packet", "x"),
    ] {
        if random.chance(8) {
            service.metadata.annotations.insert(format!("ipvs-netlink/{name}"), value.into());
        }
    }
    service
}

pub(crate) fn slice_name(random: &mut Random) -> ObjectName {
    let namespace = random.one(["shop", "bank"]);
    let number = random.below(12);
    ObjectName::new(namespace, &format!("e{number}"))
}

pub(crate) fn slice(random: &mut Random) -> EndpointSlice {
    let name = slice_name(random);
    let service = format!("s{}", random.below(7));
    let mut slice = EndpointSlice::new(name.namespace(), name.name(), &service);
    let of_ipv6 = random.chance(20);
    slice.address_type = if of_ipv6 { "IPv6" } else { "IPv4" }.into();
    for host in 1..=6 {
        if random.chance(50) {
            continue;
        }
        let address = match (random.chance(3), of_ipv6) {
            (true, _) => "x".to_owned(),
            (_, true) => format!("fd01::{host}"),
            (_, false) => format!("10.1.0.{host}"),
        };
        slice.endpoints.push(endpoint(random, &address));
    }
    for (name, protocol, _, number) in PORTS {
        if random.chance(80) {
            let mut port = EndpointPort::new(1);
            (port.name, port.protocol) = (name.into(), protocol.into());
            port.port = Some(number).filter(|_| random.chance(97));
            slice.ports.push(port);
        }
    }
    slice
}

fn endpoint(random: &mut Random, address: &str) -> Endpoint {
    let mut endpoint = Endpoint::new(address);
    let conditions = &mut endpoint.conditions;
    conditions.ready = random.one([None, Some(true), Some(true), Some(false)]);
    conditions.serving = random.one([None, Some(true), Some(false)]);
    conditions.terminating = random.one([None, Some(true), Some(false)]);
    endpoint.node_name = Some(random.one(["a", "b", "c"]).to_owned());
    endpoint.target_ref = Some(ObjectReference::pod(random.one(["p", "q"])));
    let hints = |names: Vec<String>| names.iter().map(|name| Hint::new(name)).collect();
    endpoint.hints.for_zones = hints(some(random, 70, &["y", "z"]));
    endpoint.hints.for_nodes = hints(some(random, 30, &["a", "b"]));
    endpoint
}

pub(crate) fn node(random: &mut Random) -> Node {
    let mut node = Node::new(random.one(["a", "a", "b"]));
    let zone = random.one(["y", "z"]).to_owned();
    node.metadata.labels.insert("topology.kubernetes.io/zone".into(), zone);
    for address in some(random, 60, &["192.0.2.1", "192.0.2.2", "2001:db8::1"]) {
        node.status.addresses.push(NodeAddress::internal(&address));
    }
    node
}

pub(crate) fn pod(random: &mut Random) -> Pod {
    let mut pod = Pod::new(random.one(["shop", "bank"]), random.one(["p", "q"]));
    if random.chance(80) {
        let weight = random.one(["0", "1", "7", "x"]);
        pod.metadata.annotations.insert("ipvs-netlink/weight".into(), weight.into());
    }
    pod
}

pub(crate) fn options(random: &mut Random) -> Options {
    let mut options = Options::new(random.one(["a", "a", "a", "b"]));
    options.exclude = vec![FOREIGN.parse().expect("a network")];
    options.node_addresses = vec!["192.0.2.1".parse().expect("an address")];
    options.pod_weights = random.chance(80);
    if random.chance(30) {
        options.node_port_addresses = NodePortAddresses::Primary;
    }
    if random.chance(10) {
        options.families.truncate(1);
    }
    options
}

//! Section "which endpoints become destinations".

use super::*;

const CLUSTER: &str = "10.96.0.10:80";
const NODE: &str = "192.0.2.1:30080";

const NOT_READY: &str = "Service shop/web, endpoints of port 80: not ready";
const ELSEWHERE: &str = "Service shop/web, endpoints of port 80: the traffic policy is Local, and they are on other nodes";

fn node_port() -> Service {
    let mut service = web();
    service.spec.service_type = ServiceType::NodePort;
    service.spec.ports[0].node_port = 30080;
    service
}

fn of(service: &Service, endpoints: &[Endpoint]) -> Converted {
    converted(std::slice::from_ref(service), &[slice(endpoints)])
}

/// Follows `topology.go:CategorizeEndpoints`, `clusterEndpoints`.
#[test]
fn ready_endpoints_serve_and_else_those_that_serve_while_they_end() {
    let ending = with(ready("10.1.0.2"), false, true, true);
    let dead = with(ready("10.1.0.3"), false, false, true);
    let starting = with(ready("10.1.0.4"), false, false, false);
    let one = of(&web(), &[ready("10.1.0.1"), ending.clone(), dead.clone(), starting.clone()]);
    assert_eq!(servers(&one, CLUSTER), ["10.1.0.1"]);
    assert_eq!(skipped(&one), ["Service shop/web, endpoints of port 80 and 2 more: not ready"]);
    let none = of(&web(), &[ending, dead, starting]);
    assert_eq!(servers(&none, CLUSTER), ["10.1.0.2"]);
    assert_eq!(skipped(&none), ["Service shop/web, endpoints of port 80 and 1 more: not ready"]);
}

/// Follows `topology.go:CategorizeEndpoints`, `localEndpoints`, and `proxier.go:syncEndpoint`.
#[test]
fn external_local_is_for_traffic_from_outside() {
    let mut service = node_port();
    service.spec.external_traffic_policy = TrafficPolicy::Local;
    let all = [on("a", "10.1.0.1"), on("b", "10.1.0.2")];
    let converted = of(&service, &all);
    assert_eq!(servers(&converted, CLUSTER), ["10.1.0.1", "10.1.0.2"]);
    assert_eq!(servers(&converted, NODE), ["10.1.0.1"]);
    assert_eq!(skipped(&converted), [ELSEWHERE]);
    let facts: Vec<_> =
        converted.virtual_services.values().map(|it| (it.local_only, it.local_endpoints)).collect();
    assert_eq!(facts, [(false, 1), (true, 1)]);
    // Else those of this node that serve while they end.
    let ending = [with(on("a", "10.1.0.1"), false, true, true), on("b", "10.1.0.2")];
    let converted = of(&service, &ending);
    assert_eq!(servers(&converted, NODE), ["10.1.0.1"]);
    assert_eq!(servers(&converted, CLUSTER), ["10.1.0.2"]);
    assert_eq!(skipped(&converted), [NOT_READY, ELSEWHERE]);
    // The last resort of all nodes is none of this node.
    let ending = ["a", "b"].map(|node| with(on(node, "10.1.0.1"), false, true, true));
    let mut ending = ending.to_vec();
    ending[1].addresses = vec!["10.1.0.2".into()];
    let converted = of(&service, &ending);
    assert_eq!(servers(&converted, CLUSTER), ["10.1.0.1", "10.1.0.2"]);
    assert_eq!(servers(&converted, NODE), ["10.1.0.1"]);
    assert_eq!(skipped(&converted), [ELSEWHERE]);
}

/// Follows `proxier.go:syncEndpoint` (PR 97081): pods of the node still reach the address.
#[test]
fn without_a_local_endpoint_all_serve_what_comes_from_the_node() {
    let mut service = node_port();
    service.spec.external_traffic_policy = TrafficPolicy::Local;
    let converted = of(&service, &[on("b", "10.1.0.2")]);
    assert_eq!(servers(&converted, NODE), ["10.1.0.2"]);
    let facts = converted.virtual_services.values().last().unwrap();
    assert!(facts.local_only && facts.local_endpoints == 0, "the firewall has to drop the rest");
    assert_eq!(skipped(&converted), [""; 0], "the endpoint serves");
}

/// Follows `serviceport.go:UsesClusterEndpoints`.
#[test]
fn internal_local_has_nothing_without_a_local_endpoint_unless_it_is_reached_from_outside() {
    let mut inside = web();
    inside.spec.internal_traffic_policy = TrafficPolicy::Local;
    let alone = of(&inside, &[on("b", "10.1.0.2"), with(ready("10.1.0.3"), false, true, true)]);
    assert!(servers(&alone, CLUSTER).is_empty());
    assert_eq!(skipped(&alone), [NOT_READY, ELSEWHERE]);
    let ending = of(&inside, &[with(on("a", "10.1.0.1"), false, true, true)]);
    assert_eq!(servers(&ending, CLUSTER), ["10.1.0.1"]);
    assert_eq!(skipped(&ending), [""; 0], "the endpoint serves");
    let mut outside = node_port();
    outside.spec.internal_traffic_policy = TrafficPolicy::Local;
    assert_eq!(servers(&of(&outside, &[on("b", "10.1.0.2")]), CLUSTER), ["10.1.0.2"]);
    let both = of(&outside, &[on("a", "10.1.0.1"), on("b", "10.1.0.2")]);
    assert_eq!(servers(&both, CLUSTER), ["10.1.0.1"]);
    assert_eq!(servers(&both, NODE), ["10.1.0.1", "10.1.0.2"]);
}

/// Follows `pkg/api/v1/service/util.go:ExternalPolicyLocal`.
#[test]
fn external_local_counts_where_a_service_is_reached_from_outside() {
    let all = [on("a", "10.1.0.1"), on("b", "10.1.0.2")];
    let mut service = web();
    service.spec.external_traffic_policy = TrafficPolicy::Local;
    assert!(!of(&service, &all).virtual_services.values().next().unwrap().local_only);
    service.spec.external_ips = vec!["198.51.100.1".into()];
    assert_eq!(servers(&of(&service, &all), "198.51.100.1:80"), ["10.1.0.1"]);
    // A load balancer's address alone does not make it so.
    service.spec.external_ips.clear();
    service.status.load_balancer.ingress = vec![LoadBalancerIngress::new("203.0.113.1")];
    assert_eq!(servers(&of(&service, &all), "203.0.113.1:80").len(), 2);
    service.spec.service_type = ServiceType::LoadBalancer;
    assert_eq!(servers(&of(&service, &all), "203.0.113.1:80"), ["10.1.0.1"]);
}

fn hinted(endpoint: Endpoint, nodes: &[&str], zones: &[&str]) -> Endpoint {
    let mut endpoint = endpoint;
    endpoint.hints.for_nodes = nodes.iter().map(|name| Hint::new(name)).collect();
    endpoint.hints.for_zones = zones.iter().map(|name| Hint::new(name)).collect();
    endpoint
}

/// The endpoints that serve on node `a` in zone `z`.
fn chosen(endpoints: &[Endpoint], change: impl FnOnce(&mut Options)) -> Vec<String> {
    let mut options = options();
    options.node_labels.insert("topology.kubernetes.io/zone".into(), "z".into());
    change(&mut options);
    let (services, slices) = ([web()], [slice(endpoints)]);
    let converted = convert(&Objects::new(&services, &slices), &options);
    servers(&converted, CLUSTER)
}

/// Follows `topology.go:topologyModeFromHints`, `PreferSameNode`.
#[test]
fn hints_by_node_are_followed_if_all_have_one_and_one_names_this_node() {
    let all = [
        hinted(ready("10.1.0.1"), &["a"], &["z"]),
        hinted(ready("10.1.0.2"), &["b"], &["z"]),
        hinted(ready("10.1.0.3"), &["b", "a"], &["y"]),
    ];
    assert_eq!(chosen(&all, |_| {}), ["10.1.0.1", "10.1.0.3"]);
    let off = chosen(&all, |options| options.same_node_hints = false);
    assert_eq!(off, ["10.1.0.1", "10.1.0.2"], "then by zone");
    let elsewhere = chosen(&all, |options| options.node_name = "c".into());
    assert_eq!(elsewhere, ["10.1.0.1", "10.1.0.2"], "then by zone");
    let mut one_without = all.to_vec();
    one_without[2].hints.for_nodes.clear();
    assert_eq!(chosen(&one_without, |_| {}), ["10.1.0.1", "10.1.0.2"], "then by zone");
}

/// Follows `topology.go:topologyModeFromHints`, `PreferSameZone`.
#[test]
fn hints_by_zone_are_followed_if_all_have_one_and_one_names_this_zone() {
    let all = [hinted(ready("10.1.0.1"), &[], &["y", "z"]), hinted(ready("10.1.0.2"), &[], &["y"])];
    assert_eq!(chosen(&all, |_| {}), ["10.1.0.1"]);
    let everything = ["10.1.0.1", "10.1.0.2"];
    assert_eq!(chosen(&all, |it| it.node_labels.clear()), everything, "the node has no zone");
    let other = |it: &mut Options| {
        it.node_labels.insert("topology.kubernetes.io/zone".into(), "x".into());
    };
    assert_eq!(chosen(&all, other), everything, "no hint names it");
    let mut one_without = all.to_vec();
    one_without[1].hints.for_zones.clear();
    assert_eq!(chosen(&one_without, |_| {}), everything);
}

/// Follows `topology.go:topologyModeFromHints`: only ready endpoints vote.
#[test]
fn endpoints_that_are_not_ready_do_not_vote() {
    let unhinted = with(ready("10.1.0.3"), false, true, true);
    let all =
        [hinted(ready("10.1.0.1"), &[], &["z"]), hinted(ready("10.1.0.2"), &[], &["y"]), unhinted];
    assert_eq!(chosen(&all, |_| {}), ["10.1.0.1"]);
    let none = [with(hinted(ready("10.1.0.1"), &[], &["y"]), false, true, true)];
    assert_eq!(chosen(&none, |_| {}), ["10.1.0.1"], "hints do not count for the last resort");
}

/// Follows `topology.go:CategorizeEndpoints`: hints are not for local endpoints.
#[test]
fn hints_do_not_count_for_local_endpoints_and_are_told() {
    let all = [hinted(on("a", "10.1.0.1"), &["b"], &[]), hinted(on("b", "10.1.0.2"), &["a"], &[])];
    let mut service = node_port();
    service.spec.external_traffic_policy = TrafficPolicy::Local;
    let converted = of(&service, &all);
    assert_eq!(servers(&converted, NODE), ["10.1.0.1"]);
    assert_eq!(servers(&converted, CLUSTER), ["10.1.0.2"]);
    let hints = "Service shop/web, endpoints of port 80: hints give them to other nodes or zones";
    assert_eq!(skipped(&converted), [hints, ELSEWHERE]);
}

#[test]
fn the_zone_is_that_of_the_node_object_unless_the_options_name_one() {
    let all = [hinted(ready("10.1.0.1"), &[], &["z"]), hinted(ready("10.1.0.2"), &[], &["y"])];
    let mut node = Node::new("a");
    node.metadata.labels.insert("topology.kubernetes.io/zone".into(), "y".into());
    let (services, slices, nodes) = ([web()], [slice(&all)], [node]);
    let objects = Objects::new(&services, &slices).nodes(&nodes);
    let mut options = options();
    assert_eq!(servers(&convert(&objects, &options), CLUSTER), ["10.1.0.2"]);
    options.node_labels.insert("topology.kubernetes.io/zone".into(), "z".into());
    assert_eq!(servers(&convert(&objects, &options), CLUSTER), ["10.1.0.1"]);
}

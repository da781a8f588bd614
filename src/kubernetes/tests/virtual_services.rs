//! Section "which virtual services".

use super::*;

fn everywhere() -> Service {
    let mut service = web();
    service.spec.service_type = ServiceType::LoadBalancer;
    service.spec.ports[0].node_port = 30080;
    service.spec.external_ips = vec!["198.51.100.1".into()];
    service.status.load_balancer.ingress = vec![LoadBalancerIngress::new("203.0.113.1")];
    service
}

/// Follows `proxier.go:syncProxyRules`.
#[test]
fn a_service_is_reached_in_four_ways() {
    let converted = converted(&[everywhere()], &[slice(&[ready("10.1.0.1")])]);
    assert_eq!(
        lines(&converted),
        [
            "10.96.0.10:80",
            "10.96.0.10:80 > 10.1.0.1:8080",
            "192.0.2.1:30080",
            "192.0.2.1:30080 > 10.1.0.1:8080",
            "198.51.100.1:80",
            "198.51.100.1:80 > 10.1.0.1:8080",
            "203.0.113.1:80",
            "203.0.113.1:80 > 10.1.0.1:8080",
        ]
    );
    let exposures: Vec<_> = converted.virtual_services.values().map(|it| it.exposure).collect();
    let expected =
        [Exposure::ClusterIp, Exposure::NodePort, Exposure::ExternalIp, Exposure::LoadBalancer];
    assert_eq!(exposures, expected);
    let names: Vec<_> = converted.virtual_services.values().map(|it| &it.service).collect();
    assert!(names.iter().all(|name| name.to_string() == "shop/web"));
    // The node has its own address.
    let addresses: Vec<String> = converted.addresses.iter().map(ToString::to_string).collect();
    assert_eq!(addresses, ["10.96.0.10", "198.51.100.1", "203.0.113.1"]);
}

/// Follows `proxier.go:syncProxyRules`: an external IP counts also when it is an address of the node,
/// and node IPs are never put on the dummy interface.
#[test]
fn an_external_ip_may_be_an_address_of_the_node() {
    let mut service = web();
    service.spec.external_ips = vec!["192.0.2.1".into()];
    let converted = converted(&[service], &[]);
    assert_eq!(lines(&converted), ["10.96.0.10:80", "192.0.2.1:80"]);
    assert_eq!(converted.addresses.len(), 1);
}

/// Follows `proxier.go:syncService`: an address that an interface has is not bound. The Node object
/// counts as much as the addresses of interfaces, whenever it comes.
#[test]
fn addresses_of_the_node_object_are_not_put_on_the_dummy_interface() {
    let mut service = web();
    service.spec.external_ips = vec!["192.0.2.9".into(), "198.51.100.1".into()];
    let mut node = Node::new("a");
    node.status.addresses = vec![
        NodeAddress::internal("192.0.2.9"),
        NodeAddress { address_type: "ExternalIP".into(), address: "198.51.100.1".into() },
        NodeAddress { address_type: "Hostname".into(), address: "a.example.com".into() },
    ];
    let other = Node { metadata: Node::new("b").metadata, ..node.clone() };
    let (services, nodes) = ([service.clone()], [node.clone(), other.clone()]);
    let with = |nodes: &[Node]| {
        let converted = convert(&Objects::new(&services, &[]).nodes(nodes), &options());
        assert_eq!(converted.table.len(), 3);
        converted.addresses.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(with(&nodes), ["10.96.0.10"]);
    assert_eq!(with(&nodes[1..]), ["10.96.0.10", "192.0.2.9", "198.51.100.1"]);
    let mut converter = Converter::new(&options());
    assert_eq!(converter.apply(Event::Service(service)).addresses_added.len(), 3);
    assert!(converter.apply(Event::Node(other)).is_empty());
    let changes = converter.apply(Event::Node(node.clone()));
    let both = ["192.0.2.9", "198.51.100.1"].map(|it| it.parse().unwrap());
    assert_eq!((changes.addresses_added.len(), &*changes.addresses_removed), (0, &both[..]));
    node.status.addresses.remove(0);
    assert_eq!(converter.apply(Event::Node(node)).addresses_added, both[..1]);
    let changes = converter.apply(Event::NodeDeleted("a".into()));
    assert_eq!((changes.set.len(), changes.addresses_added), (0, both[1..].to_vec()));
}

/// A program must not take the addresses and the zone of a node that it has not seen for none.
#[test]
fn an_absent_own_node_shows() {
    let whole = |nodes: &[Node]| convert(&Objects::new(&[], &[]).nodes(nodes), &options());
    assert!(!whole(&[]).own_node && !whole(&[Node::new("b")]).own_node);
    assert!(whole(&[Node::new("b"), Node::new("a")]).own_node);
    let mut converter = Converter::new(&options());
    let seen = |converter: &Converter| {
        assert_eq!(converter.converted().own_node, converter.own_node().is_some());
        converter.own_node().map(|node| node.metadata.name.clone())
    };
    converter.apply(Event::Node(Node::new("b")));
    assert_eq!(seen(&converter), None);
    converter.apply(Event::Node(Node::new("a")));
    assert_eq!(seen(&converter).as_deref(), Some("a"));
    converter.apply(Event::NodeDeleted("a".into()));
    assert_eq!(seen(&converter), None);
    converter.apply(Event::Options(Options::new("b")));
    assert_eq!(seen(&converter).as_deref(), Some("b"), "the node has another name");
}

/// Follows `util/utils.go:IsVIPMode` and `serviceport.go:newBaseServiceInfo`.
#[test]
fn addresses_of_proxies_and_names_of_load_balancers_are_left_out() {
    let mut service = web();
    let ingress = |ip: &str, mode: &str| LoadBalancerIngress {
        ip_mode: mode.into(),
        ..LoadBalancerIngress::new(ip)
    };
    let named = LoadBalancerIngress { hostname: "lb.example.com".into(), ..Default::default() };
    service.status.load_balancer.ingress = vec![
        ingress("203.0.113.1", "VIP"),
        ingress("203.0.113.2", "Proxy"),
        ingress("203.0.113.3", ""),
        ingress("203.0.113.4", "Odd"),
        named,
    ];
    let converted = converted(&[service], &[]);
    assert_eq!(lines(&converted), ["10.96.0.10:80", "203.0.113.1:80", "203.0.113.3:80"]);
    assert_eq!(
        skipped(&converted),
        [
            "Service shop/web, status.loadBalancer.ingress \"203.0.113.2\": ipMode is Proxy",
            "Service shop/web, status.loadBalancer.ingress \"203.0.113.4\": ipMode \"Odd\": must be VIP or Proxy",
            "Service shop/web, status.loadBalancer.ingress \"lb.example.com\": the load balancer has a name and no address",
        ]
    );
}

/// Follows `netlink_linux.go` and `nodeport_addresses.go`: `node_ports` has the cases of addresses.
#[test]
fn node_ports_need_an_address_of_the_node() {
    let services = [everywhere()];
    let mut options = Options::new("a");
    options.node_addresses = vec![[127, 0, 0, 1].into()];
    let converted = convert(&Objects::new(&services, &[]), &options);
    assert_eq!(converted.table.len(), 3);
    assert_eq!(
        skipped(&converted),
        ["Service shop/web, port 80: the node has no address for node ports"]
    );
    options.node_port_addresses = NodePortAddresses::Primary;
    let mut node = Node::new("a");
    node.status.addresses.push(NodeAddress::internal("192.0.2.9"));
    let nodes = [Node::new("b"), node];
    let converted = convert(&Objects::new(&services, &[]).nodes(&nodes), &options);
    assert!(lines(&converted).contains(&"192.0.2.9:30080".to_owned()));
}

/// The source ranges of each virtual service, in the order of their ids: `None` is all clients.
fn source_ranges(service: &Service) -> Vec<Option<Vec<String>>> {
    let converted = converted(std::slice::from_ref(service), &[]);
    let text = |it: &VirtualService| {
        let ranges = it.source_ranges.as_ref()?;
        Some(ranges.iter().map(ToString::to_string).collect())
    };
    converted.virtual_services.values().map(text).collect()
}

/// Follows `serviceport.go:newBaseServiceInfo`: ranges are for the family of an address.
#[test]
fn source_ranges_belong_to_addresses_of_load_balancers() {
    let mut service = everywhere();
    assert_eq!(source_ranges(&service), vec![None; 4]);
    service.spec.load_balancer_source_ranges = vec!["10.1.2.3/8".into(), "2001:db8::/32".into()];
    let of_load_balancer = Some(vec!["10.0.0.0/8".to_owned()]);
    assert_eq!(source_ranges(&service), [None, None, None, of_load_balancer]);
    // Without one that cannot be read, more clients than wanted would have access.
    service.spec.load_balancer_source_ranges.push("10.0.0.0/64".into());
    let converted = converted(&[service.clone()], &[]);
    assert_eq!(lines(&converted), ["10.96.0.10:80", "192.0.2.1:30080", "198.51.100.1:80"]);
    assert!(skipped(&converted)[0].contains("\"10.0.0.0/64\": must be a network"));
    service.status.load_balancer.ingress.clear();
    assert_eq!(super::converted(&[service], &[]).skipped.len(), 1);
}

/// kube-proxy would let all clients of the other family in: `serviceport.go:newBaseServiceInfo` keeps
/// the ranges of the own family, and none of them looks like no restriction.
#[test]
fn source_ranges_of_one_family_close_the_other_one() {
    let mut service = everywhere();
    service.spec.cluster_ips = vec!["10.96.0.10".into(), "fd00::a".into()];
    service.spec.ip_families = vec![IpFamily::Ipv4, IpFamily::Ipv6];
    service.spec.ports[0].node_port = 0;
    service.spec.external_ips.clear();
    service.status.load_balancer.ingress.push(LoadBalancerIngress::new("2001:db8:2::1"));
    service.spec.load_balancer_source_ranges = vec!["10.0.0.0/8".into()];
    let (nobody, ten) = (Some(Vec::new()), Some(vec!["10.0.0.0/8".to_owned()]));
    assert_eq!(source_ranges(&service), [None, ten, nobody.clone(), None]);
    service.spec.load_balancer_source_ranges = vec!["fd00::/8".into()];
    assert_eq!(source_ranges(&service), [None, nobody, Some(vec!["fd00::/8".to_owned()]), None]);
}

/// Follows `pkg/api/v1/service/util.go:GetLoadBalancerSourceRanges`.
#[test]
fn source_ranges_of_the_annotation_count_where_the_field_is_empty() {
    let name = "service.beta.kubernetes.io/load-balancer-source-ranges";
    let mut service: Service = serde_json::from_str(&format!(
        r#"{{"metadata": {{"name": "web", "annotations": {{"{name}": " 10.0.0.0/8, 192.0.2.0/24 "}}}},
            "spec": {{"clusterIP": "10.96.0.10", "ports": [{{"port": 80}}]}},
            "status": {{"loadBalancer": {{"ingress": [{{"ip": "203.0.113.1"}}]}}}}}}"#
    ))
    .unwrap();
    let both = vec!["10.0.0.0/8".to_owned(), "192.0.2.0/24".to_owned()];
    assert_eq!(source_ranges(&service), [None, Some(both)]);
    service.metadata.annotations.insert(name.into(), " ".into());
    assert_eq!(source_ranges(&service), [None, None]);
    service.metadata.annotations.insert(name.into(), "10.0.0.0/8,".into());
    let converted = converted(&[service.clone()], &[]);
    assert_eq!(lines(&converted), ["10.96.0.10:80"]);
    assert!(skipped(&converted)[0].contains("must be a network"), "{:?}", skipped(&converted));
    service.spec.load_balancer_source_ranges = vec!["192.0.2.0/24".into()];
    assert_eq!(source_ranges(&service), [None, Some(vec!["192.0.2.0/24".to_owned()])]);
}

#[test]
fn a_wrong_value_is_told_once() {
    let mut service = web();
    service.spec.external_ips = vec!["x".into(), "0.0.0.0".into()];
    service.spec.load_balancer_source_ranges = vec!["10.0.0.0".into()];
    let told = skipped(&converted(&[service], &[slice(&[ready("127.0.0.1")])]));
    assert_eq!(
        told,
        [
            "Service shop/web, spec.externalIPs \"x\": must be an IP address",
            "Service shop/web, spec.externalIPs \"0.0.0.0\": must be a unicast address, neither \
             loopback nor link-local IPv6",
            "Service shop/web, spec.loadBalancerSourceRanges \"10.0.0.0\": must be a network; the \
             addresses of the load balancer are not served",
            "EndpointSlice shop/web-1, endpoint \"127.0.0.1\": must be a unicast address, neither \
             loopback nor link-local",
        ]
    );
}

/// Follows `serviceport.go:newBaseServiceInfo`, `util.go:NeedsHealthCheck` and
/// `endpointschangetracker.go:LocalReadyEndpoints`.
#[test]
fn health_check_node_ports_count_addresses_of_ready_local_endpoints() {
    let mut service = everywhere();
    service.spec.health_check_node_port = 30009;
    let endpoints = [
        on("a", "10.1.0.1"),
        on("a", "10.1.0.2"),
        on("b", "10.1.0.3"),
        with(on("a", "10.1.0.4"), false, true, true),
    ];
    let mut slice = slice(&endpoints);
    slice.ports.push(EndpointPort::new(8081));
    let name: ObjectName = "shop/web".parse().unwrap();
    let facts = |service: &Service| {
        let converted = converted(std::slice::from_ref(service), std::slice::from_ref(&slice));
        converted.services.get(&name).cloned()
    };
    assert_eq!(facts(&service), None);
    service.spec.external_traffic_policy = TrafficPolicy::Local;
    let port = facts(&service).unwrap().health_check_node_port.unwrap();
    assert_eq!((port.port, port.ipv4_endpoints, port.ipv6_endpoints), (30009, 2, 0));
    service.spec.service_type = ServiceType::NodePort;
    assert_eq!(facts(&service), None);
    service.spec.service_type = ServiceType::LoadBalancer;
    service.spec.health_check_node_port = 0;
    assert_eq!(facts(&service), None);
    let told = skipped(&converted(&[service], &[]));
    let line = "Service shop/web, spec.healthCheckNodePort \"0\": must be 1 to 65535";
    assert_eq!(told[0], line);
}

/// Follows `proxier.go:syncProxyRules`, `KUBE-LOOP-BACK`: they need not be ready.
#[test]
fn local_addresses_are_those_of_all_endpoints_of_the_node() {
    let endpoints = [
        with(on("a", "10.1.0.9"), false, false, false),
        on("b", "10.1.0.3"),
        ready("10.1.0.4"),
        on("a", "10.1.0.1"),
    ];
    let converted = converted(&[everywhere()], &[slice(&endpoints)]);
    assert_eq!(converted.virtual_services.len(), 4);
    for facts in converted.virtual_services.values() {
        let addresses: Vec<_> = facts.local_addresses.iter().map(ToString::to_string).collect();
        assert_eq!(addresses, ["10.1.0.1", "10.1.0.9"]);
    }
}

#[test]
fn networks_can_be_left_to_others() {
    let services = [everywhere()];
    let mut options = options();
    options.exclude = vec!["198.51.100.0/24".parse().unwrap(), "192.0.2.0/24".parse().unwrap()];
    let converted = convert(&Objects::new(&services, &[]), &options);
    assert_eq!(lines(&converted), ["10.96.0.10:80", "203.0.113.1:80"]);
    let told = skipped(&converted).join("\n");
    assert!(told.contains("\"198.51.100.1\": 198.51.100.0/24 is excluded"), "{told}");
    options.exclude.clear();
    options.within = Some(vec!["203.0.113.0/24".parse().unwrap()]);
    let converted = convert(&Objects::new(&services, &[]), &options);
    assert_eq!(lines(&converted), ["203.0.113.1:80"]);
    assert_eq!(converted.addresses.len(), 1);
    assert!(skipped(&converted)[0].ends_with("the address is in no network that is served"));
}

#[test]
fn special_addresses_serve_nothing() {
    let mut service = web();
    service.spec.external_ips =
        ["127.0.0.1", "0.0.0.0", "224.0.0.1", "x", "198.51.100.1"].map(Into::into).into();
    let converted = converted(&[service], &[]);
    assert_eq!(lines(&converted), ["10.96.0.10:80", "198.51.100.1:80"]);
    assert_eq!(converted.skipped.len(), 4);
}

use crate::kubernetes::objects::*;

fn service(json: &str) -> Result<Service, serde_json::Error> {
    serde_json::from_str(json)
}

#[test]
fn an_object_of_the_api_is_reduced_to_what_counts() {
    let read = service(
        r#"{"apiVersion": "v1", "kind": "Service",
            "metadata": {"name": "web", "namespace": "shop", "uid": "u", "resourceVersion": "7",
                "creationTimestamp": "2026-11-28T12:00:00Z", "managedFields": [{"manager": "x"}],
                "labels": {"app": "web", "service.kubernetes.io/headless": ""},
                "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{}",
                    "ipvs-netlink/scheduler": "wrr"}},
            "spec": {"type": "LoadBalancer", "clusterIP": "10.96.0.10",
                "clusterIPs": ["10.96.0.10", "fd00::a"], "ipFamilies": ["IPv4", "IPv6"],
                "selector": {"app": "web"}, "sessionAffinity": "ClientIP",
                "sessionAffinityConfig": {"clientIP": {"timeoutSeconds": 60}},
                "externalTrafficPolicy": "Local", "healthCheckNodePort": 30009,
                "ports": [{"name": "http", "port": 80, "targetPort": "http", "nodePort": 30080,
                    "protocol": "TCP", "appProtocol": "http"}]},
            "status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.10", "ipMode": "VIP"}]}}}"#,
    )
    .unwrap();
    let mut web = Service::new("shop", "web");
    web.metadata.uid = "u".into();
    web.metadata.resource_version = "7".into();
    web.metadata.creation_timestamp = "2026-11-28T12:00:00Z".into();
    web.metadata.labels.insert("service.kubernetes.io/headless".into(), String::new());
    web.metadata.annotations.insert("ipvs-netlink/scheduler".into(), "wrr".into());
    web.spec.service_type = ServiceType::LoadBalancer;
    web.spec.cluster_ip = "10.96.0.10".into();
    web.spec.cluster_ips = vec!["10.96.0.10".into(), "fd00::a".into()];
    web.spec.ip_families = vec![IpFamily::Ipv4, IpFamily::Ipv6];
    web.spec.session_affinity = SessionAffinity::ClientIp;
    web.spec.session_affinity_config.client_ip.timeout_seconds = Some(60);
    web.spec.external_traffic_policy = TrafficPolicy::Local;
    web.spec.health_check_node_port = 30009;
    web.spec.ports.push(ServicePort {
        name: "http".into(),
        node_port: 30080,
        ..ServicePort::new(80)
    });
    web.status.load_balancer.ingress.push(LoadBalancerIngress::new("192.0.2.10"));
    assert_eq!(read, web);
}

/// The defaults of `SetDefaults_Service` and `SetDefaults_EndpointPort`.
#[test]
fn what_the_api_server_would_set_has_its_defaults() {
    let read = service(r#"{"metadata": {"name": "x"}, "spec": {"ports": [{"port": 1}]}}"#).unwrap();
    assert_eq!(read.spec.service_type, ServiceType::ClusterIp);
    assert_eq!(read.spec.ports[0].protocol, PortProtocol::Tcp);
    assert_eq!(read.spec.ports[0].name, "");
    assert_eq!(read.spec.session_affinity, SessionAffinity::None);
    assert_eq!(read.spec.external_traffic_policy, TrafficPolicy::Cluster);
    assert_eq!(read.spec.internal_traffic_policy, TrafficPolicy::Cluster);
    let port: EndpointPort = serde_json::from_str("{}").unwrap();
    assert_eq!(port, EndpointPort { port: None, ..EndpointPort::new(1) });
}

#[test]
fn null_is_absent() {
    let nulls = r#"{"metadata": {"name": "x", "namespace": null, "labels": null,
        "annotations": {"ipvs-netlink/drain": null}, "creationTimestamp": null},
        "spec": {"type": null, "clusterIP": null, "clusterIPs": null, "ports": null,
            "sessionAffinityConfig": {"clientIP": null}, "externalIPs": null},
        "status": {"loadBalancer": null}}"#;
    let read = service(nulls).unwrap();
    assert_eq!(read.spec, ServiceSpec::default());
    assert_eq!(
        service(r#"{"metadata": null, "spec": null, "status": null}"#).unwrap(),
        Service::default()
    );
    let slice: EndpointSlice = serde_json::from_str(
        r#"{"addressType": null, "ports": null, "endpoints": [{"addresses": null,
            "conditions": null, "hints": null, "targetRef": null, "nodeName": null}]}"#,
    )
    .unwrap();
    assert_eq!(slice.endpoints, [Endpoint::default()]);
}

#[test]
fn wrong_types_are_errors() {
    for json in [
        r#"{"metadata": {"name": 1}}"#,
        r#"{"metadata": {"labels": []}}"#,
        r#"{"metadata": {"annotations": {"ipvs-netlink/drain": 1}}}"#,
        r#"{"spec": {"ports": {}}}"#,
        r#"{"spec": {"ports": [{"port": "80"}]}}"#,
        r#"{"spec": {"ports": [{"port": 8000000000}]}}"#,
        r#"{"spec": {"type": true}}"#,
        r#"{"spec": {"clusterIPs": "10.0.0.1"}}"#,
    ] {
        assert!(service(json).is_err(), "{json}");
    }
}

#[test]
fn values_that_cannot_work_are_read_and_kept() {
    let read = service(
        r#"{"spec": {"type": "Odd", "clusterIP": "x", "ports": [{"port": 70000, "protocol": "ICMP"}]}}"#,
    )
    .unwrap();
    assert_eq!(read.spec.service_type, ServiceType::Other("Odd".into()));
    assert_eq!(read.spec.ports[0].port, 70000);
    assert_eq!(read.spec.ports[0].protocol.as_str(), "ICMP");
}

#[test]
fn kinds_are_told_by_version_too() {
    let object = |text: &str| serde_saphyr::from_str::<Object>(text).unwrap();
    assert_eq!(object("{apiVersion: serving.knative.dev/v1, kind: Service}"), Object::Other);
    assert_eq!(
        object("{apiVersion: discovery.k8s.io/v1beta1, kind: EndpointSlice}"),
        Object::Other
    );
    assert_eq!(object("{kind: Service}"), Object::Other);
    let node = object(
        "apiVersion: v1\nkind: Node\nmetadata: {name: a, labels: {topology.kubernetes.io/zone: z}}\n\
         status: {addresses: [{type: InternalIP, address: 192.0.2.1}]}\n",
    );
    let Object::Node(node) = node else { panic!("{node:?}") };
    assert_eq!(node.metadata.labels.len(), 1);
    assert_eq!(node.status.addresses, [NodeAddress::internal("192.0.2.1")]);
    assert!(matches!(object("{apiVersion: v1, kind: Pod, metadata: {name: p}}"), Object::Pod(_)));
    let text = "{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, addressType: FQDN,
        metadata: {name: s, labels: {kubernetes.io/service-name: web}}}";
    let Object::EndpointSlice(slice) = object(text) else { panic!() };
    assert_eq!((slice.service(), &slice.address_type), (Some("web"), &AddressType::Fqdn));
}

#[test]
fn a_node_tells_whether_it_leaves() {
    let node = |text: &str| serde_saphyr::from_str::<Node>(text).unwrap();
    let taint = |key: &str| {
        node(&format!(
            "spec: {{taints: [{{key: {key}, value: '1795910400', effect: NoSchedule}}]}}"
        ))
    };
    assert_eq!(taint("dedicated").spec.taints, [Taint::new("dedicated")]);
    assert!(!taint("dedicated").is_leaving());
    assert!(taint("ToBeDeletedByClusterAutoscaler").is_leaving());
    assert!(node("metadata: {deletionTimestamp: 2026-11-29T05:00:00Z}").is_leaving());
    for lenient in ["metadata: {deletionTimestamp: null}", "spec: null", "spec: {taints: null}"] {
        assert!(
            serde_saphyr::from_str::<Node>(lenient).is_ok_and(|it| !it.is_leaving()),
            "{lenient}"
        );
    }
    assert!(serde_saphyr::from_str::<Node>("spec: {taints: [{key: 5x5: 1}]}").is_err());
}

#[test]
fn times_of_creation_have_an_order() {
    let created = |text: &str| {
        Metadata { creation_timestamp: text.to_owned(), ..Metadata::default() }.created()
    };
    assert!(created("2025-12-31T23:59:59Z") < created("2026-01-01T00:00:00Z"));
    for unknown in ["", "2026-01-01", "2026-01-01T00:00:00+01:00", "2026-01-01T00:00:0xZ"] {
        assert_eq!(created(unknown), u64::MAX, "{unknown}");
    }
}

//! Sections "which objects count", the endpoints, and "ports joined by name".

use super::*;

fn port(name: &str, number: u16) -> EndpointPort {
    EndpointPort { name: name.into(), ..EndpointPort::new(number) }
}

fn named(name: &str, mut slice: EndpointSlice, ports: Vec<EndpointPort>) -> EndpointSlice {
    slice.metadata.name = name.into();
    slice.ports = ports;
    slice
}

/// Follows `types.go:ServicePortName` and `endpointslicecache.go:endpointInfoByServicePort`.
#[test]
fn ports_are_joined_by_name_and_protocol_and_each_slice_has_its_numbers() {
    let mut service = web();
    service.spec.ports[0].name = "http".into();
    service.spec.ports.push(ServicePort { name: "metrics".into(), ..ServicePort::new(9090) });
    let slices = [
        named("one", slice(&[ready("10.1.0.1")]), vec![port("http", 8080), port("metrics", 9091)]),
        named("two", slice(&[ready("10.1.0.2")]), vec![port("http", 8888)]),
    ];
    let converted = converted(std::slice::from_ref(&service), &slices);
    assert_eq!(
        lines(&converted),
        [
            "10.96.0.10:80",
            "10.96.0.10:80 > 10.1.0.1:8080",
            "10.96.0.10:80 > 10.1.0.2:8888",
            "10.96.0.10:9090",
            "10.96.0.10:9090 > 10.1.0.1:9091",
        ]
    );
    let told = "Service shop/web, endpoints of port metrics: their slices have no usable port of this \
                name and protocol";
    assert_eq!(skipped(&converted), [told]);
    // One name twice in a slice is two ports.
    let both = named("one", slice(&[ready("10.1.0.1")]), vec![port("http", 1), port("http", 2)]);
    service.spec.ports.pop();
    assert_eq!(whole(&service, &[both]).len(), 3);
}

/// Follows `endpointslicecache.go:endpointInfoByServicePort`: without a number, ignored.
#[test]
fn ports_without_a_number_and_unknown_ports_are_left_out() {
    let odd = |number, protocol: &str| EndpointPort {
        port: number,
        protocol: protocol.into(),
        ..EndpointPort::default()
    };
    let ports = vec![
        odd(None, "TCP"),
        odd(Some(0), "TCP"),
        odd(Some(70_000), "TCP"),
        odd(Some(-1), "TCP"),
        odd(Some(1), "UDP"),
        odd(Some(1), "ICMP"),
        port("other", 1),
    ];
    let converted = converted(&[web()], &[named("x", slice(&[ready("10.1.0.1")]), ports)]);
    assert_eq!(lines(&converted), ["10.96.0.10:80"]);
    let rule = "must be 1 to 65535";
    assert_eq!(
        skipped(&converted),
        [
            "EndpointSlice shop/x, port 0: has no number".to_owned(),
            "EndpointSlice shop/x, port 0: has no number".to_owned(),
            format!("EndpointSlice shop/x, port 70000: ports.port 70000: {rule}"),
            format!("EndpointSlice shop/x, port -1: ports.port -1: {rule}"),
            "EndpointSlice shop/x, port 1: protocol \"ICMP\": must be TCP, UDP or SCTP".to_owned(),
            "EndpointSlice shop/x, port 1: the service has no port of this name and protocol"
                .to_owned(),
            "EndpointSlice shop/x, port other: the service has no port of this name and protocol"
                .to_owned(),
            "Service shop/web, endpoints of port 80: their slices have no usable port of this name \
             and protocol"
                .to_owned(),
        ]
    );
}

/// Follows `endpointslicecache.go:endpointInfoByServicePort`: a slice serves no port that it does not
/// have. The control plane writes one without ports and endpoints for services that select no pods.
#[test]
fn endpoints_of_slices_without_ports_are_left_out() {
    let text = |ports: &str, endpoints: &str| -> EndpointSlice {
        serde_json::from_str(&format!(
            r#"{{"metadata": {{"namespace": "shop", "name": "none",
                "labels": {{"kubernetes.io/service-name": "web"}}}}, "addressType": "IPv4",
                {ports} "endpoints": {endpoints}}}"#
        ))
        .unwrap()
    };
    let endpoints = r#"[{"addresses": ["10.1.0.2"]}, {"addresses": ["10.1.0.3"]}]"#;
    for ports in ["", r#""ports": null,"#, r#""ports": [],"#] {
        let slices = [slice(&[ready("10.1.0.1")]), text(ports, endpoints)];
        let converted = converted(&[web()], &slices);
        assert_eq!(servers(&converted, "10.96.0.10:80"), ["10.1.0.1"]);
        assert_eq!(skipped(&converted), ["EndpointSlice shop/none: has no ports"]);
        assert_eq!(whole(&web(), &[text(ports, "null")]), ["10.96.0.10:80"]);
    }
}

/// Follows `endpointslicecache.go:addEndpoints`.
#[test]
fn only_the_first_address_counts_in_canonical_form() {
    let mut first = ready("010.001.0.01");
    assert_eq!(
        whole(&web(), &[slice(std::slice::from_ref(&first))])[1],
        "10.96.0.10:80 > 10.1.0.1:8080"
    );
    first.addresses.push("10.1.0.2".into());
    let converted = converted(&[web()], &[slice(&[first.clone(), first])]);
    assert_eq!(servers(&converted, "10.96.0.10:80"), ["10.1.0.1"]);
    assert_eq!(
        skipped(&converted),
        [
            "EndpointSlice shop/web-1, endpoint \"010.001.0.01\" and 1 more: only the first address of \
          an endpoint counts"
        ]
    );
    let none = Endpoint::default();
    let special = ["127.0.0.1", "169.254.169.254", "x", "y"].map(ready);
    let mut all = vec![none.clone(), none];
    all.extend(special);
    let converted = super::converted(&[web()], &[slice(&all)]);
    assert_eq!(lines(&converted), ["10.96.0.10:80"]);
    let told = skipped(&converted);
    assert_eq!(told.len(), 3, "{told:?}");
    assert_eq!(told[0], "EndpointSlice shop/web-1, endpoint \"\" and 1 more: has no address");
    assert!(told[1].contains("\"127.0.0.1\" and 1 more") && told[1].contains("loopback"));
    assert!(told[2].contains("\"x\" and 1 more") && told[2].contains("must be an IP address"));
}

/// Follows `endpointslicecache.go:addEndpoints`, the conditions.
#[test]
fn absent_conditions_are_ready_serving_and_not_terminating() {
    let mut conditions = EndpointConditions::default();
    let mut endpoint = ready("10.1.0.1");
    let mut count = |conditions| {
        endpoint.conditions = conditions;
        servers(&converted(&[web()], &[slice(std::slice::from_ref(&endpoint))]), "10.96.0.10:80")
            .len()
    };
    assert_eq!(count(conditions), 1);
    conditions.ready = Some(false);
    assert_eq!(count(conditions), 0, "it does not terminate");
    conditions.terminating = Some(true);
    assert_eq!(count(conditions), 1, "it serves");
    conditions.serving = Some(false);
    assert_eq!(count(conditions), 0);
}

/// Follows `endpointslicecache.go:addEndpoints`: a running pod may have the address of one that ends.
#[test]
fn of_an_address_in_two_slices_the_one_that_does_not_terminate_counts() {
    let running = on("a", "10.1.0.1");
    let ending = with(on("a", "10.1.0.1"), false, false, true);
    for (first, second) in [(&running, &ending), (&ending, &running)] {
        let second =
            named("web-2", slice(std::slice::from_ref(second)), vec![EndpointPort::new(8080)]);
        let converted = converted(&[web()], &[slice(std::slice::from_ref(first)), second]);
        assert_eq!(servers(&converted, "10.96.0.10:80"), ["10.1.0.1"]);
        assert!(converted.skipped.is_empty());
    }
}

/// Follows `endpointslicecache.go:addEndpoints`: local by the name of the node alone.
#[test]
fn endpoints_are_local_by_the_name_of_their_node() {
    let all = [on("a", "10.1.0.1"), on("A", "10.1.0.2"), ready("10.1.0.3")];
    let mut service = web();
    service.spec.internal_traffic_policy = TrafficPolicy::Local;
    assert_eq!(servers(&converted(&[service], &[slice(&all)]), "10.96.0.10:80"), ["10.1.0.1"]);
}

/// Ports of services. Follows `servicechangetracker.go:serviceToServiceMap`; the API server lets none
/// of these through.
#[test]
fn ports_of_services_that_cannot_be_served_are_told() {
    let mut service = web();
    let port = |name: &str, number, protocol: &str, node_port| ServicePort {
        name: name.into(),
        port: number,
        protocol: protocol.into(),
        node_port,
    };
    service.spec.ports.extend([
        port("zero", 0, "TCP", 0),
        port("large", 70_000, "TCP", 0),
        port("odd", 81, "tcp", 0),
        port("", 82, "TCP", 0),
        port("node", 83, "TCP", -1),
    ]);
    let converted = converted(&[service], &[]);
    assert_eq!(lines(&converted), ["10.96.0.10:80", "10.96.0.10:83"]);
    assert_eq!(
        skipped(&converted),
        [
            "Service shop/web, port zero: spec.ports.port 0: must be 1 to 65535",
            "Service shop/web, port large: spec.ports.port 70000: must be 1 to 65535",
            "Service shop/web, port odd: protocol \"tcp\": must be TCP, UDP or SCTP",
            "Service shop/web, port 82: is there twice",
            "Service shop/web, port node: spec.ports.nodePort -1: must be 1 to 65535",
        ]
    );
}

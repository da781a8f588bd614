//! Objects of a large cluster.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use serde_json::{Value, json};

/// The port on which the endpoints of a service listen: another one for each of the first four services. A client may
/// use one port of its own for two services at once. If both led to one port of one server, that would be one connection
/// to it, and masquerading cannot tell the two apart.
pub(crate) fn port(index: u32) -> u16 {
    8080 + u16::try_from(index % 4).unwrap()
}

pub(crate) fn node() -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": "node-a"},
        "status": {"addresses": [{"type": "InternalIP", "address": "10.1.0.1"}]},
    })
}

/// The cluster IP and port of a service.
pub(crate) fn cluster_ip(index: u32) -> SocketAddr {
    SocketAddr::new(Ipv4Addr::from_bits(0x0a60_000a + index).into(), 80)
}

/// A service, with the fields that the API server fills in.
pub(crate) fn service(index: u32) -> Value {
    let ip = cluster_ip(index).ip();
    json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "namespace": "load",
            "name": format!("service-{index:05}"),
            "labels": {"app": format!("app-{index:05}")},
        },
        "spec": {
            "type": "ClusterIP",
            "clusterIP": ip,
            "clusterIPs": [ip],
            "ipFamilies": ["IPv4"],
            "ipFamilyPolicy": "SingleStack",
            "internalTrafficPolicy": "Cluster",
            "selector": {"app": format!("app-{index:05}")},
            "sessionAffinity": "None",
            "ports": [{"name": "http", "protocol": "TCP", "port": 80, "targetPort": port(index)}],
        },
        "status": {"loadBalancer": {}},
    })
}

/// The endpoint slice of a service, with the fields that its controller writes.
pub(crate) fn slice(index: u32, addresses: &[IpAddr]) -> Value {
    let endpoint = |address: &IpAddr| {
        json!({
            "addresses": [address],
            "conditions": {"ready": true, "serving": true, "terminating": false},
            "nodeName": "node-b",
            "zone": "zone-a",
            "targetRef": {"kind": "Pod", "namespace": "load", "name": format!("pod-{address}")},
        })
    };
    json!({
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "namespace": "load",
            "name": format!("service-{index:05}-x7k2p"),
            "labels": {
                "kubernetes.io/service-name": format!("service-{index:05}"),
                "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
            },
        },
        "addressType": "IPv4",
        "ports": [{"name": "http", "protocol": "TCP", "port": port(index)}],
        "endpoints": addresses.iter().map(endpoint).collect::<Vec<_>>(),
    })
}

//! Objects of the cluster.

use serde_json::{Value, json};

/// A load balancer's service whose traffic stays on the node, with its health check node port.
pub(crate) fn gateway(port: u16) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"namespace": "edge", "name": "gateway"},
        "spec": {
            "type": "LoadBalancer",
            "clusterIP": "10.96.0.20",
            "externalTrafficPolicy": "Local",
            "healthCheckNodePort": port,
            "ports": [{"port": 443}],
        },
        "status": {"loadBalancer": {"ingress": [{"ip": "203.0.113.7"}]}},
    })
}

/// Its endpoints on this node. Each is ready, or terminates and goes on serving.
pub(crate) fn endpoints(ready: &[bool], trigger: &str) -> Value {
    let endpoint = |(host, ready): (usize, &bool)| {
        json!({
            "addresses": [format!("10.244.1.{}", host + 1)],
            "nodeName": "node-a",
            "conditions": {"ready": ready, "serving": true, "terminating": !ready},
        })
    };
    json!({
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "namespace": "edge",
            "name": "gateway-1",
            "labels": {"kubernetes.io/service-name": "gateway"},
            "annotations": {"endpoints.kubernetes.io/last-change-trigger-time": trigger},
        },
        "addressType": "IPv4",
        "ports": [{"port": 8443}],
        "endpoints": ready.iter().enumerate().map(endpoint).collect::<Vec<_>>(),
    })
}

/// The own node, with taints.
pub(crate) fn node(taints: &[&str]) -> Value {
    let taints: Vec<Value> =
        taints.iter().map(|key| json!({"key": key, "effect": "NoSchedule"})).collect();
    json!({
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": "node-a"},
        "spec": {"taints": taints},
        "status": {"addresses": [{"type": "InternalIP", "address": "192.0.2.1"}]},
    })
}

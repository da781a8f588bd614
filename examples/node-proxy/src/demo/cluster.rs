//! The cluster: its API server, and the objects of one service.

use std::net::SocketAddr;

use serde_json::{Value, json};

use super::Result;
use super::pods::{PORT, Phase};
use crate::api_server::ApiServer;

/// The address of the service in the cluster.
pub(super) fn cluster_ip() -> SocketAddr {
    SocketAddr::from(([10, 96, 0, 10], 80))
}

/// Creates or replaces the node and the service.
pub(super) fn put_objects(server: &ApiServer) -> Result<()> {
    server.put(json!({
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": "node-a"},
        "status": {"addresses": [{"type": "InternalIP", "address": "10.1.0.1"}]},
    }))?;
    let address = cluster_ip();
    Ok(server.put(json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"namespace": "shop", "name": "web"},
        "spec": {"clusterIP": address.ip(), "ports": [{"port": address.port()}]},
    }))?)
}

/// Writes the endpoint slice of the service, as the endpoint slice controller does when a pod changes.
pub(super) fn put_slice(server: &ApiServer, pods: &[(SocketAddr, Phase)]) -> Result<()> {
    let endpoints: Vec<Value> = pods.iter().filter_map(endpoint).collect();
    Ok(server.put(json!({
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "namespace": "shop",
            "name": "web-1",
            "labels": {"kubernetes.io/service-name": "web"},
        },
        "addressType": "IPv4",
        "ports": [{"port": PORT}],
        "endpoints": endpoints,
    }))?)
}

fn endpoint((address, phase): &(SocketAddr, Phase)) -> Option<Value> {
    let terminating = match phase {
        Phase::Ready => false,
        Phase::Terminating => true,
        Phase::Gone => return None,
    };
    Some(json!({
        "addresses": [address.ip()],
        "conditions": {"ready": !terminating, "serving": true, "terminating": terminating},
    }))
}

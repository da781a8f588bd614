//! Two proxies in one cluster.

use node_proxy::api_server::ApiServer;
use serde_json::{Value, json};

use crate::stage::agent::{Agent, fresh_namespace};
use crate::stage::kubectl::Kubectl;

fn service(name: &str, address: &str, proxy: Value) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "namespace": "shop",
            "name": name,
            "labels": {"service.kubernetes.io/service-proxy-name": proxy},
        },
        "spec": {"clusterIP": address, "ports": [{"port": 80}]},
    })
}

/// As the control plane does, the slice has the label of its service.
fn slice() -> Value {
    json!({
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "namespace": "shop",
            "name": "web-1",
            "labels": {
                "kubernetes.io/service-name": "web",
                "service.kubernetes.io/service-proxy-name": "ipvs",
            },
        },
        "addressType": "IPv4",
        "ports": [{"port": 8080}],
        "endpoints": [{"addresses": ["10.244.1.2"]}],
    })
}

/// kube-proxy passes over services with the label, whatever its value.
#[test]
fn services_with_the_label_are_served_and_no_others() {
    fresh_namespace();
    let server = ApiServer::start().unwrap();
    let node = json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node-a"}});
    let others = [
        service("other", "10.96.0.11", json!("other")),
        json!({"apiVersion": "v1", "kind": "Service",
            "metadata": {"namespace": "shop", "name": "plain"},
            "spec": {"clusterIP": "10.96.0.12", "ports": [{"port": 80}]}}),
    ];
    let own = [service("web", "10.96.0.10", json!("ipvs")), slice(), node];
    for object in own.into_iter().chain(others) {
        server.put(object).unwrap();
    }
    let arguments = ["--service-proxy-name=ipvs", "--node-address=192.0.2.1"];
    let mut agent = Agent::start(&server, &arguments);
    agent.wait_for("synchronized");
    let web = "-A -t 10.96.0.10:80 -s rr\n-a -t 10.96.0.10:80 -r 10.244.1.2:8080 -m -w 1\n";
    assert_eq!(agent.table(), web);

    // A service that gets the label, and one that loses it.
    let kubectl = Kubectl(&server);
    let label = |value: &str| {
        format!(
            r#"{{"metadata": {{"labels": {{"service.kubernetes.io/service-proxy-name": {value}}}}}}}"#
        )
    };
    for (name, value) in [("plain", "\"ipvs\""), ("web", "null")] {
        let patch = ["patch", "service", name, "-n", "shop", "--type=merge", "-p", &label(value)];
        kubectl.run(&patch, "");
    }
    agent.wait_for_table("-A -t 10.96.0.12:80 -s rr\n");
}

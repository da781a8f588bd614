//! What kube-proxy's ipvs mode leaves on a node when it ends, and what the program makes of it.

use std::fs::{self, File};
use std::process::Command;

use ipvs_netlink::Client;
use ipvs_netlink::table::PlanOptions;
use node_proxy::api_server::ApiServer;
use serde_json::json;

use crate::stage::agent::{Agent, fresh_namespace};

#[track_caller]
fn ip(arguments: &str) -> String {
    let output = Command::new("ip").args(arguments.split(' ')).output().unwrap();
    assert!(output.status.success(), "ip {arguments}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// With the interface of kube-proxy, what is right is never touched.
#[test]
fn addresses_and_services_of_kube_proxy_are_taken_over_as_they_are() {
    fresh_namespace();
    ip("link add kube-ipvs0 type dummy");
    ip("address add 10.96.0.10/32 dev kube-ipvs0");
    ip("address add 10.96.0.99/32 dev kube-ipvs0");
    let web = "-A -t 10.96.0.10:80 -s rr\n-a -t 10.96.0.10:80 -r 10.244.1.2:8080 -m -w 1\n";
    let stale = "-A -t 10.96.0.99:80 -s rr\n-a -t 10.96.0.99:80 -r 10.244.1.9:8080 -m -w 1\n";
    let left = [web, stale].concat().parse().unwrap();
    let made = Client::connect().unwrap().reconcile(&left, &PlanOptions::new()).unwrap();
    assert!(made.is_done(), "{made:?}");

    let server = ApiServer::start().unwrap();
    for object in [
        json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node-a"}}),
        json!({"apiVersion": "v1", "kind": "Service",
            "metadata": {"namespace": "shop", "name": "web"},
            "spec": {"clusterIP": "10.96.0.10", "ports": [{"port": 80}]}}),
        json!({"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice",
            "metadata": {"namespace": "shop", "name": "web-1",
                "labels": {"kubernetes.io/service-name": "web"}},
            "addressType": "IPv4", "ports": [{"port": 8080}],
            "endpoints": [{"addresses": ["10.244.1.2"]}]}),
    ] {
        server.put(object).unwrap();
    }
    let told = std::env::temp_dir().join(format!("addresses-{}", std::process::id()));
    let file = File::create(&told).unwrap();
    let mut monitor = Command::new("ip").args(["monitor", "address"]).stdout(file).spawn().unwrap();

    let arguments =
        ["--interface=kube-ipvs0", "--service-cidr=10.96.0.0/16", "--node-address=192.0.2.1"];
    let mut agent = Agent::start(&server, &arguments);
    agent.wait_for("synchronized");
    agent.wait_for_table(web);
    let mut addresses = ip("-o address show dev kube-ipvs0");
    for _ in 0..500 {
        if !addresses.contains("10.96.0.99") {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
        addresses = ip("-o address show dev kube-ipvs0");
    }
    assert!(
        addresses.contains("10.96.0.10/32") && !addresses.contains("10.96.0.99"),
        "{addresses}"
    );
    monitor.kill().unwrap();
    monitor.wait().unwrap();
    let told = fs::read_to_string(&told).unwrap();
    assert!(told.contains("10.96.0.99/") && !told.contains("10.96.0.10/"), "{told}");
}

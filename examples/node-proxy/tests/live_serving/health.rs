//! What load balancers and the kubelet ask.

use std::net::TcpListener;
use std::process::Command;

use node_proxy::api_server::ApiServer;
use serde_json::Value;

use crate::client::{get, wait_for, wait_until_closed};
use crate::objects::{endpoints, gateway, node};
use crate::stage::agent::{Agent, fresh_namespace};

const HEALTH: u16 = 10256;

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn health_follows_the_node() {
    fresh_namespace();
    let server = ApiServer::start().unwrap();
    server.put(node(&["dedicated"])).unwrap();
    // While it waits for the lists, it is healthy, as kube-proxy is.
    server.hold_watches(true);
    server.refuse(500, 3);
    let agent = Agent::start(&server, &[]);
    let answer = wait_for(HEALTH, "/healthz", |_| true);
    assert_eq!(answer.status, 200);
    let answer = get(HEALTH, "/readyz").unwrap();
    let waiting = (503, "the lists of the cluster are not complete\n");
    assert_eq!((answer.status, answer.body.as_str()), waiting);
    agent.wait_for("synchronized");
    let answer = wait_for(HEALTH, "/readyz", |answer| answer.status == 200);
    assert_eq!(answer.body, "ok\n");
    let answer = wait_for(HEALTH, "/healthz", |answer| answer.body.contains("status"));
    assert!(answer.head.contains("content-type: application/json"), "{answer:?}");
    let body = json(&answer.body);
    assert_eq!(body["healthy"], true);
    assert_eq!(body["nodeEligible"], true);
    assert_eq!(body["lastUpdated"], body["currentTime"]);
    assert_eq!(body["status"]["IPv4"]["healthy"], true);
    assert_eq!(body["status"]["IPv6"]["healthy"], true);
    assert_eq!(json(&get(HEALTH, "/livez").unwrap().body).get("nodeEligible"), None);
    assert_eq!(get(HEALTH, "/other").unwrap().status, 404);

    server.hold_watches(false);
    server.put(node(&["ToBeDeletedByClusterAutoscaler"])).unwrap();
    let answer = wait_for(HEALTH, "/healthz", |answer| answer.status == 503);
    assert_eq!(json(&answer.body)["nodeEligible"], false);
    assert_eq!(get(HEALTH, "/livez").unwrap().status, 200);
    assert_eq!(get(HEALTH, "/readyz").unwrap().status, 200);
    server.put(node(&[])).unwrap();
    wait_for(HEALTH, "/healthz", |answer| answer.status == 200);
    server.delete(&node(&[])).unwrap();
    wait_for(HEALTH, "/healthz", |answer| answer.status == 503);
    assert_eq!(get(HEALTH, "/livez").unwrap().status, 200);
}

#[test]
fn health_check_node_ports_follow_services_and_endpoints() {
    fresh_namespace();
    let server = ApiServer::start().unwrap();
    server.put(node(&[])).unwrap();
    server.put(gateway(32000)).unwrap();
    server.put(endpoints(&[true, true], "")).unwrap();
    let mut agent = Agent::start(&server, &["--node-address=192.0.2.1"]);
    let answer = wait_for(32000, "/any", |_| true);
    assert_eq!(answer.status, 200);
    assert!(answer.head.contains("x-load-balancing-endpoint-weight: 2"), "{answer:?}");
    let expected = r#"{"service": {"namespace": "edge", "name": "gateway"},
        "localEndpoints": 2, "serviceProxyHealthy": true}"#;
    assert_eq!(json(&answer.body), json(expected));

    // What terminates and serves stays in the table, and no load balancer is to send more.
    server.put(endpoints(&[true, false], "")).unwrap();
    wait_for(32000, "/", |answer| answer.head.contains("endpoint-weight: 1"));
    server.put(endpoints(&[false, false], "")).unwrap();
    let answer = wait_for(32000, "/", |answer| answer.status == 503);
    assert!(answer.head.contains("x-load-balancing-endpoint-weight: 0"), "{answer:?}");
    assert_eq!(json(&answer.body)["localEndpoints"], 0);
    assert!(agent.table().contains("-a -t 203.0.113.7:443 -r 10.244.1.1:8443 -m -w 1"));

    server.put(gateway(32001)).unwrap();
    wait_for(32001, "/", |answer| answer.status == 503);
    wait_until_closed(32000);

    // A port that another program has is told of, and taken as soon as it is free.
    let taken = TcpListener::bind("127.0.0.1:32002").unwrap();
    server.put(gateway(32002)).unwrap();
    agent.wait_for(
        "the health check node port of Service edge/gateway: cannot listen at 0.0.0.0:32002: ",
    );
    drop(taken);
    wait_for(32002, "/", |answer| answer.status == 503);
    agent.wait_for("the health check node port of Service edge/gateway: listens at 0.0.0.0:32002");

    server.delete(&gateway(0)).unwrap();
    wait_until_closed(32002);
    // The program goes on.
    assert_eq!(get(HEALTH, "/livez").unwrap().status, 200);
}

/// The kernel takes no destination that is a broadcast address.
#[test]
fn what_the_kernel_refuses_of_a_service_holds_up_nothing_else() {
    fresh_namespace();
    let broadcast = |verb: &str, address: &str| {
        let route = ["route", verb, "broadcast", address, "dev", "lo", "table", "local"];
        assert!(Command::new("ip").args(route).status().unwrap().success());
    };
    broadcast("add", "10.244.1.1");
    broadcast("add", "10.244.1.2");
    let server = ApiServer::start().unwrap();
    server.put(node(&[])).unwrap();
    server.put(gateway(32000)).unwrap();
    server.put(endpoints(&[true, true], "")).unwrap();
    let mut agent = Agent::start(&server, &["--node-address=192.0.2.1"]);
    agent.wait_for("synchronized");
    wait_for(HEALTH, "/readyz", |answer| answer.status == 200);
    wait_for(32000, "/", |answer| answer.status == 503);

    broadcast("del", "10.244.1.1");
    wait_for(32000, "/", |answer| answer.status == 200);
    assert_eq!(get(HEALTH, "/readyz").unwrap().status, 200);
    assert!(agent.table().contains("-r 10.244.1.1:8443"));
    assert!(!agent.table().contains("-r 10.244.1.2:8443"));
}

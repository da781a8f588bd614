//! What the program asks of the API server, beside the rules that let it.

use std::collections::BTreeSet;
use std::thread;
use std::time::{Duration, Instant};

use node_proxy::api_server::ApiServer;
use serde_json::{Value, json};

use crate::built::{Built, VARIANTS};
use crate::stage::PATIENCE;
use crate::stage::agent::{Agent, fresh_namespace};

/// A verb and a resource with its group, as `list services` or `list endpointslices.discovery.k8s.io`.
type Right = String;

/// The rights that the cluster role of a variant gives.
fn given(built: &Built) -> BTreeSet<Right> {
    let role = built.only("ClusterRole");
    let words = |rule: &Value, field: &str| -> Vec<String> {
        let all = rule[field].as_array().unwrap().iter();
        all.map(|it| it.as_str().unwrap().to_owned()).collect()
    };
    let mut rights = BTreeSet::new();
    for rule in role["rules"].as_array().unwrap() {
        assert_eq!(rule.as_object().unwrap().len(), 3, "{rule}");
        for group in words(rule, "apiGroups") {
            for resource in words(rule, "resources") {
                for verb in words(rule, "verbs") {
                    assert!(![&group, &resource, &verb].contains(&&"*".to_owned()), "{rule}");
                    rights.insert(right(&verb, &group, &resource));
                }
            }
        }
    }
    rights
}

fn right(verb: &str, group: &str, resource: &str) -> Right {
    match group {
        "" => format!("{verb} {resource}"),
        _ => format!("{verb} {resource}.{group}"),
    }
}

fn put_objects(server: &ApiServer) {
    let metadata = |name| json!({"namespace": "shop", "name": name});
    for object in [
        json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node-a"},
            "status": {"addresses": [{"type": "InternalIP", "address": "192.0.2.1"}]}}),
        json!({"apiVersion": "v1", "kind": "Service", "metadata": metadata("web"),
            "spec": {"clusterIP": "10.96.0.10", "ports": [{"port": 80}]}}),
        left_out("10.96.0.300"),
    ] {
        server.put(object).unwrap();
    }
}

/// A service with a mistake.
fn left_out(address: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Service",
        "metadata": {"namespace": "shop", "name": "bad"},
        "spec": {"clusterIP": address, "ports": [{"port": 80}]}})
}

/// Makes the program send an event, and then another one of the same series.
#[track_caller]
fn wait_for_events(server: &ApiServer) {
    for (address, wanted) in [("10.96.0.300", "create"), ("10.96.0.301", "patch")] {
        server.put(left_out(address)).unwrap();
        wait_until_asked(server, &format!("{wanted} events.events.k8s.io"));
    }
}

#[track_caller]
fn wait_until_asked(server: &ApiServer, wanted: &str) {
    let end = Instant::now() + PATIENCE;
    while !server.asked().iter().any(|it| it.to_string() == wanted) {
        assert!(Instant::now() < end, "nobody asks to {wanted}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// What a variant's long-lived container asks for until it is synchronized, and after its watches ended.
fn asked(built: &Built) -> BTreeSet<Right> {
    let server = ApiServer::start().unwrap();
    put_objects(&server);
    let arguments = built.arguments(&built.pod()["containers"][0]);
    // `Agent` gives the program the command and the name of the node itself.
    let own = |it: &&str| *it != "run" && !it.starts_with("--node-name=");
    let own: Vec<&str> = arguments.iter().map(String::as_str).filter(own).collect();
    let agent = Agent::start(&server, &own);
    agent.wait_for("synchronized");
    if own.contains(&"--events") {
        wait_for_events(&server);
    }
    if own.contains(&"--node-condition") {
        wait_until_asked(&server, "patch nodes/status");
    }
    let watches = server.begun().watches;
    server.expire_watches();
    let end = Instant::now() + PATIENCE;
    while server.begun().watches < watches + 3 {
        assert!(Instant::now() < end, "the watches do not begin again");
        thread::sleep(Duration::from_millis(20));
    }
    server.asked().iter().map(ToString::to_string).collect()
}

/// No right is missing, and none is given that the program does not use.
#[test]
fn the_rights_are_what_the_program_asks_for() {
    for variant in VARIANTS {
        fresh_namespace();
        let built = Built::of(variant);
        assert_eq!(asked(&built), given(&built), "{variant}");
    }
}

//! The table of the kernel after each command of kubectl, and after each thing that can go wrong between the
//! program and the API server.

use std::time::Duration;

use ipvs_netlink::Client;
use ipvs_netlink::table::{PlanOptions, Table};
use node_proxy::api_server::ApiServer;
use serde_json::{Value, json};

use crate::stage::agent::{self, Agent, fresh_namespace};
use crate::stage::kubectl::Kubectl;

const WEB: &str = "
apiVersion: v1
kind: Service
metadata: {namespace: shop, name: web}
spec: {clusterIP: 10.96.0.10, ports: [{port: 80}]}
";

pub(crate) fn service(name: &str, address: &str) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"namespace": "shop", "name": name},
        "spec": {"clusterIP": address, "ports": [{"port": 80}]},
    })
}

pub(crate) fn slice(service: &str, addresses: &[&str]) -> Value {
    let endpoints: Vec<Value> = addresses.iter().map(|it| json!({"addresses": [it]})).collect();
    json!({
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "namespace": "shop",
            "name": format!("{service}-1"),
            "labels": {"kubernetes.io/service-name": service},
        },
        "addressType": "IPv4",
        "ports": [{"port": 8080}],
        "endpoints": endpoints,
    })
}

/// A cluster that has the node.
pub(crate) fn cluster() -> ApiServer {
    let server = ApiServer::start().unwrap();
    server.put(node()).unwrap();
    server
}

pub(crate) fn node() -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": "node-a"},
        "status": {"addresses": [{"type": "InternalIP", "address": "192.0.2.1"}]},
    })
}

/// The text of a service of the scheduler rr with these endpoints.
pub(crate) fn entry(address: &str, endpoints: &[&str]) -> String {
    let mut text = format!("-A -t {address}:80 -s rr\n");
    for endpoint in endpoints {
        text.push_str(&format!("-a -t {address}:80 -r {endpoint}:8080 -m -w 1\n"));
    }
    text
}

#[test]
fn the_table_follows_each_command() {
    fresh_namespace();
    let server = cluster();
    let kubectl = Kubectl(&server);
    let mut agent = Agent::start(&server, &[]);
    agent.wait_for("synchronized");
    assert_eq!(agent.table(), "");

    kubectl.run(&["create", "-f", "-"], WEB);
    agent.wait_for_table(&entry("10.96.0.10", &[]));
    let one = slice("web", &["10.244.1.2"]);
    kubectl.run(&["create", "-f", "-"], &one.to_string());
    agent.wait_for_table(&entry("10.96.0.10", &["10.244.1.2"]));

    let two = slice("web", &["10.244.1.2", "10.244.2.3"]);
    kubectl.run(&["replace", "-f", "-"], &two.to_string());
    agent.wait_for_table(&entry("10.96.0.10", &["10.244.1.2", "10.244.2.3"]));

    let patch = ["patch", "endpointslice", "web-1", "-n", "shop", "--type=merge", "-p"];
    let gone = json!({"endpoints": [{"addresses": ["10.244.2.3"]}]}).to_string();
    kubectl.run(&[&patch[..], &[&gone]].concat(), "");
    agent.wait_for_table(&entry("10.96.0.10", &["10.244.2.3"]));

    let patch = ["patch", "service", "web", "-n", "shop", "--type=merge", "-p"];
    let labelled = r#"{"metadata": {"labels": {"service.kubernetes.io/service-proxy-name": "x"}}}"#;
    kubectl.run(&[&patch[..], &[labelled]].concat(), "");
    agent.wait_for_table("");
    let back = r#"{"metadata": {"labels": {"service.kubernetes.io/service-proxy-name": null}}}"#;
    kubectl.run(&[&patch[..], &[back]].concat(), "");
    agent.wait_for_table(&entry("10.96.0.10", &["10.244.2.3"]));

    kubectl.run(&["delete", "service", "web", "-n", "shop"], "");
    agent.wait_for_table("");
}

/// Nothing is written, and above all nothing deleted, before every list is complete.
#[test]
fn nothing_is_deleted_before_everything_was_seen() {
    fresh_namespace();
    let server = cluster();
    server.put(service("web", "10.96.0.10")).unwrap();
    server.put(slice("web", &["10.244.1.2"])).unwrap();
    // What an earlier run has left, and what kube-proxy would delete.
    let right = entry("10.96.0.10", &["10.244.1.2"]);
    let stale = entry("10.96.0.99", &["10.244.9.9"]);
    let before = [right.as_str(), stale.as_str()].concat();
    server.break_lists(5);
    let mut agent = Agent::start(&server, &["--service-cidr=10.96.0.0/16"]);
    let made = agent.ipvs.reconcile(&before.parse().unwrap(), &PlanOptions::new()).unwrap();
    assert!(made.is_done(), "{made:?}");
    agent.wait_for(&format!("API server {}: away: ", server.url()));
    agent.assert_table_stays(&before, Duration::from_millis(300));
    agent.wait_for(&format!("API server {}: back after ", server.url()));
    agent.wait_for("synchronized");
    agent.wait_for_table(&right);
}

#[test]
fn a_dry_run_prints_the_plan_and_changes_nothing() {
    fresh_namespace();
    let server = cluster();
    server.put(service("web", "10.96.0.10")).unwrap();
    server.put(slice("web", &["10.244.1.2"])).unwrap();
    let mut ipvs = Client::connect().unwrap();
    let before: Table = entry("10.96.0.99", &["10.244.9.9"]).parse().unwrap();
    assert!(ipvs.reconcile(&before, &PlanOptions::new()).unwrap().is_done());
    for (scope, last) in
        [("--take-over", "ipvsadm -D -t 10.96.0.99:80"), ("--exclude-cidr=::/0", "")]
    {
        let said = agent::run(&server, &["--dry-run", scope]);
        let added = "ipvsadm -A -t 10.96.0.10:80 -s rr\n\
                     ipvsadm -a -t 10.96.0.10:80 -r 10.244.1.2:8080 -m -w 1\n";
        assert!(said.starts_with(added) && said.trim_end().ends_with(last), "{said}");
        assert_eq!(said.contains("10.96.0.99"), !last.is_empty(), "{said}");
    }
    assert_eq!(Table::from(&ipvs.snapshot().unwrap()).to_string(), before.to_string());
    ipvs.flush().unwrap();
}

/// Each case changes the cluster while the watches cannot tell it.
#[test]
fn watches_go_on_after_everything_that_breaks_them() {
    fresh_namespace();
    let server = cluster();
    server.put(service("web", "10.96.0.10")).unwrap();
    server.put(service("old", "10.96.0.11")).unwrap();
    server.put(slice("web", &["10.244.1.2"])).unwrap();
    let mut agent = Agent::start(&server, &[]);
    agent.wait_for("synchronized");
    agent
        .wait_for_table(&[entry("10.96.0.10", &["10.244.1.2"]), entry("10.96.0.11", &[])].concat());

    // Streams that end, between events and within one. The watch goes on where it was: no new list.
    let pages = server.begun().pages;
    for (number, within) in [(3, false), (4, true)] {
        let address = format!("10.244.1.{number}");
        server.cut_watches(within);
        server.put(slice("web", &[&address])).unwrap();
        let old = entry("10.96.0.11", &[]);
        agent.wait_for_table(&[entry("10.96.0.10", &[&address]), old].concat());
    }
    assert_eq!(server.begun().pages, pages);

    // A version that is gone, in the stream, and what was deleted meanwhile.
    server.hold_watches(true);
    server.delete(&service("old", "")).unwrap();
    server.put(slice("web", &["10.244.1.5"])).unwrap();
    let held = [entry("10.96.0.10", &["10.244.1.4"]), entry("10.96.0.11", &[])].concat();
    agent.assert_table_stays(&held, Duration::from_millis(300));
    server.compact();
    server.expire_watches();
    server.hold_watches(false);
    agent.wait_for_table(&entry("10.96.0.10", &["10.244.1.5"]));
    assert!(server.begun().pages > pages);

    // A version that is gone when the watch begins, and a server that refuses for a while.
    server.refuse(500, 3);
    server.cut_watches(false);
    server.put(slice("web", &["10.244.1.6"])).unwrap();
    server.compact();
    agent.wait_for_table(&entry("10.96.0.10", &["10.244.1.6"]));

    // A server that is away, and comes back with nothing of its memory.
    let (address, url) = (server.address(), server.url());
    drop(server);
    agent.wait_for(&format!("API server {url}: away: "));
    agent.assert_table_stays(&entry("10.96.0.10", &["10.244.1.6"]), Duration::from_millis(300));
    let server = ApiServer::start_at(address).unwrap();
    server.put(service("new", "10.96.0.12")).unwrap();
    server.compact();
    agent.wait_for_table(&entry("10.96.0.12", &[]));
    agent.wait_for(&format!("API server {url}: back after "));
}

/// The table stays, and nothing waits for ever.
#[test]
fn a_dry_run_without_an_api_server_ends() {
    fresh_namespace();
    let server = cluster();
    server.refuse(503, usize::MAX);
    let said = agent::fail(&server, &["--dry-run"]);
    let lines: Vec<_> = said.lines().collect();
    let away = format!("API server {}: away: answered 503", server.url());
    let [first, last] = lines[..] else { panic!("{said}") };
    assert!(first.starts_with(&away), "{said}");
    let url = server.url();
    assert_eq!(
        last,
        format!(
            "node-proxy: API server {url}: no complete list of services, endpoint slices, the node within 30 s"
        )
    );
}
